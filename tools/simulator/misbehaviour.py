"""What faults do to an answer: one method for each place where a server can go wrong.

Without a fault each of them gives back what it was given, so that the code which calls them reads as if there were
none.
"""

from dataclasses import replace

from tools.simulator.engine import Generation
from tools.simulator.errors import ApiError, engine_dead, starting
from tools.simulator.faults import Fault, Switchboard
from tools.simulator.replies import dumps

SLOWER = 20
# vLLM writes token 0 of the vocabulary, in many models this one, when logits are NaN (vllm-project/vllm#22881).
GARBAGE = "!"
OTHER_MODEL = "simulator/other-model"


class Misbehaviour:
    """The active faults, asked at each of these places.

    Args:
        board: which are on.
        ready_after_s: how long `ready-too-soon` lasts, in seconds.
    """

    def __init__(self, board: Switchboard, ready_after_s: float) -> None:
        self._board = board
        self._ready_after_s = ready_after_s

    def refuse(self) -> None:
        """Before a completion is begun.

        Raises:
            ApiError: it is refused.
        """
        if Fault.ERROR_5XX in self._board:
            raise engine_dead()
        if self._board.seconds(Fault.READY_TOO_SOON) < self._ready_after_s:
            raise starting()

    def model(self, name: str) -> str:
        """The name that a reply carries."""
        return OTHER_MODEL if Fault.WRONG_MODEL in self._board else name

    def generation(self, given: Generation) -> Generation:
        """The tokens of an answer."""
        if Fault.GARBAGE not in self._board:
            return given
        return replace(given, deltas=tuple(GARBAGE for _ in given.deltas))

    async def before_token(self) -> None:
        """Wait as long as the engine hangs."""
        await self._board.until_off(Fault.HANG)

    def pace(self) -> float:
        """By how much a token takes longer."""
        return SLOWER if Fault.SLOW in self._board else 1

    def body(self, given: bytes) -> bytes:
        """The body of a whole answer with the status 200."""
        return error_body() if Fault.ERROR_IN_BODY in self._board else given


def error_body() -> bytes:
    """The error that comes inside a 200, as vLLM writes it into a stream when its engine fails on the way."""
    error: ApiError = engine_dead()
    return dumps(error.body())
