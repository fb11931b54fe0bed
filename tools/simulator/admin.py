"""Switch faults of a running simulator on and off, from inside its pod.

    kubectl exec POD -c main -- python3 -m tools.simulator.admin on|off NAME
    kubectl exec POD -c main -- python3 -m tools.simulator.admin list

Prints the names of the faults that are on, one a line. Exit status: 0 done, 1 nobody answers, 2 not understood.
"""

import argparse
import json
import socket
import sys
from collections.abc import Sequence
from typing import Any

from tools.simulator.faults import MEANING
from tools.simulator.settings import ADMIN_SOCKET

_SECONDS = 10.0


def main(argv: Sequence[str]) -> int:
    """Send one command; returns the exit status."""
    known = "\n".join(f"  {fault:16} {meaning}" for fault, meaning in MEANING.items())
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.simulator.admin",
        description="Switch faults of the simulator in this pod.",
        epilog=f"faults:\n{known}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--socket", default=ADMIN_SOCKET, help="the server's --admin-socket (default: %(default)s)")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("on", "off"):
        verbs.add_parser(verb).add_argument("name", choices=list(map(str, MEANING)), metavar="NAME")
    verbs.add_parser("list")
    asked = parser.parse_args(argv)
    line = f"{asked.verb} {asked.name}" if asked.verb != "list" else "list"
    try:
        told = ask(asked.socket, line)
    except (OSError, ValueError) as error:
        print(f"no simulator answers at {asked.socket}: {error}", file=sys.stderr)
        return 1
    if told["error"]:
        print(told["error"], file=sys.stderr)
        return 2
    print(f"{told['stand_in']}: {asked.verb}", file=sys.stderr)
    print("".join(f"{name}\n" for name in told["active"]), end="")
    return 0


def ask(path: str, line: str) -> dict[str, Any]:
    """Send a line to a simulator's socket and return its reply.

    Raises:
        OSError: nobody listens there, or not in time.
        ValueError: what came is no reply.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SECONDS)
        connection.connect(path)
        connection.sendall(f"{line}\n".encode())
        with connection.makefile("rb") as answer:
            told = json.loads(answer.readline())
    if not isinstance(told, dict):
        raise ValueError(f"not a reply: {told!r}")
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
