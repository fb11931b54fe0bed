"""Many connections by one shell command with agnhost, and what it tells of each. Pure."""

import shlex
from collections.abc import Sequence

from tools.probe.verdict import Verdict
from tools.reach.cells import Target

# What a packet takes there and back is far below; a busy machine is what it is for.
FIRST_MILLISECONDS = 300
# Dropped or only slow? A SYN is sent again after 1 s (RFC 6298).
SECOND_MILLISECONDS = 1500
# Processes at a time: each has 8 MiB of its own.
_TOGETHER = 40
# Longer than a DNS header (12 bytes, RFC 1035, 4.1.1), so that servers answer it with an error and not with silence.
_DATAGRAM = "llmisvc-conformance"
_ASK = 'p() { k=$1; shift; o=$("$A" connect "$@" 2>&1); echo "$k $? $o"; }'


def script(targets: Sequence[Target], milliseconds: int) -> str:
    """A shell command that connects to all of them by the program $A, and prints `INDEX STATUS TEXT` for each.

    Args:
        targets: by index.
        milliseconds: that each may take.
    """
    lines = [_ASK]
    for index, target in enumerate(targets):
        udp = f" --protocol=udp --udp-data={_DATAGRAM}" if target.protocol == "UDP" else ""
        lines.append(f"p {index} --timeout={milliseconds}ms{udp} {shlex.quote(target.place)} &")
        if index % _TOGETHER == _TOGETHER - 1:
            lines.append("wait")
    return "\n".join([*lines, "wait"])


def verdicts(targets: Sequence[Target], printed: str) -> dict[Target, Verdict]:
    """The verdict for each target; of one of which nothing was printed, PROBE_FAILED."""
    found = dict.fromkeys(targets, Verdict.PROBE_FAILED)
    for line in printed.splitlines():
        index, _, rest = line.partition(" ")
        status, _, text = rest.partition(" ")
        if index.isdigit() and int(index) < len(targets) and status.isdigit():
            found[targets[int(index)]] = _verdict(int(status), text)
    return found


def _verdict(status: int, text: str) -> Verdict:
    """What agnhost says, by the words that its source (test/images/agnhost/connect) begins with."""
    if status == 0:
        return Verdict.ALLOWED
    said = text.strip().lower()
    if said.startswith("timeout"):
        return Verdict.DROPPED
    if said.startswith("refused"):
        return Verdict.REFUSED
    if not said.startswith("other"):
        return Verdict.PROBE_FAILED  # the shell's words, or agnhost's own trouble
    if "connection reset" in said:
        return Verdict.RESET
    # A packet filter that answers (ICMP) instead of dropping makes EHOSTUNREACH or EACCES of it.
    closed = ("no route to host", "unreachable", "permission denied")
    return Verdict.UNREACHABLE if any(words in said for words in closed) else Verdict.PROBE_FAILED
