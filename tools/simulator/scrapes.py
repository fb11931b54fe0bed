"""What /metrics answers, with the faults of metrics."""

from collections.abc import Callable

from tools.simulator.faults import Fault, Switchboard


class Scrapes:
    """The exposition of one server.

    Args:
        board: which faults are on.
        read: writes the exposition as it is now.
    """

    def __init__(self, board: Switchboard, read: Callable[[], str]) -> None:
        self._board = board
        self._read = read
        self._frozen = read()
        # Frozen in the moment of switching: what is served after it and before the next scrape must not show either.
        board.listen(self._freeze)

    def text(self) -> str:
        """The exposition that a scraper gets."""
        text = self._frozen if Fault.FROZEN_METRICS in self._board else self._read()
        return text.replace("vllm:", "vllm_") if Fault.RENAMED_METRICS in self._board else text

    def _freeze(self, fault: Fault) -> None:
        if fault is Fault.FROZEN_METRICS:
            self._frozen = self._read()
