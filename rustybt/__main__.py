"""``python -m rustybt``."""

from rustybt.cli import main

if __name__ == "__main__":
    main()
