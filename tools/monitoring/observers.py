"""What Kiali and Jaeger tell of a service, from the answers of their APIs. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any


def workloads(answer: Mapping[str, Any]) -> set[str]:
    """Names of the workloads that Kiali shows in a namespace: of `/kiali/api/namespaces/NS/workloads`, old or new."""
    return {each["name"] for each in answer.get("workloads") or []}


def of_gateway(services: Iterable[str] | None, gateway: str, namespace: str) -> str:
    """The name under which Jaeger has traces of a Gateway's proxies; empty if it has none.

    Args:
        services: of `/api/services`; None before the first trace.
        gateway, namespace: of the Gateway.
    """
    # Istio names proxies after their Deployment: NAME-CLASS.NAMESPACE.
    fitting = (each for each in services or () if each.startswith(f"{gateway}-") and each.endswith(f".{namespace}"))
    return next(fitting, "")
