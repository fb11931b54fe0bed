"""Faults of the gateway's own proxy: filters that somebody put in, which no object of the Gateway API shows."""

from collections.abc import Iterator
from contextlib import contextmanager

from tools.faults.common import wait_for_answer
from tools.faults.fault import fault
from tools.kube.client import Object
from tools.kube.kinds import ENVOY_FILTER, NAMESPACE
from tools.kube.labels import made_for
from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.reply import Reply

# Between the second and the third step of the ladder of body sizes.
_MOST_BYTES = 20 * 1024


@fault(breaks_gateway=True)
def bodies_limited(service: LlmService) -> Iterator[None]:
    """The gateway collects request bodies before it passes them on, and takes none above 20 KiB."""
    config = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer",
        "max_request_bytes": _MOST_BYTES,
    }

    def ask(client: Client) -> Reply:
        return client.complete("The gate opens " * 4096)

    with _filter(service, "bodies_limited", "envoy.filters.http.buffer", config):
        wait_for_answer(service, "long completions are 413", ask, lambda reply: reply.status == 413)
        yield
    wait_for_answer(service, "long completions are not 413", ask, lambda reply: reply.status != 413)


@fault(breaks_gateway=True)
def aborted(service: LlmService) -> Iterator[None]:
    """The gateway ends every request by its fault filter, as GKE's does where a route's backend is not resolved."""
    config = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "abort": {"http_status": 404, "percentage": {"numerator": 100, "denominator": "HUNDRED"}},
    }
    with _filter(service, "aborted", "envoy.filters.http.fault", config):
        wait_for_answer(service, "completions are aborted", Client.complete, lambda reply: "abort" in reply.body)
        yield
    wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


@contextmanager
def _filter(service: LlmService, name: str, envoy_name: str, config: Object) -> Iterator[None]:
    """A filter before all others of the Gateway's listeners."""
    kube, place = service.kube, service.gateway
    document: Object = {
        "apiVersion": ENVOY_FILTER.api,
        "kind": ENVOY_FILTER.kind,
        "metadata": {
            "name": f"{service.name}-{name.replace('_', '-')}",
            "namespace": place.namespace,
            "labels": made_for(kube.get(NAMESPACE, service.namespace), name),
        },
        "spec": {
            "workloadSelector": {"labels": {"gateway.networking.k8s.io/gateway-name": place.name}},
            "configPatches": [
                {
                    "applyTo": "HTTP_FILTER",
                    "match": {
                        "context": "GATEWAY",
                        "listener": {
                            "filterChain": {"filter": {"name": "envoy.filters.network.http_connection_manager"}}
                        },
                    },
                    "patch": {"operation": "INSERT_FIRST", "value": {"name": envoy_name, "typed_config": config}},
                }
            ],
        },
    }
    try:
        kube.apply(document)
        yield
    finally:
        kube.delete(ENVOY_FILTER, document["metadata"]["name"], place.namespace)
