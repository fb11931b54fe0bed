"""Everything that a run applies for a service under test: its manifests in their place, its Gateway, its reader."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.kube.llm_service import Place
from tools.manifests import Document, names
from tools.manifests.metrics_reader import metrics_reader
from tools.manifests.place import GatewayRef, Placement, own_gateway, place
from tools.manifests.render import render
from tools.profile import Mesh, Profile
from tools.tls.authority import Authority, tls_secret


@dataclass(frozen=True)
class Release:
    """A profile's service in a namespace of the run.

    Attributes:
        profile: what is promised.
        namespace: where.
        labels: put on every object.
        authority: signs the certificate of its own Gateway, if that is to serve TLS; None leaves the listener out.
    """

    profile: Profile
    namespace: str
    labels: Mapping[str, str]
    authority: Authority | None = None

    @property
    def gateway(self) -> Place:
        """The Gateway that its route attaches to: the profile's, or one of its own."""
        reference = self.profile.gateway.reference
        if reference is not None:
            return Place(reference.namespace, reference.name)
        return Place(self.namespace, names.own_gateway(self.profile.service))


def documents(release: Release, kubectl: Path) -> list[Document]:
    """All objects, in no order.

    Args:
        release: what, and where.
        kubectl: the program, for kustomize.

    Raises:
        UserError: the manifests do not render, or have a kind that cannot be placed.
    """
    profile, labels = release.profile, dict(release.labels)
    gateway = release.gateway
    placement = Placement(
        release.namespace,
        gateway=GatewayRef(gateway.name, gateway.namespace),
        labels=labels,
        sidecars=profile.mesh is Mesh.SIDECAR,
    )
    placed = place(render(profile.manifests, kubectl), placement)
    own = [] if profile.gateway.reference else _own_gateway(release)
    return [*placed, *own, *metrics_reader(release.namespace, labels)]


def _own_gateway(release: Release) -> list[Document]:
    wanted, service = release.profile.gateway, release.profile.service
    secrets = []
    if release.authority is not None and wanted.tls.terminated:
        issued = release.authority.issue([wanted.tls.host])
        secrets = [tls_secret(names.gateway_certificate(service), release.namespace, issued, release.labels)]
    gateway = own_gateway(
        release.profile.service,
        release.namespace,
        release.labels,
        class_name=wanted.class_name,
        annotations=wanted.annotations,
        infrastructure=wanted.infrastructure_annotations,
        certificate=secrets[0]["metadata"]["name"] if secrets else "",
    )
    return [*secrets, gateway]
