"""Puts rendered manifests where a run wants them: namespace, name, Gateway, labels. Pure, and nothing left behind."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tools.errors import UserError
from tools.manifests import Document, names
from tools.manifests.names import picker_service

SERVICE = "LLMInferenceService"


@dataclass(frozen=True)
class GatewayRef:
    """A Gateway that a service's route attaches to.

    Attributes:
        name: Gateway.
        namespace: its namespace.
    """

    name: str
    namespace: str


@dataclass(frozen=True)
class Placement:
    """Where manifests go.

    Attributes:
        namespace: everything namespaced goes here.
        suffix: appended to the names of services and of what is theirs, so that two copies can live side by side.
        gateway: a Gateway in place of KServe's default one; None keeps `gateway: {}`.
        labels: put on every object, for example the run's own.
        sidecars: whether the namespace asks Istio for sidecars.
    """

    namespace: str
    suffix: str = ""
    gateway: GatewayRef | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    sidecars: bool = True


def place(documents: Sequence[Document], placement: Placement) -> list[Document]:
    """Copies of documents in their place.

    A service's DestinationRule and ServiceAccount follow its name. Secrets keep theirs: a manifest only refers to them.

    Args:
        documents: as rendered; not changed.
        placement: where to.

    Raises:
        UserError: a kind among them that this does not know how to place.
    """
    services = {each["metadata"]["name"] for each in documents if each["kind"] == SERVICE}
    accounts = {each["metadata"]["name"] for each in documents if each["kind"] == "ServiceAccount"}
    rules = {picker_service(name): name for name in services}
    return [_placed(copy.deepcopy(each), placement, accounts, rules) for each in documents]


def destination_rule(service: str, namespace: str) -> Document:
    """The rule without which the gateway speaks plaintext to a service's endpoint picker, which serves TLS."""
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": f"{service}-epp", "namespace": namespace},
        "spec": {
            "host": picker_service(service),
            "trafficPolicy": {"tls": {"mode": "SIMPLE", "insecureSkipVerify": True}},
        },
    }


def own_gateway(
    service: str,
    namespace: str,
    labels: Mapping[str, str] | None = None,
    *,
    class_name: str = "istio",
    annotations: Mapping[str, str] | None = None,
    infrastructure: Mapping[str, str] | None = None,
    certificate: str = "",
) -> Document:
    """A Gateway for one service alone.

    Args:
        service: whose.
        namespace: where.
        labels: of the Gateway.
        class_name: its class.
        annotations: of the Gateway.
        infrastructure: annotations that its Service gets.
        certificate: Secret of a listener for TLS, which is there beside the one for plain HTTP; empty for none.

    On a shared one, Istio up to 1.31 keys the picker's configuration by route rule name, and KServe >= 0.19 gives the
    rules of every service the same names: a request can be handed to another service's picker (istio#61594).
    """
    same = {"allowedRoutes": {"namespaces": {"from": "Same"}}}
    listeners: list[Document] = [{"name": "http", "port": 80, "protocol": "HTTP", **same}]
    if certificate:
        tls = {"mode": "Terminate", "certificateRefs": [{"name": certificate}]}
        # Without a hostname: KServe would take it for the service's URL, which nobody could resolve.
        listeners.append({"name": "https", "port": 443, "protocol": "HTTPS", "tls": tls, **same})
    metadata: Document = {"name": names.own_gateway(service), "namespace": namespace, "labels": dict(labels or {})}
    spec: Document = {"gatewayClassName": class_name, "listeners": listeners}
    if annotations:
        metadata["annotations"] = dict(annotations)
    if infrastructure:
        spec["infrastructure"] = {"annotations": dict(infrastructure)}
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": metadata, "spec": spec}


def _placed(document: Document, placement: Placement, accounts: set[str], rules: Mapping[str, str]) -> Document:
    kind, metadata = document["kind"], document["metadata"]
    if kind == "Namespace":
        metadata["name"] = placement.namespace
        injection = "enabled" if placement.sidecars else "disabled"
        metadata["labels"] = metadata.get("labels", {}) | {"istio-injection": injection}
    else:
        metadata["namespace"] = placement.namespace
    match kind:
        case "LLMInferenceService":
            _place_service(document, placement, accounts)
        case "ServiceAccount":
            metadata["name"] += placement.suffix
        case "DestinationRule" if document["spec"]["host"] in rules:
            document = destination_rule(rules[document["spec"]["host"]] + placement.suffix, placement.namespace)
        case "Namespace" | "Secret":
            pass
        case "PeerAuthentication" if "selector" not in document["spec"]:
            pass  # for the whole namespace, so it has no name of a service in it
        case _:
            raise UserError(
                "a service's manifests: Namespace, ServiceAccount, Secret, LLMInferenceService and its DestinationRule,"
                " a PeerAuthentication without selector",
                f"{kind} {metadata['name']}",
                cause="it would stay under a name or host that the renamed service no longer has",
                next_step="apply it apart from the service",
            )
    metadata = document["metadata"]
    if placement.labels:
        metadata["labels"] = metadata.get("labels", {}) | dict(placement.labels)
    return document


def _place_service(document: Document, placement: Placement, accounts: set[str]) -> None:
    document["metadata"]["name"] += placement.suffix
    spec = document["spec"]
    template = spec.get("template", {})
    if template.get("serviceAccountName") in accounts:
        template["serviceAccountName"] += placement.suffix
    if placement.gateway is not None:
        reference = {"name": placement.gateway.name, "namespace": placement.gateway.namespace}
        spec.setdefault("router", {})["gateway"] = {"refs": [reference]}
