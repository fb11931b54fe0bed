"""Faults of the Gateway that cases have beside the service's, in a namespace of its own (tools/manifests/spare.py)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tools.explain import Violation
from tools.faults.common import recreatable
from tools.faults.envoy import filtered_at, lua, tls
from tools.faults.fault import fault
from tools.kube import gateways
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge
from tools.kube.kinds import AUTHORIZATION_POLICY, DEPLOYMENT, GATEWAY, HTTP_ROUTE, Kind
from tools.kube.llm_service import LlmService, Place
from tools.manifests import names, spare
from tools.openai.client import Client
from tools.tls import leaf
from tools.tls.authority import own
from tools.tls.front import front_at
from tools.tls.handshake import shake
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_DROPPING = """
function envoy_on_request(handle)
  handle:headers():remove("traceparent")
end
"""


@fault()
def redirect_removed(service: LlmService) -> Iterator[None]:
    """What was redirected to https is served over plain HTTP, too."""
    kube, namespace = service.kube, names.beside(service.namespace)
    before = kube.get(HTTP_ROUTE, "spare", namespace)["spec"]["parentRefs"]
    opened = [{key: value for key, value in each.items() if key != "sectionName"} for each in before]
    with _deleted(service, HTTP_ROUTE, spare.REDIRECT):
        try:
            kube.patch(HTTP_ROUTE, "spare", namespace, {"spec": {"parentRefs": opened}})
            _answers(service, "answers over plain HTTP", "http", "/echo")
            yield
        finally:
            kube.patch(HTTP_ROUTE, "spare", namespace, {"spec": {"parentRefs": before}})


@fault()
def token_not_demanded(service: LlmService) -> Iterator[None]:
    """The AuthorizationPolicy that demands a token is gone."""
    with _deleted(service, AUTHORIZATION_POLICY, "spare"):
        _answers(service, "answers without a token", "https", f"{spare.GUARDED}/echo")
        yield


@fault()
def headers_dropped(service: LlmService) -> Iterator[None]:
    """The proxies take away the header that a trace is found by."""
    client = _client(service)

    def dropped() -> None:
        told = client.get("/header?key=Traceparent", {"Traceparent": "00-1-1-01"})
        if told.status == 200 and told.body.strip():
            raise Violation("no traceparent behind the Gateway", told.summary)

    try:
        with filtered_at(service, _place(service), "headers_dropped", [lua(_DROPPING)]):
            eventually("headers to be dropped", dropped, budget=seconds("fault-effect"), in_a_row=2)
            yield
    finally:
        client.close()


@fault()
def certificate_held(service: LlmService) -> Iterator[None]:
    """The proxies are told to serve one certificate for ever, whatever is in the Secret."""
    pair, place = own().issue([spare.HOST]), _place(service)
    mine = leaf.read_pem(pair.certificate).fingerprint
    front = front_at(service.kube.get(GATEWAY, place.name, place.namespace), service)
    front = replace(front, host=spare.HOST)

    def served() -> None:
        found = shake(front)
        if not found.leaf or leaf.read(found.leaf).fingerprint != mine:
            raise Violation("the other certificate to be served", found.summary)

    with filtered_at(service, place, "certificate_held", [tls(pair)]):
        eventually("one certificate to be served", served, budget=seconds("fault-effect"))
        yield


@fault()
def parameters_dropped(service: LlmService) -> Iterator[None]:
    """The Gateway no longer asks for more than one proxy, nor for a budget."""
    kube, place = service.kube, _place(service)
    before = kube.get(GATEWAY, place.name, place.namespace)["spec"]["infrastructure"]
    deployment = gateways.deployments(kube, place)[0]["metadata"]["name"]
    try:
        kube.patch(GATEWAY, place.name, place.namespace, {"spec": {"infrastructure": {"parametersRef": None}}})
        _until(service, Selection(DEPLOYMENT, place.namespace, deployment), 1)
        yield
    finally:
        kube.patch(GATEWAY, place.name, place.namespace, {"spec": {"infrastructure": before}})
        _until(service, Selection(DEPLOYMENT, place.namespace, deployment), spare.REPLICAS)


def _until(service: LlmService, chosen: Selection, replicas: int) -> None:
    def decide(found: list[Object]) -> str:
        ready = found[0].get("status", {}).get("readyReplicas", 0) if found else 0
        return "" if ready == replicas else f"{ready} are ready"

    converge(service.kube, f"{replicas} ready proxies", chosen, decide, budget=seconds("fault-recovery"))


def _place(service: LlmService) -> Place:
    return Place(names.beside(service.namespace), spare.NAME)


def _answers(service: LlmService, what: str, scheme: str, path: str) -> None:
    """Wait until each of the Gateway's proxies answers with 200: istiod tells one after the other."""

    def shows() -> None:
        client = _client(service, scheme)
        try:
            told = client.get(path)
            if told.status != 200:
                raise Violation(what, told.summary)
        finally:
            client.close()

    # A connection each, and the load balancer takes its proxies in turn.
    eventually(what, shows, budget=seconds("fault-effect"), in_a_row=2 * spare.REPLICAS)


def _client(service: LlmService, scheme: str = "https") -> Client:
    place = _place(service)
    address = gateways.addresses(service.kube.get(GATEWAY, place.name, place.namespace))[0][1]
    way = replace(service.connection.over_tls(), host=spare.HOST, token=None)
    return way.client(f"{scheme}://{address}", "llmisvc-conformance (fault)")


@contextmanager
def _deleted(service: LlmService, kind: Kind, name: str) -> Iterator[None]:
    kube, namespace = service.kube, names.beside(service.namespace)
    before = kube.get(kind, name, namespace)
    try:
        kube.delete(kind, name, namespace)
        yield
    finally:
        kube.apply(recreatable(before))
