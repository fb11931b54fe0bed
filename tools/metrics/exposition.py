"""A scraped exposition: sums of samples by name and labels. Pure."""

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Sample:
    """One line of an exposition."""

    name: str
    labels: dict[str, str]
    value: float


# Comments begin with a number sign, and with no name.
_NAME = re.compile(r"[a-zA-Z_:][\w:]*")


class Exposition:
    """One scrape.

    Args:
        text: in Prometheus' text format.

    Raises:
        ValueError: it is not in that format.
    """

    def __init__(self, text: str) -> None:
        written = {found[0] for line in text.splitlines() if (found := _NAME.match(line))}
        self.samples = [
            Sample(_as_written(sample.name, written), dict(sample.labels), sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]
        self.names = frozenset(sample.name for sample in self.samples)

    def find(self, names: Iterable[str], **labels: str) -> list[Sample]:
        """Samples under the first of several names (a metric and its older names) that the exposition has."""
        name = next((name for name in names if name in self.names), None)
        return [
            sample
            for sample in self.samples
            if sample.name == name and all(sample.labels.get(key) == value for key, value in labels.items())
        ]

    def total(self, names: Iterable[str], **labels: str) -> float:
        """Their sum; 0 where there is none, because a labelled counter appears with its first event."""
        return sum(sample.value for sample in self.find(names, **labels))


def _as_written(name: str, written: Container[str]) -> str:
    """The name that the text has: the parser puts `_total` to counters without it, as Envoy's and istiod's are."""
    return name if name in written else name.removesuffix("_total")
