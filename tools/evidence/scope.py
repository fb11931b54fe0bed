"""Which objects of the cluster belong to a subject."""

from functools import partial

from tools.evidence.reading import Reader, Unread
from tools.evidence.subject import Subject
from tools.kube.client import Object
from tools.kube.kinds import GATEWAY, HTTP_ROUTE, POD, Kind
from tools.kube.llm_service import Place

_NAME = "app.kubernetes.io/name"
_PICKER = "llminferenceservice-router-scheduler"
_GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"


def belongs(found: Object, subject: Subject) -> bool:
    """Whether an object is the service's, by its labels or its name. Pure."""
    meta = found["metadata"]
    if not subject.name or meta["name"] == subject.name or meta["name"].startswith(f"{subject.name}-"):
        return True
    return bool((meta.get("labels") or {}).get(_NAME) == subject.name)


def objects(reader: Reader, subject: Subject, kind: Kind) -> list[Object]:
    """The service's objects of a kind; of Gateways, those that its routes attach to.

    Raises:
        Unread: they could not be listed.
    """
    if kind is not GATEWAY:
        return [found for found in reader.objects(kind, subject.namespace) if belongs(found, subject)]
    wanted = gateways(reader, subject)
    found = [
        each for namespace in dict.fromkeys(at.namespace for at in wanted) for each in reader.objects(kind, namespace)
    ]
    return [each for each in found if Place(each["metadata"]["namespace"], each["metadata"]["name"]) in wanted]


def gateways(reader: Reader, subject: Subject) -> list[Place]:
    """Gateways that serve the service.

    Raises:
        Unread: neither they nor the routes could be listed.
    """
    if subject.gateway is not None:
        return [subject.gateway]
    own = subject.namespace
    named = [
        Place(parent.get("namespace", own), parent["name"])
        for route in reader.objects(HTTP_ROUTE, own)
        if belongs(route, subject)
        for parent in route.get("spec", {}).get("parentRefs", [])
        if parent.get("kind", "Gateway") == "Gateway"
    ]
    # One that no route attaches to yet may be the reason for the failure.
    there = [Place(own, each["metadata"]["name"]) for each in _tolerant(reader, own) if belongs(each, subject)]
    return list(dict.fromkeys([*named, *there]))


def gateway_pods(reader: Reader, gateway: Place) -> list[Object]:
    """Pods of a Gateway; none where its data plane runs outside of the cluster.

    Raises:
        Unread: they could not be listed.
    """
    return reader.objects(POD, gateway.namespace, f"{_GATEWAY_NAME}={gateway.name}")


def all_pods(reader: Reader, subject: Subject) -> tuple[list[Object], list[str]]:
    """Pods of the service and of its gateways, by name, and why some could not be listed."""
    found: dict[tuple[str, str], Object] = {}
    trouble: list[str] = []
    reads = [partial(objects, reader, subject, POD)]
    try:
        reads += [partial(gateway_pods, reader, gateway) for gateway in gateways(reader, subject)]
    except Unread as error:
        trouble.append(f"({error})")
    for read in reads:
        try:
            found |= {(pod["metadata"]["namespace"], pod["metadata"]["name"]): pod for pod in read()}
        except Unread as error:
            trouble.append(f"({error})")
    return [found[key] for key in sorted(found)], trouble


def picker_pods(reader: Reader, subject: Subject) -> list[Object]:
    """Pods of the service's endpoint picker.

    Raises:
        Unread: they could not be listed.
    """
    return [
        pod
        for pod in objects(reader, subject, POD)
        if (pod["metadata"].get("labels") or {}).get("app.kubernetes.io/component") == _PICKER
    ]


def _tolerant(reader: Reader, namespace: str) -> list[Object]:
    try:
        return reader.objects(GATEWAY, namespace)
    except Unread:
        return []
