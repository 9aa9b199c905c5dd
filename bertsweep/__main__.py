"""`python -m bertsweep`, the same as `bertsweep`."""

import sys

from bertsweep.cli import main

if __name__ == "__main__":
    sys.exit(main())
