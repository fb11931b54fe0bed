"""Counters, gauges and histograms with prepared text.

The endpoint picker scrapes a model server every 50 ms, and a stand-in pod has a tenth of a core. prometheus_client
takes milliseconds to write 500 samples and microseconds for an observation; here every sample's name and labels are
written once, when it is made. The text is the one that prometheus_client writes: labels in alphabetical order, and a
gauge `…_created` with the time of making for each counter, histogram and summary.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from prometheus_client.utils import floatToGoString

Labels = Mapping[str, str]


def _number(value: float) -> str:
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]


def _sample(name: str, labels: Labels) -> str:
    if not labels:
        return f"{name} "
    pairs = ",".join(f'{key}="{_escape(value)}"' for key, value in sorted(labels.items()))
    return f"{name}{{{pairs}}} "


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


class Counter:
    """A number that only grows."""

    def __init__(self, name: str, labels: Labels) -> None:
        self.value = 0.0
        self._prefix = _sample(f"{name}_total", labels)
        self.created = f"{_sample(f'{name}_created', labels)}{_number(time.time())}\n"

    def inc(self, amount: float = 1.0) -> None:
        """Add to it."""
        self.value += amount

    def text(self) -> str:
        """Its sample line."""
        return f"{self._prefix}{_number(self.value)}\n"


class Gauge:
    """A number read when it is asked for."""

    created = ""

    def __init__(self, name: str, labels: Labels, read: Callable[[], float]) -> None:
        self._read = read
        self._prefix = _sample(name, labels)

    def text(self) -> str:
        """Its sample line."""
        return f"{self._prefix}{_number(self._read())}\n"


class Histogram:
    """Counts of observations by upper bound.

    Args:
        name: of the family.
        labels: of this child.
        bounds: upper bounds, ascending, without infinity.
    """

    def __init__(self, name: str, labels: Labels, bounds: Sequence[float]) -> None:
        self._bounds = tuple(map(float, bounds))
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0
        ends = [*map(_number, self._bounds), "+Inf"]
        self._prefixes = [_sample(f"{name}_bucket", {**labels, "le": end}) for end in ends]
        self._count_prefix = _sample(f"{name}_count", labels)
        self._sum_prefix = _sample(f"{name}_sum", labels)
        self.created = f"{_sample(f'{name}_created', labels)}{_number(time.time())}\n"

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def text(self) -> str:
        """Its sample lines."""
        total, lines = 0, []
        for prefix, count in zip(self._prefixes, self._counts, strict=True):
            total += count
            lines.append(f"{prefix}{float(total)}\n")
        lines.append(f"{self._count_prefix}{float(total)}\n{self._sum_prefix}{_number(self._sum)}\n")
        return "".join(lines)


class Summary:
    """Count and sum of observations."""

    def __init__(self, name: str, labels: Labels) -> None:
        self._count = 0
        self._sum = 0.0
        self._count_prefix = _sample(f"{name}_count", labels)
        self._sum_prefix = _sample(f"{name}_sum", labels)
        self.created = f"{_sample(f'{name}_created', labels)}{_number(time.time())}\n"

    def observe(self, value: float) -> None:
        """Count one value."""
        self._count += 1
        self._sum += value

    def text(self) -> str:
        """Its sample lines."""
        return f"{self._count_prefix}{float(self._count)}\n{self._sum_prefix}{_number(self._sum)}\n"


Child = TypeVar("Child", Counter, Gauge, Histogram, Summary)


class Family:
    """The children of one metric name, with its HELP and TYPE lines.

    Args:
        name: as declared (a counter's samples get `_total` after it).
        kind: counter, gauge, histogram or summary.
        help_text: one line.
    """

    def __init__(self, name: str, kind: str, help_text: str) -> None:
        self.name = name
        shown = f"{name}_total" if kind == "counter" else name
        self._head = f"# HELP {shown} {help_text}\n# TYPE {shown} {kind}\n"
        self._created_head = f"# HELP {name}_created {help_text}\n# TYPE {name}_created gauge\n"
        self._children: list[Counter | Gauge | Histogram | Summary] = []

    def add(self, child: Child) -> Child:
        """Take a child in and return it."""
        self._children.append(child)
        return child

    def text(self) -> str:
        """All its lines; the first two also when it has no child yet."""
        created = "".join(child.created for child in self._children)
        samples = "".join(child.text() for child in self._children)
        return f"{self._head}{samples}{self._created_head if created else ''}{created}"
