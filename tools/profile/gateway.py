"""The part of a profile that is about the Gateway. As in `tools.profile.parts`, nothing here has a default."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tools.manifests.place import GatewayRef


class Scheme(StrEnum):
    """How clients speak to the gateway."""

    HTTP = "http"
    HTTPS = "https"


class Plaintext(StrEnum):
    """What the gateway does with requests over plain HTTP.

    Attributes:
        OPEN: it serves them.
        REDIRECT: it sends clients to https.
        CLOSED: nothing listens.
    """

    OPEN = "open"
    REDIRECT = "redirect"
    CLOSED = "closed"


class Auth(StrEnum):
    """What the gateway demands of whoever sends a request."""

    NONE = "none"
    BEARER = "bearer"


class RoutesFrom(StrEnum):
    """Which namespaces' routes may attach to the Gateway, as in its allowedRoutes."""

    SAME = "same"
    SELECTED = "selected"
    ALL = "all"


@dataclass(frozen=True)
class GatewayTls:
    """TLS at the Gateway.

    Attributes:
        terminated: whether a listener terminates it.
        host: name that clients of that listener ask for and check; empty for the Gateway's `host`, or the address.
        days_left: for which the certificate must be valid.
    """

    terminated: bool
    host: str
    days_left: int


@dataclass(frozen=True)
class Availability:
    """What keeps the gateway's proxies available.

    Attributes:
        replicas: that are ready, at least.
        disruption_budget: whether a PodDisruptionBudget covers them.
    """

    replicas: int
    disruption_budget: bool


@dataclass(frozen=True)
class Gateway:
    """The Gateway, and how clients reach it.

    Attributes:
        class_name: GatewayClass.
        controller: `spec.controllerName` of that class.
        annotations: of a Gateway that the run makes.
        infrastructure_annotations: its `spec.infrastructure.annotations`, which its Service gets.
        reference: an existing Gateway; None for one that the run makes for each service.
        scheme: how clients speak to it.
        host: Host header and SNI in place of the address; empty for the address.
        proxy: URL of a proxy for clients; empty for none.
        address_type: of its addresses, as in `status.addresses`; empty for any.
        tls: at the Gateway.
        plaintext: what becomes of plain HTTP.
        auth: what it demands of clients.
        routes_from: which namespaces' routes may attach.
        availability: of its proxies.
    """

    class_name: str
    controller: str
    annotations: Mapping[str, str]
    infrastructure_annotations: Mapping[str, str]
    reference: GatewayRef | None
    scheme: Scheme
    host: str
    proxy: str
    address_type: str
    tls: GatewayTls
    plaintext: Plaintext
    auth: Auth
    routes_from: RoutesFrom
    availability: Availability

    @property
    def serves_tls(self) -> bool:
        """Whether clients are promised TLS: by a listener beside plain HTTP, or as the way to the service."""
        return self.tls.terminated or self.scheme is Scheme.HTTPS
