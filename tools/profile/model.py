"""A profile: what a release promises. The files are manifests/profiles/, their keys are in schema.yaml there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.profile.claims import CLAIMS
from tools.profile.gateway import Gateway
from tools.profile.parts import (
    Accelerator,
    Authorization,
    Budgets,
    Controllers,
    Golden,
    Isolation,
    Mesh,
    Mtls,
    Observability,
    Picker,
    PodSecurity,
    Secrets,
    Signoff,
)


@dataclass(frozen=True)
class Profile:
    """What a release promises.

    Attributes:
        name: the file's name without suffix.
        file: where it was read from.
        sha256: of the file, in hexadecimal digits.
        accelerator: what a replica runs on.
        mesh: how server pods take part in the mesh.
        mtls: what the mesh demands of connections to them.
        authorization: who may ask them, by who they are in the mesh.
        pod_security: which Pod Security Standard the namespace enforces.
        picker: the endpoint picker.
        gateway: the Gateway, and how clients reach it.
        isolation: how NetworkPolicies isolate the service's namespace.
        observability: what can be seen of the service in operation.
        model: name that requests use.
        golden: answers that the model gives in this release.
        manifests: kustomize directory with the service under test.
        service: the LLMInferenceService in it.
        server_image: image of the server's container.
        secrets: that the service needs.
        namespaces: where the controllers run.
        deployments: the controllers' Deployments there.
        versions: accepted range of versions by component, for example `kserve: ">=0.19,<0.20"`; others are not asked.
        identity: UID of the cluster's namespace kube-system; empty where the profile is for any cluster.
        budgets: what things may take.
        signoff: when a run may be signed off.
    """

    name: str
    file: Path
    sha256: str
    accelerator: Accelerator
    mesh: Mesh
    mtls: Mtls
    authorization: Authorization
    pod_security: PodSecurity
    picker: Picker
    gateway: Gateway
    isolation: Isolation
    observability: Observability
    model: str
    golden: tuple[Golden, ...]
    manifests: Path
    service: str
    server_image: str
    secrets: Secrets
    namespaces: Controllers
    deployments: Controllers
    versions: Mapping[str, str]
    identity: str
    budgets: Budgets
    signoff: Signoff

    def claims(self) -> dict[str, str]:
        """What the profile promises: the claim's key (see `tools.profile.CLAIMS`) to one sentence."""
        return {claim.key: claim.sentence(self) for claim in CLAIMS if claim.holds(self)}
