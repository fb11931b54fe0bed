"""The alerts and the dashboard's queries that ship, read from manifests/monitoring."""

from dataclasses import dataclass
from typing import Any

import yaml

from tools.paths import CHECKOUT

MONITORING = CHECKOUT / "manifests" / "monitoring"
# On metrics that every data plane has, and on Istio's standard metrics.
ALERTS, ISTIO_ALERTS = "alerts.yaml", "alerts-istio.yaml"
# Grafana's own variable: long enough for a rate.
INTERVAL = "$__rate_interval"


@dataclass(frozen=True)
class Panel:
    """A panel of the dashboard.

    Attributes:
        row: title of the row that it is in.
        title: its own.
        unit: Grafana's name for it.
        query: with the dashboard's variables.
    """

    row: str
    title: str
    unit: str
    query: str

    def for_service(self, namespace: str, service: str, seconds: float) -> str:
        """The query with values in the place of variables.

        Args:
            namespace, service: of the LLMInferenceService.
            seconds: for rates, at least four scrapes.
        """
        filled = self.query.replace(INTERVAL, f"{seconds:.0f}s")
        return filled.replace("$namespace", namespace).replace("$service", service)


def panels() -> list[Panel]:
    """The dashboard's panels, in their order."""
    rows = yaml.safe_load((MONITORING / "queries.yaml").read_text())
    return [Panel(row["title"], **panel) for row in rows for panel in row["panels"]]


def alerts(file: str) -> dict[str, str]:
    """Expressions of the alerts in a file, by name."""
    found: dict[str, Any] = yaml.safe_load((MONITORING / file).read_text())
    return {rule["alert"]: rule["expr"] for group in found["groups"] for rule in group["rules"]}
