"""The table of what was seen: each cell judged, controls looked for, and all of it drawn. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tools.netpolicy.world import End
from tools.probe.verdict import Verdict
from tools.reach.cells import CLOSED, OPEN, Cell, Target, What, Who
from tools.reach.promise import Promised, Shape, promised
from tools.reach.word import Word


class Mark(StrEnum):
    """A cell as it is drawn.

    Attributes:
        RIGHT: as promised.
        LEAK: open, and promised to be closed.
        LACK: closed, or not answered, and promised to be open.
        UNTOLD: nothing can be said: the probe failed, or nobody at all reaches the target.
        NOTHING: nothing is promised, or it was not asked.
    """

    RIGHT = "."
    LEAK = "X"
    LACK = "!"
    UNTOLD = "?"
    NOTHING = " "


@dataclass(frozen=True)
class Seen:
    """One cell.

    Attributes:
        cell: which.
        source: who connected: a pod's name, or other words.
        end: the same as policies see it.
        target: to what.
        verdict: what came of it.
        word: what the policies say.
    """

    cell: Cell
    source: str
    end: End
    target: Target
    verdict: Verdict
    word: Word

    @property
    def open(self) -> bool | None:
        """Whether packets came through; None if the probe failed."""
        return True if self.verdict in OPEN else False if self.verdict in CLOSED else None


@dataclass(frozen=True)
class Table:
    """What was seen.

    Attributes:
        shape: of the service, which decides what is promised.
        rows: every cell that was asked.
        left_out: rows and columns that could not be asked, and why, one line each.
    """

    shape: Shape
    rows: Sequence[Seen]
    left_out: Sequence[str] = field(default=())

    def promised(self, seen: Seen) -> Promised | None:
        """What is promised of a cell."""
        return promised(self.shape, seen.cell)

    def control(self, what: What) -> Seen | None:
        """A cell that shows that a target is there: somebody reaches it."""
        found = [each for each in self.rows if each.cell[1] is what and each.open]
        # An answer of the target itself says more than a refusal by its host.
        return min(found, key=lambda each: (each.verdict is not Verdict.ALLOWED, *each.cell), default=None)

    def mark(self, seen: Seen) -> Mark:
        """How a cell is drawn."""
        wanted = self.promised(seen)
        if wanted is None:
            return Mark.NOTHING
        if seen.open is None:
            return Mark.UNTOLD
        if wanted.open:
            # What refuses did get the packet; but what serves the gateway has to listen.
            needed = seen.cell[0] is not Who.NODE
            return Mark.LACK if not seen.open or (needed and seen.verdict is not Verdict.ALLOWED) else Mark.RIGHT
        if seen.open:
            return Mark.LEAK
        return Mark.RIGHT if self.control(seen.cell[1]) is not None else Mark.UNTOLD

    def wrong(self, *marks: Mark) -> list[Seen]:
        """The cells with one of these marks; without marks those that are not as promised."""
        wanted = marks or (Mark.LEAK, Mark.LACK)
        return [each for each in self.rows if self.mark(each) in wanted]

    def disagreeing(self) -> list[Seen]:
        """Cells that are not as the policies say, be they as promised or not."""
        return [
            each for each in self.rows if None not in (each.open, each.word.open) and each.open is not each.word.open
        ]

    def drawn(self) -> str:
        """The table as text, with a legend, and every cell that is not as promised."""
        asked = {each.cell: each for each in self.rows}
        columns = [what for what in What if any(each.cell[1] is what for each in self.rows)]
        width = max((len(who) for who in Who), default=0)
        lines = [_heads(columns, width)]
        for who in Who:
            if any(each.cell[0] is who for each in self.rows):
                marks = [self.mark(asked[who, what]) if (who, what) in asked else Mark.NOTHING for what in columns]
                drawn = [f"{mark:^{len(what)}}" for mark, what in zip(marks, columns, strict=True)]
                lines.append("  ".join([f"{who:<{width}}", *drawn]))
        lines += ["", ". as promised   X open and promised closed   ! closed and needed   ? not told", ""]
        for each in self.wrong(Mark.LEAK, Mark.LACK, Mark.UNTOLD):
            why = "" if self.mark(each) is Mark.UNTOLD else f"; {each.word.why}"
            lines.append(f"{self.mark(each)} {each.cell[0]} to {each.cell[1]}: {each.verdict}{why}")
        lines += [f"not asked: {line}" for line in self.left_out]
        return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def of_cells(shape: Shape, verdicts: Mapping[Cell, Verdict], seen: Iterable[Seen]) -> Table:
    """A table of other verdicts for the same cells, for what-ifs."""
    rows = [Seen(s.cell, s.source, s.end, s.target, verdicts.get(s.cell, s.verdict), s.word) for s in seen]
    return Table(shape, rows)


def _heads(columns: Sequence[What], width: int) -> str:
    return "  ".join([" " * width, *columns])
