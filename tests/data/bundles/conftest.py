collect_ignore = ["real/make.py"]
