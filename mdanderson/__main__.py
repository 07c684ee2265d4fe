"""`python -m mdanderson` is the command line."""

import sys

from mdanderson.cli import main

if __name__ == "__main__":
    sys.exit(main())
