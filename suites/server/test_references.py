"""What pods refer to is there: what is missing shows only when the next pod starts."""

import pytest

from tools.cases.capabilities import READS_SECRETS
from tools.explain import bullets, check
from tools.faults import specified, starting
from tools.kube import references
from tools.kube.client import Object
from tools.kube.kinds import SECRET, SERVICE_ACCOUNT
from tools.kube.llm_service import LlmService
from tools.kube.server_specs import template
from tools.profile import Profile
from tools.troubles.images import host_of


@pytest.mark.conformance(
    name="server-references-exist",
    level="core",
    requires=[READS_SECRETS],
    fault=[
        specified.pull_secret_removed.shows("there is no Secret", "imagePullSecrets"),
        specified.config_map_missing.shows("there is no ConfigMap no-such-config", "volume more"),
        starting.secret_missing.shows("there is no Secret hf-token"),
        starting.secret_key_missing.shows("has no key token"),
    ],
)
def test_references_exist(service: LlmService) -> None:
    """Every Secret, ConfigMap, claim and ServiceAccount that servers and picker refer to exists, with its keys."""
    for part in ("workload", "picker"):
        deployment = service.child(part)
        wanted = references.references(deployment["spec"]["template"]["spec"])
        for pod in service.pods() if part == "workload" else service.picker_pods():
            wanted += references.references(pod["spec"])
        wrong = references.missing(service.kube, service.namespace, dict.fromkeys(wanted))
        check(
            not wrong,
            f"all that pods of {deployment['metadata']['name']} refer to, in their namespace {service.namespace}",
            bullets(wrong),
            cause="a name or a key is misspelt, or it was made in another namespace: the next pod would not start"
            " (CreateContainerConfigError, FailedMount), or not get its image",
            next_step=service.kubectl("get", "secrets,configmaps,serviceaccounts,persistentvolumeclaims"),
        )


@pytest.mark.conformance(
    name="server-pull-secret-opens-its-registry",
    level="core",
    requires=[READS_SECRETS],
    fault=[
        specified.pull_secret_of_another_registry.shows("registry.example.com", "would not be pulled"),
        specified.pull_secret_removed.shows("no pull Secret has it"),
    ],
)
def test_pull_secret_opens_its_registry(service: LlmService, profile: Profile) -> None:
    """Where the profile names a pull Secret, the servers' pull Secrets have credentials for their image's registry."""
    if profile.secrets.pull is None:
        return
    spec = template(service)
    names = [each["name"] for each in [*spec.pod.get("imagePullSecrets", []), *_of_account(service, spec.pod)]]
    hosts = references.registries(service.kube, service.namespace, names)
    image = spec.container["image"]
    registry = host_of(image)
    check(
        references.opens(hosts, image, registry),
        f"credentials for {registry} among the pull Secrets of {spec.where} or its ServiceAccount: {image}",
        f"no pull Secret has it; {', '.join(names) or 'none'}: for {', '.join(sorted(hosts)) or 'no registry'}",
        cause="the Secret is for another registry, empty, of another type, or in another namespace: on a node that does"
        " not have the image it would not be pulled (401)",
        next_step=service.kubectl("get", SECRET.resource, profile.secrets.pull.name, "-o", "yaml"),
    )


def _of_account(service: LlmService, spec: Object) -> list[Object]:
    account = service.kube.find(SERVICE_ACCOUNT, spec.get("serviceAccountName", "default"), service.namespace)
    return list((account or {}).get("imagePullSecrets", []))
