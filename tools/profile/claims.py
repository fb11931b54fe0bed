"""What profiles promise, in words: one fixed table, and the promises of the mission among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from tools.profile.gateway import (
    Auth,
    Availability,
    Plaintext,
    RoutesFrom,
)
from tools.profile.parts import Isolation, Mesh, Mtls, PodSecurity

if TYPE_CHECKING:
    from tools.profile.model import Profile


@dataclass(frozen=True)
class Claim:
    """Something that a profile may promise.

    Attributes:
        key: short name, for cases and reports.
        when: what a profile says that promises it; empty if every profile does.
        holds: whether a profile promises it.
        sentence: the promise of a profile that does.
    """

    key: str
    when: str
    holds: Callable[[Profile], bool]
    sentence: Callable[[Profile], str]


# What the mission names, by the claim that stands for it.
MISSION = {
    "route": "auto-created HTTPRoute",
    "pool": "auto-created InferencePool",
    "sidecars": "sidecar injection",
    "strict-mtls": "strict mTLS",
    "default-deny": "default-deny NetworkPolicies",
    "gateway": "gateway routing",
    "metrics": "metrics",
    "prometheus": "metrics with Prometheus",
    "budgets": "throughput budgets",
}


def _always(_: Profile) -> bool:
    return True


def _accelerator(profile: Profile) -> str:
    found = profile.accelerator
    labels = ", ".join(f"{key}={value}" for key, value in found.node_labels.items())
    return f"Every replica has {found.count} {found.resource} ({found.name}), on a node with {labels}."


def _picker(profile: Profile) -> str:
    checked = "checking its certificate" if profile.picker.verified else "taking any certificate"
    way = f"over TLS, {checked}," if profile.picker.tls else "without TLS"
    return f"The gateway asks the endpoint picker {way} in mode {profile.picker.failure_mode}."


def _gateway(profile: Profile) -> str:
    reference = profile.gateway.reference
    which = f"Gateway {reference.namespace}/{reference.name}" if reference else "its own Gateway"
    return f"Requests reach the service by {profile.gateway.scheme} at {which} of class {profile.gateway.class_name}."


def _tls(profile: Profile) -> str:
    tls = profile.gateway.tls
    name = tls.host or profile.gateway.host or "the Gateway's address"
    return f"The Gateway serves TLS for {name}, with a certificate that is valid for {tls.days_left} more days."


def _plaintext(profile: Profile) -> str:
    way = "sent to https" if profile.gateway.plaintext is Plaintext.REDIRECT else "not taken"
    return f"Requests over plain HTTP are {way}."


def _routes_from(profile: Profile) -> str:
    which = "its own namespace" if profile.gateway.routes_from is RoutesFrom.SAME else "namespaces that it selects"
    return f"Only routes of {which} attach to the Gateway."


def _available(profile: Profile) -> str:
    found = profile.gateway.availability
    covered = ", covered by a PodDisruptionBudget" if found.disruption_budget else ""
    return f"The gateway has at least {found.replicas} ready proxies{covered}."


def _authorization(profile: Profile) -> str:
    others = "".join(f", pods of namespace {each}" for each in profile.authorization.namespaces)
    return f"AuthorizationPolicies let the Gateway{others} ask the servers, and answer everybody else with 403."


def _budgets(profile: Profile) -> str:
    load = profile.budgets.load
    stated = [
        (load.ttft_p95_ms, "95 % of first tokens within {:g} ms"),
        (load.tpot_p95_ms, "95 % of requests with at most {:g} ms per further token"),
        (load.e2e_p95_ms, "95 % of answers complete within {:g} ms"),
        (load.output_tokens_per_second, "at least {:g} output tokens per second"),
        (load.error_rate, "at most a share of {:g} failed requests"),
    ]
    return f"Under load: {', '.join(text.format(value) for value, text in stated if value is not None)}."


CLAIMS = (
    Claim("route", "", _always, lambda _: "KServe creates the service's HTTPRoute, and the Gateway accepts it."),
    Claim("pool", "", _always, lambda _: "KServe creates the service's InferencePool with its endpoint picker."),
    Claim("gateway", "", _always, _gateway),
    Claim(
        "tls",
        "gateway.tls.terminated: true, or gateway.scheme: https",
        lambda profile: profile.gateway.serves_tls,
        _tls,
    ),
    Claim(
        "no-plaintext",
        "gateway.plaintext: redirect or closed",
        lambda profile: profile.gateway.plaintext is not Plaintext.OPEN,
        _plaintext,
    ),
    Claim(
        "open-access",
        "gateway.auth: none",
        lambda profile: profile.gateway.auth is Auth.NONE,
        lambda _: "The gateway demands no token: whoever reaches it may use the model.",
    ),
    Claim(
        "bearer-token",
        "gateway.auth: bearer",
        lambda profile: profile.gateway.auth is Auth.BEARER,
        lambda _: "The gateway refuses requests without a valid bearer token.",
    ),
    Claim(
        "own-routes-only",
        "gateway.routes_from: same or selected",
        lambda profile: profile.gateway.routes_from is not RoutesFrom.ALL,
        _routes_from,
    ),
    Claim(
        "gateway-availability",
        "gateway.availability: 2 replicas or more, or a budget",
        lambda profile: profile.gateway.availability != Availability(1, False),
        _available,
    ),
    Claim("picker", "", _always, _picker),
    Claim("accelerator", "", _always, _accelerator),
    Claim(
        "sidecars",
        "mesh: sidecar",
        lambda profile: profile.mesh is Mesh.SIDECAR,
        lambda _: "Istio injects a sidecar into every server pod, and none into the endpoint picker's.",
    ),
    Claim(
        "ambient",
        "mesh: ambient",
        lambda profile: profile.mesh is Mesh.AMBIENT,
        lambda _: "Server pods are in the ambient mesh, without sidecars.",
    ),
    Claim(
        "no-mesh",
        "mesh: none",
        lambda profile: profile.mesh is Mesh.NONE,
        lambda _: "Server pods are outside the mesh, without sidecars.",
    ),
    Claim(
        "strict-mtls",
        "mtls: strict",
        lambda profile: profile.mtls is Mtls.STRICT,
        lambda _: "Server pods accept only connections in the mesh's mutual TLS (STRICT).",
    ),
    Claim(
        "permissive-mtls",
        "mtls: permissive",
        lambda profile: profile.mtls is Mtls.PERMISSIVE,
        lambda _: "Server pods accept the mesh's mutual TLS, and plaintext beside it (PERMISSIVE).",
    ),
    Claim(
        "authorization",
        "authorization.enforced: true",
        lambda profile: profile.authorization.enforced,
        _authorization,
    ),
    Claim(
        "pod-security",
        "pod_security: restricted or baseline",
        lambda profile: profile.pod_security is not PodSecurity.NONE,
        lambda profile: f"The service's namespace enforces the Pod Security Standard {profile.pod_security}.",
    ),
    Claim(
        "default-deny",
        "isolation: default-deny",
        lambda profile: profile.isolation is Isolation.DEFAULT_DENY,
        lambda _: "NetworkPolicies deny all traffic of the service's namespace but what the service needs.",
    ),
    Claim(
        "golden-answers",
        "model.golden: at least one",
        lambda profile: bool(profile.golden),
        lambda profile: f"The model goes on with {len(profile.golden)} texts as it did when the profile was written.",
    ),
    Claim(
        "metrics",
        "observability.metrics: true",
        lambda profile: profile.observability.metrics,
        lambda _: "Servers, endpoint picker and proxies expose metrics that count what they did.",
    ),
    Claim(
        "prometheus",
        "observability.prometheus: true",
        lambda profile: profile.observability.prometheus,
        lambda _: "A Prometheus collects these metrics.",
    ),
    Claim(
        "kiali",
        "observability.kiali: true",
        lambda profile: profile.observability.kiali,
        lambda _: "Kiali shows the service.",
    ),
    Claim(
        "jaeger",
        "observability.jaeger: true",
        lambda profile: profile.observability.jaeger,
        lambda _: "Jaeger has traces of its requests.",
    ),
    Claim(
        "budgets",
        "anything under budgets.load",
        lambda profile: any(value is not None for value in astuple(profile.budgets.load)),
        _budgets,
    ),
)
