"""What the mesh's policies do, tried on a service that nobody else uses: modes of mutual TLS, and who may ask."""

from collections.abc import Iterator

import pytest

from fixtures.canary import probe_image
from fixtures.measure import Record
from fixtures.options import settings_of
from fixtures.throwaway import Throwaway
from suites.mesh.asked import Asked
from suites.mesh.mutual import met
from suites.pool.asking import asking_when_it_answers
from tools.cases.capabilities import CONTROLLERS, MESH_POLICIES, READS_AUTHORIZATIONS, THROUGH
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import authorization as faults
from tools.kube.askers import OUTSIDER
from tools.kube.kinds import AUTHORIZATION_POLICY, PEER_AUTHENTICATION
from tools.manifests import Document
from tools.mesh.allowance import NAME
from tools.mesh.authorization import DENIED
from tools.probe.verdict import Verdict
from tools.profile import Mtls, Profile
from tools.reach.enforced import Untold
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

_MODE = "mode-of-the-namespace"


@pytest.fixture(scope="module")
def asked(pytestconfig: pytest.Config, throwaway: Throwaway, profile: Profile) -> Iterator[Asked]:
    """A service with one server, once it answers, in a namespace whose mutual TLS is STRICT."""
    if not (image := probe_image(settings_of(pytestconfig))):
        raise Untold("no image for pods that ask is known on this cluster; next: --probe-image IMAGE@DIGEST")
    with throwaway("mesh", _strict, replicas=1) as other, asking_when_it_answers(other, profile) as client:
        yield Asked(other, client, image)


# It takes an accelerator that other cases need.
@pytest.mark.alone
@pytest.mark.conformance(
    name="mesh-authorization-holds",
    level="core",
    requires=[claimed("sidecars"), MESH_POLICIES, READS_AUTHORIZATIONS, THROUGH, CONTROLLERS],
    fault=[
        faults.rules_lost.shows("the gateway gets", DENIED, f"{NAME} allows nobody"),
        faults.selects_nobody.shows("a stranger in the mesh is answered with", "no AuthorizationPolicy selects"),
    ],
    checks=["authorization"],
)
def test_authorization_holds(asked: Asked, record: Record) -> None:
    """Whom a policy lets ask is answered, everybody else in the mesh is 403 by it, and nobody comes in beside TLS."""
    step = asked.service.kubectl("get", AUTHORIZATION_POLICY.resource, "-o", "yaml")
    with asked.stranger() as pod:
        first = asked.by(pod)
        check(
            first.verdict is Verdict.HTTP and "data" in first.said,
            "a stranger in the mesh to be answered where no policy forbids it, or its refusal would prove nothing",
            first.summary,
            cause="its sidecar has no configuration yet, or the Service of the servers leads nowhere",
            next_step=step,
        )
        with asked.allowance():

            def holds() -> None:
                wrong = [*asked.gateway_trouble(), *asked.stranger_trouble(pod)]
                wrong += [line for each in met(asked.service) for line in each.trouble(Mtls.STRICT)]
                check(
                    not wrong,
                    f"the gateway to be answered, a stranger in the mesh to get 403 {DENIED!r} by AuthorizationPolicy"
                    f" {NAME}, and {OUTSIDER.who} to be cut by STRICT",
                    bullets(wrong),
                    cause="a policy has no rule for who asks, or selects by labels that servers do not have; ALLOW"
                    " without rules allows nobody, and no policy at all allows everybody",
                    next_step=step,
                )

            settled = eventually("the policy to be in effect", holds, budget=seconds("policy-of-mesh"), in_a_row=2)
    record("time until an AuthorizationPolicy is felt", settled.seconds, settled.budget)


# It takes an accelerator that other cases need.
@pytest.mark.alone
@pytest.mark.conformance(
    name="mesh-permissive-takes-both",
    level="core",
    requires=[claimed("sidecars"), MESH_POLICIES, READS_AUTHORIZATIONS, THROUGH, CONTROLLERS],
    fault=[
        faults.permission_undone.shows("plaintext is RESET", "demanded is STRICT", "of the namespace"),
        faults.permission_without_tls.shows("the gateway gets", DENIED, "come with the mesh's certificate"),
    ],
    checks=["sidecars"],
)
def test_permissive_takes_both(asked: Asked, record: Record) -> None:
    """PERMISSIVE lets plaintext in beside mutual TLS, and takes nothing from either; STRICT is seen not to be kept."""
    service, step = asked.service, asked.service.kubectl("get", PEER_AUTHENTICATION.resource, "-o", "yaml")

    def both() -> None:
        found = met(service)
        wrong = [*(line for each in found for line in each.trouble(Mtls.PERMISSIVE)), *asked.gateway_trouble()]
        check(
            not wrong,
            "plaintext from outside the mesh, and the gateway, to be answered under PERMISSIVE",
            bullets(wrong),
            cause="another PeerAuthentication is narrower, or something changes what is written",
            next_step=step,
        )

    def encrypted() -> None:
        wrong = asked.gateway_trouble()
        wrong += [
            f"{each.pod}: plaintext is {each.answer.summary}, and has no identity"
            for each in met(service)
            if each.answer.status != 403
        ]
        check(
            not wrong,
            f"the gateway to be let in by its identity, which only TLS shows, and plaintext to be 403 {DENIED!r}",
            bullets(wrong),
            cause="the gateway does not come with the mesh's certificate: mutual TLS is off, and all is in clear",
            next_step=step,
        )

    _write_mode(asked, "PERMISSIVE")
    try:
        settled = eventually("both to be answered", both, budget=seconds("policy-of-mesh"), in_a_row=2)
        # A profile that promises STRICT is not kept here, and the suite sees it.
        unseen = [each.pod for each in met(service) if not each.trouble(Mtls.STRICT)]
        check(not unseen, "the promise STRICT to be found broken under PERMISSIVE", f"it is taken for kept: {unseen}")
        with asked.allowance():
            eventually("only mutual TLS to have an identity", encrypted, budget=seconds("policy-of-mesh"), in_a_row=2)
        demanded = str(met(service)[0].demand)
    finally:
        _write_mode(asked, "STRICT")
    record("time until PERMISSIVE is felt", settled.seconds, settled.budget, note=f"demanded is {demanded}")


def _strict(made: list[Document]) -> list[Document]:
    """Whatever the profile promises: the namespace's one mode is the case's own."""
    service = next(each for each in made if each["kind"] == "LLMInferenceService")
    kept = [each for each in made if each["kind"] != PEER_AUTHENTICATION.kind]
    return [*kept, _mode(service["metadata"]["namespace"], "STRICT")]


def _write_mode(asked: Asked, mode: str) -> None:
    asked.service.kube.apply(_mode(asked.service.namespace, mode))


def _mode(namespace: str, mode: str) -> Document:
    return {
        "apiVersion": PEER_AUTHENTICATION.api,
        "kind": PEER_AUTHENTICATION.kind,
        "metadata": {"name": _MODE, "namespace": namespace},
        "spec": {"mtls": {"mode": mode}},
    }
