"""What the injector makes of the next pod, and what it made of those that run."""

import copy

import pytest

from tools.cases.capabilities import CONTROLLERS, DEPLOY
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import injection as faults
from tools.faults import workload
from tools.kube import gateways
from tools.kube.client import Object
from tools.kube.kinds import DEPLOYMENT, MUTATING_WEBHOOK, NAMESPACE, POD
from tools.kube.llm_service import LlmService
from tools.mesh import injection

_INJECTORS = "app=sidecar-injector"


@pytest.mark.conformance(
    name="mesh-next-pods-are-as-promised",
    level="core",
    requires=[claimed("sidecars"), DEPLOY, CONTROLLERS],
    fault=[
        faults.injection_unlabelled.shows("has neither label istio-injection=enabled", "the next server"),
        faults.injection_by_unknown_tag.shows("nobody injects for revision or tag no-such-tag"),
    ],
    checks=["sidecars"],
)
def test_next_pods(service: LlmService) -> None:
    """A server that is made now gets a sidecar, and a picker none: asked of the API server, with nothing made."""
    kube, namespace = service.kube, service.kube.get(NAMESPACE, service.namespace)
    known = injection.revisions(kube.objects(MUTATING_WEBHOOK, labels=_INJECTORS))
    server, picker = service.child("workload"), service.child("picker")
    wrong = injection.contradictions(namespace)
    if not injection.image(kube.preview(_pod(service, server))):
        labels = server["spec"]["template"]["metadata"].get("labels", {})
        why = injection.lacking(namespace, labels, known) or "the injector does not run, or failed (its log)"
        wrong.append(f"the next server would have no sidecar: {why}")
    if injection.image(kube.preview(_pod(service, picker))):
        wrong.append("the next picker would have a sidecar, which refuses the gateway's stream")
    check(
        not wrong,
        "the next server to get a sidecar, and the next picker none",
        bullets(wrong),
        cause="labels were changed, or the control plane that they name was removed, after the running pods were made",
        next_step=kube.kubectl("get", "namespace", service.namespace, "--show-labels"),
    )


@pytest.mark.conformance(
    name="mesh-sidecars-are-of-istiods-version",
    level="core",
    requires=[claimed("sidecars"), CONTROLLERS],
    fault=[
        faults.sidecar_of_another_version.shows("1.2.3-pinned", "proxyImage"),
        workload.sidecars_missing.shows("has no istio-proxy"),
    ],
    checks=["sidecars"],
)
def test_version(service: LlmService) -> None:
    """Every server's sidecar is of istiod's own version: an upgrade left none behind, and nothing pins another."""
    kube = service.kube
    control = kube.get(DEPLOYMENT, service.istiod.name, service.istiod.namespace)
    expected = gateways.tag(gateways.image(control["spec"]["template"]["spec"], "discovery"))
    wrong = []
    for pod in service.servers():
        found = injection.image(pod)
        if not found:
            wrong.append(f"{pod['metadata']['name']}: has no {injection.SIDECAR}")
        # Set-ups without tags (digests) say nothing of versions.
        elif expected and gateways.tag(found) not in ("", expected):
            wrong.append(f"{pod['metadata']['name']}: {found}, and istiod is {expected}")
    check(
        not wrong,
        f"sidecars of istiod's version, {expected or 'which its image does not tell'}",
        bullets(wrong),
        cause="istiod was upgraded and the servers were not made anew since; or an annotation pins another image"
        " (sidecar.istio.io/proxyImage)",
        next_step=service.kubectl("rollout", "restart", f"deployment/{service.children['workload'][1]}"),
    )


def _pod(service: LlmService, deployment: Object) -> Object:
    """The pod that a Deployment would make next."""
    template = copy.deepcopy(deployment["spec"]["template"])
    metadata = template.get("metadata", {}) | {"generateName": f"{deployment['metadata']['name']}-"}
    return {
        "apiVersion": POD.api,
        "kind": POD.kind,
        "metadata": metadata | {"namespace": service.namespace},
        "spec": template["spec"],
    }
