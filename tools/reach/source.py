"""Where connections are made from, and the measurement: every source asks all that is asked of it by one command."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from tools.netpolicy.world import End
from tools.probe.verdict import ProbeFailed, Verdict
from tools.reach.cells import CLOSED, Target
from tools.reach.connect import FIRST_MILLISECONDS, SECOND_MILLISECONDS, script, verdicts


class Source(Protocol):
    """A network from which connections can be made.

    Attributes:
        name: in words, for messages.
        end: as policies see it.
        agnhost: the program, by its path there.
    """

    @property
    def name(self) -> str: ...
    @property
    def end(self) -> End: ...
    def run(self, command: str) -> str:
        """Run a shell command there, with $A for agnhost; what it printed.

        Raises:
            ProbeFailed: it could not be run.
        """


def measure(asked: Mapping[Source, Sequence[Target]]) -> dict[tuple[Source, Target], Verdict]:
    """Connect from every source to its targets, all sources at once.

    What does not come through in time is asked once more, for longer: dropped packets never come, and a busy machine's
    do.
    """
    with ThreadPoolExecutor(max(1, len(asked))) as pool:
        found = pool.map(lambda row: _row(*row), asked.items())
        return {(source, target): verdict for source, row in zip(asked, found, strict=True) for target, verdict in row}


def _row(source: Source, targets: Sequence[Target]) -> list[tuple[Target, Verdict]]:
    found = _ask(source, targets, FIRST_MILLISECONDS)
    if again := [each for each in targets if found[each] in CLOSED or found[each] is Verdict.PROBE_FAILED]:
        found |= _ask(source, again, SECOND_MILLISECONDS)
    return list(found.items())


def _ask(source: Source, targets: Sequence[Target], milliseconds: int) -> dict[Target, Verdict]:
    try:
        return verdicts(targets, source.run(script(targets, milliseconds)))
    except ProbeFailed:
        return dict.fromkeys(targets, Verdict.PROBE_FAILED)
