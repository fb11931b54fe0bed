"""A scraped exposition: sums of samples by name and labels. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Sample:
    """One line of an exposition."""

    name: str
    labels: dict[str, str]
    value: float


class Exposition:
    """One scrape.

    Args:
        text: in Prometheus' text format.

    Raises:
        ValueError: it is not in that format.
    """

    def __init__(self, text: str) -> None:
        self.samples = [
            Sample(sample.name, dict(sample.labels), sample.value)
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
