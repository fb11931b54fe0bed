"""Labels that everything carries which the suite makes on a cluster."""

from tools.kube.client import Object

PREFIX = "llmisvc-conformance"
RUN = f"{PREFIX}/run"
CASE = f"{PREFIX}/case"
# On namespaces of a run whose user wanted them to stay.
KEPT = f"{PREFIX}/kept"


def made_for(found: Object, fault: str) -> dict[str, str]:
    """Labels of what a fault makes beside a service: the run's, as its namespace has it, and the fault's name."""
    return of_run(found) | {CASE: fault}


def of_run(found: Object) -> dict[str, str]:
    """The run's label as an object (a run's namespace) has it, for what is made beside it; empty where it has none."""
    labels = found["metadata"].get("labels") or {}
    return {RUN: labels[RUN]} if RUN in labels else {}
