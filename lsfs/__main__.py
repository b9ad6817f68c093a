"""python -m lsfs: the same as the command `lsfs`; the mount in the background is this, started again."""

import sys

from lsfs.cli import main

if __name__ == "__main__":
    sys.exit(main())
