"""What is around the download: NetworkPolicies that let it out, and the initializer that the platform wants."""

import re

import pytest

from tools.cases.capabilities import READS_POLICIES, READS_STORAGE
from tools.explain import bullets, check
from tools.faults import download as faults
from tools.faults import workload
from tools.kube.client import Object
from tools.kube.download import download
from tools.kube.errors import NotFound
from tools.kube.kinds import CLUSTER_STORAGE_CONTAINER, NETWORK_POLICY
from tools.kube.llm_service import LlmService
from tools.kube.model_hub import hub_of
from tools.netpolicy.egress import egress


@pytest.mark.conformance(
    name="download-may-leave-the-cluster",
    level="core",
    requires=[READS_POLICIES],
    fault=[
        faults.egress_to_pods_only.shows("never an outside address", "the next restart"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
)
def test_policies_let_the_download_out(service: LlmService) -> None:
    """NetworkPolicies let every pod that downloads ask for names and reach the hub: the next restart needs it."""
    hub = hub_of(service.kube)
    policies = service.kube.objects(NETWORK_POLICY, service.namespace)
    wrong = []
    for pod in [*service.servers(), *service.picker_pods()]:
        if download(pod) is None:
            continue
        found = egress(policies, pod, hub.address, hub.port)
        name = pod["metadata"]["name"]
        wrong += [f"{name} does not reach port {hub.port}: {why}" for why in found.why]
        wrong += [] if found.dns else [f"{name} cannot ask for names: no rule of {list(found.policies)} has UDP 53"]
    check(
        not wrong,
        f"policies that let downloads reach {hub.host}, port {hub.port}, an address outside of the cluster, and DNS",
        bullets(wrong),
        cause="what runs goes on, and the next restart cannot download: outside addresses need a rule with an ipBlock, "
        "such as 0.0.0.0/0 without the private ranges",
        next_step=service.kubectl("get", NETWORK_POLICY.resource, "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="download-by-the-platforms-initializer",
    level="extended",
    requires=[READS_STORAGE],
    fault=[
        faults.custom_initializer_ignored.shows("localhost/llmisvc-conformance/hardened:1", "kserve/kserve issue 6024"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
)
def test_platforms_initializer_is_used(service: LlmService) -> None:
    """Where the cluster has a ClusterStorageContainer for the model's scheme, its image is the one that downloads."""
    uri = str(service.read()["spec"]["model"]["uri"])
    wanted = {each["metadata"]["name"]: each for each in _storage_containers(service)}
    images = {name: each["spec"]["container"]["image"] for name, each in wanted.items() if _is_for(each, uri)}
    used = {each.container["image"] for pod in service.servers() if (each := download(pod))}
    ignored = [f"{name} wants {image}" for name, image in images.items() if used and image not in used]
    check(
        not ignored,
        f"{uri} downloaded by the image of every ClusterStorageContainer for it",
        f"{bullets(ignored)}; the server pods use {sorted(used)}",
        cause="LLMInferenceService takes the image of ConfigMap inferenceservice-config and looks at no "
        "ClusterStorageContainer (kserve/kserve issue 6024): a hardened image, or one with an own CA, is silently not "
        "used until it stands there",
        next_step=service.kube.kubectl("-n", service.controller.namespace, "edit", "configmap/inferenceservice-config"),
    )


def _storage_containers(service: LlmService) -> list[Object]:
    try:
        return service.kube.objects(CLUSTER_STORAGE_CONTAINER)
    except NotFound:  # an installation without the kind has none
        return []


def _is_for(container: Object, uri: str) -> bool:
    """Whether a storage container is for a URI, before a pod starts."""
    if container.get("disabled") or container["spec"].get("workloadType", "initContainer") != "initContainer":
        return False
    return any(
        uri.startswith(prefix) if (prefix := each.get("prefix")) else bool(re.match(each.get("regex", "$^"), uri))
        for each in container["spec"].get("supportedUriFormats", [])
    )
