"""`python -m tools.stack`: build the stack, check one that is built, or lock its pins anew."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence

from tools.errors import UserError
from tools.stack import directory, lock
from tools.stack.build import ensure_stack, locate_stack


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.stack", description=__doc__)
    parser.add_argument("do", nargs="?", choices=["build", "where", "lock"], default="build")
    parser.add_argument("--verify", action="store_true", help="compare every file with its checksum (some seconds)")
    options = parser.parse_args(arguments)
    # A `kill` is as clean as Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        if options.do == "lock":
            lock.lock_all()
            return 0
        started = time.monotonic()
        stack = ensure_stack() if options.do == "build" else locate_stack()
        if options.verify and (wrong := directory.flaw(stack.root, full=True)):
            raise UserError(
                "the stack as it was built", f"{stack.root}: {wrong}", next_step="remove it and `make stack`"
            )
        print(stack.root)
        print(f"stack ready ({time.monotonic() - started:.1f} s)", file=sys.stderr)
        return 0
    except UserError as error:
        print(f"stack: refused\n  {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stack: interrupted; finished parts are kept, `make stack` goes on from there", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
