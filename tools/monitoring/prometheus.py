"""A Prometheus as a client of its HTTP API sees it: targets, rules, instant queries. Nothing is written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools.monitoring.through import Instrument

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NEVER = "0001-01-01"


@dataclass(frozen=True)
class Target:
    """Something that is scraped.

    Attributes:
        job: of the configuration.
        pod: `NAMESPACE/NAME`; empty for what is no pod.
        url: that is asked.
        health: `up`, `down`, or `unknown` before the first scrape.
        error: of the last scrape; empty after a good one.
        scraped: Unix time of the last scrape; None before the first.
        interval: seconds between scrapes.
    """

    job: str
    pod: str
    url: str
    health: str
    error: str
    scraped: float | None
    interval: float


@dataclass(frozen=True)
class Rule:
    """An alert as it is loaded.

    Attributes:
        name: of the alert.
        query: its expression, as Prometheus writes it.
        error: of its last evaluation; empty after a good one.
    """

    name: str
    query: str
    error: str


@dataclass(frozen=True)
class Sample:
    """One series of an instant query's answer."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus.

    Attributes:
        instrument: the Service that is asked.
    """

    instrument: Instrument

    def targets(self) -> list[Target]:
        """All that it scrapes now."""
        return targets(self._get("/targets", state="active"))

    def alerts(self) -> dict[str, Rule]:
        """The alerts that it has loaded, by name."""
        return alerts(self._get("/rules", type="alert"))

    def query(self, expression: str) -> list[Sample]:
        """The answer to an instant query, as of now.

        Raises:
            KubeError: Prometheus cannot read the expression, in its own words.
        """
        return samples(self._get("/query", query=expression))

    def now(self) -> float:
        """Its own clock, as Unix time."""
        (found,) = self.query("vector(time())")
        return found.value

    def named(self, names: frozenset[str]) -> frozenset[str]:
        """Those of these metrics of which it has a series now."""
        if not names:
            return names
        choice = "|".join(sorted(names))
        found = self.query(f'group by (__name__) ({{__name__=~"{choice}"}})')
        return frozenset(each.labels["__name__"] for each in found)

    def _get(self, path: str, **query: str) -> Any:
        return self.instrument.get(f"/api/v1{path}", **query)["data"]


def targets(data: Mapping[str, Any]) -> list[Target]:
    """Targets of an answer to /targets. Pure."""
    return [_target(each) for each in data["activeTargets"]]


def alerts(data: Mapping[str, Any]) -> dict[str, Rule]:
    """Alerts of an answer to /rules, by name. Pure."""
    rules = [rule for group in data["groups"] for rule in group["rules"] if rule.get("type") == "alerting"]
    return {each["name"]: Rule(each["name"], each["query"], each.get("lastError", "")) for each in rules}


def samples(data: Mapping[str, Any]) -> list[Sample]:
    """Series of an answer to /query. Pure.

    Raises:
        ValueError: it is not a vector.
    """
    if data["resultType"] != "vector":
        raise ValueError(f"the answer is a {data['resultType']}, not a vector")
    return [Sample(each["metric"], float(each["value"][1])) for each in data["result"]]


def duration(text: str) -> float:
    """Seconds of a duration as Prometheus writes it: `2s`, `1m30s`. Pure."""
    return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhd])", text))


def _target(found: Mapping[str, Any]) -> Target:
    labels, discovered = found.get("labels", {}), found.get("discoveredLabels", {})
    namespace = discovered.get("__meta_kubernetes_namespace") or labels.get("namespace", "")
    pod = discovered.get("__meta_kubernetes_pod_name") or labels.get("pod", "")
    last = found.get("lastScrape", _NEVER)
    return Target(
        job=labels.get("job", ""),
        pod=f"{namespace}/{pod}" if pod else "",
        url=found.get("scrapeUrl", ""),
        health=found.get("health", "unknown"),
        error=found.get("lastError", ""),
        scraped=None if last.startswith(_NEVER) else datetime.fromisoformat(last).timestamp(),
        interval=duration(found.get("scrapeInterval", "")),
    )
