"""`python -m tools.simulator`: see `cli`."""

import sys

from tools.simulator.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
