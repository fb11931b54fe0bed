"""Who may ask the servers, by the policies that are there, and by what the gateway gets."""

import pytest

from tools.cases.capabilities import CONTROLLERS, READS_AUTHORIZATIONS
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import authorization as faults
from tools.kube import pods
from tools.kube.askers import OUTSIDER, STRANGER, gateway_of, of_namespace, policies
from tools.kube.kinds import AUTHORIZATION_POLICY
from tools.kube.llm_service import LlmService
from tools.kube.picker_path import SIDECAR
from tools.mesh.authorization import DENIED, Ruling, ruled, vain
from tools.openai.client import Client
from tools.profile import Profile


@pytest.mark.conformance(
    name="mesh-authorization-is-as-promised",
    level="core",
    requires=[claimed("sidecars"), READS_AUTHORIZATIONS, CONTROLLERS],
    fault=[
        faults.gateway_denied.shows(DENIED, "-gateway-denied denies the gateway"),
        faults.allowed_to_nobody.shows(DENIED, "-allowed-to-nobody allows nobody"),
    ],
    checks=["authorization"],
)
def test_as_promised(service: LlmService, profile: Profile, client: Client) -> None:
    """Policies let the gateway ask the servers, and where the profile says so, nobody but it and whom it names.

    Of a refusal the answer says no more than 403: the policy is named here.
    """
    found, root = policies(service), service.istiod.namespace
    promised = profile.authorization
    may = [gateway_of(service), *(of_namespace(each) for each in promised.namespaces if promised.enforced)]
    may_not = [STRANGER, OUTSIDER] if promised.enforced else []
    wrong = []
    for pod in service.servers():
        said = {asking: ruled(found, pod, asking, root) for asking in (*may, *may_not)}
        wrong += [str(said[each]) for each in may if said[each].ruling is Ruling.DENIED]
        wrong += [f"{each} is not refused: {said[each]}" for each in may_not if said[each].ruling is not Ruling.DENIED]
    for pod in service.picker_pods():
        wrong += [] if pods.container(pod, SIDECAR) else vain(found, pod, root)
    reply = client.complete()
    if DENIED in reply.body:
        by = "" if wrong else ", and no policy of the servers says so: one at the Gateway does"
        wrong.insert(0, f"{reply.summary}: {DENIED}{by}")
    others = ", and nobody besides whom the profile names" if promised.enforced else ""
    check(
        not wrong,
        f"the gateway to be let in by the servers' AuthorizationPolicies{others}",
        bullets(list(dict.fromkeys(wrong))),
        cause="a DENY counts whatever an ALLOW says; with one ALLOW for a pod only whom a rule"
        " names may ask, so that one without rules lets nobody, and with none everybody may",
        next_step=service.kube.kubectl("get", AUTHORIZATION_POLICY.resource, "-A", "-o", "yaml"),
    )
