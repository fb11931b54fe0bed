"""How pods take part in the mesh: sidecars, ambient, and what mutual TLS is demanded. Pure."""

from collections.abc import Iterable

from tools.features.feature import Feature, Settings
from tools.features.reading import Object, untold
from tools.features.survey import Survey

_DEFAULT = "PERMISSIVE"
_UNSET = ("", "UNSET")


def features(survey: Survey, settings: Settings) -> list[Feature]:
    """`sidecar-injection`, `ambient`, `strict-mtls`."""
    return [_injection(survey), _ambient(survey), _strict_mtls(survey, settings)]


def mode(policies: Iterable[Object], root: str, namespace: str = "") -> str:
    """The mode of mutual TLS that pods without a policy of their own have.

    Args:
        policies: PeerAuthentications of all namespaces.
        root: Istio's root namespace, whose policy is the mesh's.
        namespace: whose pods; empty for the mesh's own default.
    """
    by_namespace = {
        each["metadata"]["namespace"]: str(each.get("spec", {}).get("mtls", {}).get("mode", ""))
        for each in policies
        if not each.get("spec", {}).get("selector")
    }
    found = (by_namespace.get(each, "") for each in (namespace, root))
    return next((each for each in found if each not in _UNSET), _DEFAULT)


def _injection(survey: Survey) -> Feature:
    name, reading = "sidecar-injection", survey.injectors
    if reading.problem:
        return untold(name, reading)
    where = f"{reading.where}: webhooks, label istio.io/rev"
    # Revision tags and deactivated configurations are kept without a webhook that matches anything.
    working = [each for each in reading.items if each.get("webhooks")]
    if not working:
        return Feature(name, False, "no mutating webhook with label app=sidecar-injector", where)
    return Feature(name, True, "; ".join(_injector(each) for each in working), where)


def _injector(configuration: Object) -> str:
    meta = configuration["metadata"]
    revision = meta.get("labels", {}).get("istio.io/rev", "default")
    untrusted = [each["name"] for each in configuration["webhooks"] if not each["clientConfig"].get("caBundle")]
    trouble = f", without CA bundle: {', '.join(untrusted)}" if untrusted else ""
    return f"{meta['name']}, revision {revision}{trouble}"


def _ambient(survey: Survey) -> Feature:
    name, reading = "ambient", survey.daemon_sets
    if reading.problem:
        return untold(name, reading)
    where = f"{reading.where}: DaemonSet ztunnel"
    found = [each for each in reading.items if _is_ztunnel(each["metadata"])]
    if not found:
        return Feature(name, False, "no DaemonSet ztunnel", where)
    rows = [
        f"DaemonSet {each['metadata']['namespace']}/{each['metadata']['name']},"
        f" {each['status']['numberReady']} of {each['status']['desiredNumberScheduled']} ready"
        for each in found
    ]
    return Feature(name, True, "; ".join(rows), where)


def _is_ztunnel(meta: Object) -> bool:
    labels = meta.get("labels", {})
    return meta["name"] == "ztunnel" or "ztunnel" in (labels.get("app"), labels.get("app.kubernetes.io/name"))


def _strict_mtls(survey: Survey, settings: Settings) -> Feature:
    name, reading, root = "strict-mtls", survey.peer_authentications, settings.istio_namespace
    if reading.problem:
        return untold(name, reading)
    where = f"{reading.where}: spec.mtls.mode of those without selector, root namespace {root}"
    if reading.body is None:
        return Feature(name, False, "no kind PeerAuthentication", where)
    policies = reading.items
    effective = mode(policies, root, settings.namespace)
    own = {each["metadata"]["namespace"]: mode(policies, root, each["metadata"]["namespace"]) for each in policies}
    rows = [f"mesh-wide {mode(policies, root)}" + ("" if root in own else f" (Istio's default: none in {root})")]
    rows += [f"namespace {each} {found}" for each, found in sorted(own.items()) if each != root]
    rows += [f"for single workloads: {narrow}"] if (narrow := _narrow(policies)) else []
    return Feature(name, effective == "STRICT", "; ".join(rows), where)


def _narrow(policies: Iterable[Object]) -> str:
    return ", ".join(
        f"{each['metadata']['namespace']}/{each['metadata']['name']}"
        for each in policies
        if each.get("spec", {}).get("selector") or each.get("spec", {}).get("portLevelMtls")
    )
