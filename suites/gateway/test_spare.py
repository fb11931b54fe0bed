"""What the Gateway's class does for any Gateway that asks for it, seen at one that disturbs nobody."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Event

import pytest

from fixtures.measure import Record
from fixtures.spare import SpareGateway
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import spare as faults
from tools.kube import gateways
from tools.kube.kinds import DISRUPTION_BUDGET
from tools.manifests.spare import GUARDED
from tools.openai.access import refused
from tools.openai.client import Client
from tools.openai.expect import expect_status, violation
from tools.openai.plaintext import trouble
from tools.profile.gateway import Plaintext
from tools.tls import leaf
from tools.tls.handshake import shake
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

# Made-up, in the form of the W3C's trace context.
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def spare_client(request: pytest.FixtureRequest, spare: SpareGateway) -> Iterator[Client]:
    """A client of the spare Gateway over TLS."""
    client = spare.connection.client(spare.url, f"llmisvc-conformance ({request.node.name})")
    yield client
    client.close()


@pytest.fixture
def plain_client(request: pytest.FixtureRequest, spare: SpareGateway) -> Iterator[Client]:
    """The same over plain HTTP."""
    plain = replace(spare.connection, ca_file=None)
    client = plain.client(spare.plain_url, f"llmisvc-conformance ({request.node.name})")
    yield client
    client.close()


@pytest.mark.conformance(
    name="gateway-redirects-to-https",
    level="core",
    requires=[claimed("tls")],
    fault=faults.redirect_removed.shows("answered over plain HTTP", "HTTP 200"),
    checks=["tls"],
)
def test_redirects(plain_client: Client, spare_client: Client) -> None:
    """A Gateway with a route that redirects answers nothing over plain HTTP, and sends clients to https."""
    expect_status(spare_client.get("/echo?msg=hello"), 200, "an answer over TLS, as a control")
    for reply in (plain_client.get("/echo"), plain_client.post("/v1/completions", {"prompt": "secret"})):
        if wrong := trouble(reply, Plaintext.REDIRECT):
            raise violation(reply, "plain HTTP to be redirected to https", wrong)


@pytest.mark.conformance(
    name="gateway-demands-a-token",
    level="core",
    fault=faults.token_not_demanded.shows("without a token", "let in", "HTTP 200"),
    checks=["gateway"],
)
def test_demands_a_token(spare: SpareGateway, spare_client: Client) -> None:
    """Where a token is demanded, requests without one, with an ended one or with another issuer's are refused."""
    path = f"{GUARDED}/echo"
    good, ended = spare.issuer.token("somebody"), spare.issuer.token("somebody", seconds=-600)
    forged = type(spare.issuer)(spare.issuer.name).token("somebody")
    expect_status(spare_client.get("/echo?msg=hello"), 200, "a path for which no token is demanded, as a control")
    tries = {"without a token": {}, "with an ended token": _bearer(ended), "with a forged token": _bearer(forged)}
    for what, headers in tries.items():
        reply = spare_client.get(path, headers)
        if wrong := refused(reply):
            step = spare.kubectl("get", "requestauthentications,authorizationpolicies", "-o", "yaml")
            raise violation(reply, f"a request {what} to be refused (401 or 403)", wrong, next_step=step)
    expect_status(spare_client.get(path, _bearer(good)), 200, "a request with a good token to be let in")


@pytest.mark.conformance(
    name="gateway-carries-trace-headers",
    level="core",
    fault=faults.headers_dropped.shows("traceparent", "was sent"),
    checks=["gateway"],
)
def test_carries_trace_headers(spare_client: Client) -> None:
    """What clients send to find a request again (x-request-id, traceparent) reaches what is behind the Gateway."""
    seen = spare_client.get("/header?key=Traceparent", {"Traceparent": _TRACE})
    expect_status(seen, 200, "what is behind the Gateway to answer")
    same = seen.body.strip().split("-")[1:2] == _TRACE.split("-")[1:2]
    wrong = [] if same else [f"traceparent {_TRACE} was sent, {seen.body.strip() or 'none'} came"]
    identity = spare_client.get("/header?key=X-Request-Id")
    wrong += [] if identity.body.strip() else ["x-request-id was sent, and none came"]
    scheme = spare_client.get("/header?key=X-Forwarded-Proto").body.strip()
    wrong += [] if scheme == "https" else [f"x-forwarded-proto is {scheme or 'unsaid'} for a request over TLS"]
    check(
        not wrong,
        "a request's trace, an x-request-id and x-forwarded-proto behind the Gateway",
        bullets(wrong),
        cause="a filter or a header rule of the gateway removes them, or it begins traces of its own",
        next_step=seen.request.curl,
    )


@pytest.mark.conformance(
    name="gateway-takes-a-new-certificate",
    level="core",
    requires=[claimed("tls")],
    fault=faults.certificate_held.shows("serves certificate", "was put into its Secret"),
    checks=["tls"],
)
def test_rotation(spare: SpareGateway, record: Record) -> None:
    """A certificate that is put into the Secret is served soon, without a restart and without a failed request."""
    new = spare.certificate()
    wanted = leaf.read_pem(new.certificate)

    def served() -> None:
        found = shake(spare.front)
        now = leaf.read(found.leaf) if found.leaf else None
        check(
            now is not None and now.fingerprint == wanted.fingerprint,
            f"{wanted} to be served, as it was put into its Secret",
            f"the Gateway serves {now or found.summary}; {wanted} was put into its Secret",
            cause="istiod does not send the renewed Secret (SDS), or something gives the proxies another certificate",
            next_step=spare.front.openssl,
        )

    with _asking(spare) as failures:
        spare.install(new)
        settled = eventually("a new certificate to be served", served, budget=seconds("certificate-served"))
    record("time until a new certificate is served", settled.seconds, settled.budget)
    check(
        not failures,
        "every request to be answered while the certificate changes",
        bullets(failures[:5]),
        cause="the listener was drained and made anew: the certificate is not sent by SDS",
        next_step=spare.front.openssl,
    )


@pytest.mark.conformance(
    name="gateway-proxies-are-as-many-as-asked",
    level="core",
    fault=faults.parameters_dropped.shows("1 ready proxies", "parametersRef"),
    checks=["gateway"],
)
def test_as_many_as_asked(spare: SpareGateway) -> None:
    """Replicas and a PodDisruptionBudget that a Gateway asks for (parametersRef) are given to its proxies."""

    def given() -> None:
        found = gateways.proxies(spare.kube, spare.place)
        budgets = spare.kube.objects(DISRUPTION_BUDGET, spare.place.namespace)
        wrong = gateways.unavailable(found, budgets, spare.replicas, budget=True)
        check(
            not wrong,
            f"{spare.replicas} ready proxies of Gateway {spare.place}, covered by a PodDisruptionBudget",
            bullets(wrong),
            cause="spec.infrastructure.parametersRef is missing or not taken, and a drain of the node is an outage",
            next_step=spare.kubectl("get", "deployments,poddisruptionbudgets,gateways", "-o", "yaml"),
        )

    eventually("as many proxies as asked for", given, budget=seconds("throwaway-ready"), in_a_row=1)


@contextmanager
def _asking(spare: SpareGateway) -> Iterator[list[str]]:
    """Requests all the time, each over a connection of its own; a list of those that failed."""
    failures: list[str] = []
    ended = Event()

    def ask() -> None:
        client = spare.connection.client(spare.url, "llmisvc-conformance (meanwhile)")
        try:
            while not ended.is_set():
                reply = client.get("/echo?msg=hello")
                if reply.status != 200:
                    failures.append(reply.summary)
        finally:
            client.close()

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield failures
        finally:
            ended.set()
            asking.result()


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
