"""Histograms of several pods together: how often they were fed, and with how much. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from tools.metrics.exposition import Exposition


@dataclass(frozen=True)
class Fed:
    """What a histogram has seen.

    Attributes:
        count: observations.
        total: their sum, in the histogram's unit.
    """

    count: float
    total: float

    def since(self, before: "Fed") -> "Fed":
        """What came after an earlier look."""
        return Fed(self.count - before.count, self.total - before.total)


def fed(found: Iterable[Exposition], names: tuple[str, ...]) -> Fed:
    """What a histogram has seen, over all pods.

    Args:
        found: their expositions.
        names: of the histogram, newest first, without `_count` and `_sum`.
    """
    counts, sums = [f"{name}_count" for name in names], [f"{name}_sum" for name in names]
    every = list(found)
    return Fed(sum(each.total(counts) for each in every), sum(each.total(sums) for each in every))
