"""Faults of Istio's control plane, and of what its proxies say of themselves."""

from collections.abc import Iterator
from contextlib import ExitStack

from tools.faults.common import scaled
from tools.faults.fault import Scope, fault
from tools.faults.filtered import filtered
from tools.kube import gateways
from tools.kube.llm_service import LlmService
from tools.metrics.istio import AGENT_PORT, ENVOY_PORT

_CLOSED = f"""
  chain input {{
    type filter hook input priority 0; policy accept;
    tcp dport {{ {AGENT_PORT}, {ENVOY_PORT} }} reject with tcp reset
  }}"""


@fault(breaks_gateway=True)
def gateway_metrics_closed(service: LlmService) -> Iterator[None]:
    """The Gateway's proxies take no connection at the ports of their metrics."""
    with ExitStack() as every:
        for pod in gateways.proxies(service.kube, service.gateway):
            every.enter_context(filtered(service, pod, _CLOSED))
        yield


@fault(scope=Scope.CLUSTER)
def istiod_stopped(service: LlmService) -> Iterator[None]:
    """Istio's control plane does not run: proxies go on with what they have, and learn nothing new."""
    place = service.istiod
    with scaled(service.kube, place.namespace, place.name, 0):
        yield
