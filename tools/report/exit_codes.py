"""Exit codes of a run: what CI can tell without reading a report. The table for people is in docs/ci.md.

pytest's own codes (0 to 5) keep their meaning. A green run that is no release, and one that cannot tell, have their own
codes above them, so that nothing but RELEASABLE is ever 0.
"""

from enum import IntEnum

from tools.report.verdict import Verdict


class ExitCode(IntEnum):
    """What the exit status of a run says.

    Attributes:
        RELEASABLE: every promise kept, on the real thing.
        PRODUCT_FAILURE: the product broke a promise.
        INTERRUPTED: ended by a person or a signal, or the cases could not be collected (both are pytest's 2).
        INTERNAL_ERROR: a bug of pytest or of the suite.
        MISUSE: options or files of the user's that are wrong; nothing was run.
        NOTHING_SELECTED: no case fits the selection.
        REHEARSAL: green, on stand-ins.
        INCONCLUSIVE: infrastructure failure, or too little was seen.
    """

    RELEASABLE = 0
    PRODUCT_FAILURE = 1
    INTERRUPTED = 2
    INTERNAL_ERROR = 3
    MISUSE = 4
    NOTHING_SELECTED = 5
    REHEARSAL = 10
    INCONCLUSIVE = 11


OF_VERDICT = {
    Verdict.RELEASABLE: ExitCode.RELEASABLE,
    Verdict.NOT_RELEASABLE: ExitCode.PRODUCT_FAILURE,
    Verdict.REHEARSAL: ExitCode.REHEARSAL,
    Verdict.INCONCLUSIVE: ExitCode.INCONCLUSIVE,
}
_PYTESTS = (ExitCode.INTERNAL_ERROR, ExitCode.MISUSE, ExitCode.NOTHING_SELECTED)


def exit_code(verdict: Verdict, pytests: int) -> int:
    """The exit status of a session of cases.

    Args:
        verdict: of the run.
        pytests: the status that pytest would end with.

    Returns:
        pytest's for its internal errors, misuse and an empty selection; for an interruption too, unless the product had
        already failed; else the verdict's.
    """
    if pytests in _PYTESTS or (pytests == ExitCode.INTERRUPTED and verdict is not Verdict.NOT_RELEASABLE):
        return int(pytests)
    # What pytest calls failed without a record of it (an own test in the same session) must not come out green.
    if pytests == ExitCode.PRODUCT_FAILURE and verdict in (Verdict.RELEASABLE, Verdict.REHEARSAL):
        return int(ExitCode.INCONCLUSIVE)
    return int(OF_VERDICT[verdict])
