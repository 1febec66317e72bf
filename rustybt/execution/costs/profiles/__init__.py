"""Published fee schedules as files: what is charged, where it is published, the day for which it is known to hold.

To add one: a file here, named as users will write it.
"""

FOLDER = __name__
