"""What the gateways' Envoys know of the service: clusters, members, failures."""

from collections.abc import Iterator
from functools import partial

from tools.evidence import envoy, scope
from tools.evidence.reading import Reader, guarded
from tools.evidence.subject import Subject
from tools.kube.client import Object


def of_gateways(reader: Reader, subject: Subject) -> Iterator[str]:
    """Clusters of the service in every pod of its gateways."""
    for gateway in scope.gateways(reader, subject):
        for pod in scope.gateway_pods(reader, gateway):
            yield from guarded(partial(_of_pod, reader, subject, gateway.name, pod))


def _of_pod(reader: Reader, subject: Subject, gateway: str, pod: Object) -> Iterator[str]:
    meta = pod["metadata"]
    text = reader.ask_pod(meta["namespace"], meta["name"], envoy.ADMIN_PORT, envoy.CLUSTERS)
    found = envoy.cluster_table(text, subject.namespace, subject.name, gateway)
    yield f"Gateway pod {meta['namespace']}/{meta['name']}"
    yield found or "  it knows no cluster of the service: no route of it was taken, or istiod has not sent it"
