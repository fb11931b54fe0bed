"""Reads profiles: by name from manifests/profiles, or from a file of the user's own."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tools.errors import UserError
from tools.manifests.place import GatewayRef
from tools.paths import CHECKOUT
from tools.profile.gateway import (
    Auth,
    Availability,
    Gateway,
    GatewayTls,
    Plaintext,
    RoutesFrom,
    Scheme,
)
from tools.profile.model import Profile
from tools.profile.parts import (
    Accelerator,
    Authorization,
    Budgets,
    Controllers,
    FailureMode,
    Golden,
    Isolation,
    Kind,
    Load,
    Mesh,
    Mtls,
    Observability,
    Picker,
    PodSecurity,
    SecretReference,
    Secrets,
    Signoff,
)
from tools.profile.versions import is_range
from tools.records import Problem, filled, nearest
from tools.yamlfile import YamlFile, read_yaml

PROFILES = CHECKOUT / "manifests" / "profiles"
SCHEMA = PROFILES / "schema.yaml"
_WHAT = "a profile"
_NEXT = "see docs/profiles.md"


def load_profile(name: str) -> Profile:
    """Read a profile.

    Args:
        name: one of manifests/profiles without suffix, or a path: anything with a slash or ending in .yaml or .yml.

    Raises:
        UserError: there is no such profile, or it is wrong; with everything that is wrong, and where.
    """
    path = _path(name)
    file = read_yaml(path, _WHAT)
    file.check(schema(), _contradictions(file.value), next_step=_NEXT)
    return _profile(file, filled(file.value, schema()))


def profile_names() -> list[str]:
    """The profiles of this checkout."""
    return sorted(each.stem for each in PROFILES.glob("*.yaml") if each != SCHEMA)


@cache
def schema() -> Mapping[str, Any]:
    """What a profile may say: JSON schema with descriptions and defaults."""
    found: dict[str, Any] = yaml.safe_load(SCHEMA.read_text())
    return found


def _path(name: str) -> Path:
    if "/" in name or name.endswith((".yaml", ".yml")):
        return Path(name)
    known = profile_names()
    if name not in known:
        raise UserError(
            f"a profile: {', '.join(known)}",
            f"there is no {name!r}{nearest(name, known)}",
            next_step="name one of these, or a file (with a slash in its path, or the suffix .yaml)",
        )
    return PROFILES / f"{name}.yaml"


def _contradictions(value: Any) -> Iterator[Problem]:
    """What a schema cannot say. The value may be anything: what is of the wrong type is the schema's business."""

    def said(section: str, key: str) -> Any:
        inner = value.get(section) if isinstance(value, dict) else None
        return inner.get(key) if isinstance(inner, dict) else None

    if not isinstance(value, dict):
        return
    if value.get("mtls") in (Mtls.STRICT, Mtls.PERMISSIVE) and value.get("mesh") == Mesh.NONE:
        yield Problem(("mtls",), f"{value['mtls']} needs a mesh, and mesh is none")
    if said("authorization", "enforced") is True and value.get("mesh") != Mesh.SIDECAR:
        yield Problem(("authorization", "enforced"), "needs mesh: sidecar, or nobody looks at who asks")
    if said("observability", "prometheus") is True and said("observability", "metrics") is not True:
        yield Problem(("observability", "prometheus"), "needs metrics: true, or it would have nothing to collect")
    if said("gateway", "reference"):
        for key in ("annotations", "infrastructure_annotations"):
            if said("gateway", key):
                yield Problem(("gateway", key), "are for a Gateway that the run makes; the one of `reference` is there")
    yield from _contradictions_of_tls(said)
    versions = value.get("versions")
    for component, text in versions.items() if isinstance(versions, dict) else ():
        if isinstance(text, str) and not is_range(text):
            yield Problem(("versions", component), f'{text!r} is not a range, for example ">=1.28,<1.32"')
    manifests = said("service", "manifests")
    if isinstance(manifests, str) and manifests and not (CHECKOUT / manifests / "kustomization.yaml").is_file():
        yield Problem(("service", "manifests"), f"no kustomization.yaml in {CHECKOUT / manifests}")


def _contradictions_of_tls(said: Callable[[str, str], Any]) -> Iterator[Problem]:
    tls = said("gateway", "tls")
    terminated = isinstance(tls, dict) and tls.get("terminated") is True
    plaintext = said("gateway", "plaintext")
    if plaintext in (Plaintext.REDIRECT, Plaintext.CLOSED) and said("gateway", "scheme") != Scheme.HTTPS:
        yield Problem(("gateway", "plaintext"), f"{plaintext} needs scheme: https, or clients would be turned away")
    if terminated and not said("gateway", "reference") and not tls.get("host"):
        yield Problem(("gateway", "tls", "host"), "the run's own Gateway needs a name for its certificate")
    if said("gateway", "scheme") == Scheme.HTTPS and not terminated and not said("gateway", "reference"):
        yield Problem(("gateway", "scheme"), "https needs tls.terminated: true, or the run's own Gateway has no TLS")
    if said("picker", "verified") is True and said("picker", "tls") is False:
        yield Problem(("picker", "verified"), "needs tls: true, or there is no certificate to check")


def _profile(file: YamlFile, value: Mapping[str, Any]) -> Profile:
    """The profile of a valid document with all defaults."""
    accelerator, picker, budgets = value["accelerator"], value["picker"], value["budgets"]
    return Profile(
        name=file.path.stem,
        file=file.path,
        sha256=file.sha256,
        accelerator=Accelerator(**accelerator | {"kind": Kind(accelerator["kind"])}),
        mesh=Mesh(value["mesh"]),
        mtls=Mtls(value["mtls"]),
        authorization=Authorization(value["authorization"]["enforced"], tuple(value["authorization"]["namespaces"])),
        pod_security=PodSecurity(value["pod_security"]),
        picker=Picker(picker["tls"], picker["verified"], FailureMode(picker["failure_mode"])),
        gateway=_gateway(value["gateway"]),
        isolation=Isolation(value["isolation"]),
        observability=Observability(**value["observability"]),
        model=value["model"]["name"],
        golden=tuple(Golden(**each) for each in value["model"]["golden"]),
        manifests=CHECKOUT / value["service"]["manifests"],
        service=value["service"]["name"],
        server_image=value["images"]["server"],
        secrets=Secrets(*(_secret(value["secrets"].get(each)) for each in ("pull", "token"))),
        namespaces=Controllers(**value["namespaces"]),
        deployments=Controllers(**value["deployments"]),
        versions=value["versions"],
        identity=value["cluster"]["identity"],
        budgets=Budgets(**budgets | {"load": Load(**budgets["load"])}),
        signoff=Signoff(**value["signoff"]),
    )


def _gateway(value: dict[str, Any]) -> Gateway:
    namespace, _, name = value["reference"].partition("/")
    reference = GatewayRef(name, namespace) if name else None
    parts = {
        "scheme": Scheme(value["scheme"]),
        "reference": reference,
        "tls": GatewayTls(**value["tls"]),
        "plaintext": Plaintext(value["plaintext"]),
        "auth": Auth(value["auth"]),
        "routes_from": RoutesFrom(value["routes_from"]),
        "availability": Availability(**value["availability"]),
    }
    return Gateway(**value | parts)


def _secret(value: Mapping[str, Any] | None) -> SecretReference | None:
    return SecretReference(value["name"], tuple(value["keys"])) if value else None
