"""Kinds by CustomResourceDefinitions: versions, bundle, channel, and who works on their objects. Pure."""

from collections.abc import Iterable

from tools.features.controllers import told, with_label
from tools.features.feature import Feature
from tools.features.names import APIS, BUNDLES, CHANNEL, Api
from tools.features.reading import Object, Reading, untold
from tools.features.served import served
from tools.features.survey import Survey
from tools.features.version import guess

_LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/part-of")


def features(survey: Survey) -> list[Feature]:
    """One for each of `names.APIS`."""
    return [_addition(each, survey) if each.controllers else _kind(each, survey) for each in APIS]


def _kind(api: Api, survey: Survey) -> Feature:
    """Whether the kind is served: discovery says so to every user, the definition only to some."""
    discovery, crd = survey.apis, survey.crds[api.crd]
    where = f"{discovery.where}: {api.group}; {crd.where}"
    if discovery.body is None and crd.body is None:
        return untold(api.feature, discovery, crd) if crd.problem else _lacking(api, where, "")
    found = served(discovery.body, api.group, api.plural) if discovery.body else _versions(crd.body or {}, "served")
    if not found:
        return _lacking(api, where, "its definition is there, but it is not served" if crd.body else "")
    if api.version and api.version not in found:
        return _lacking(api, where, f"served in {', '.join(found)} only, not in {api.version}")
    meta = (crd.body or {}).get("metadata", {}).get("annotations") or {}
    rows = [f"served in {', '.join(sorted(found))}", _stored(crd), *_bundle(api, meta)]
    return Feature(
        api.feature,
        True,
        "; ".join(row for row in rows if row),
        f"{where}: spec.versions, status.storedVersions, annotations",
        _told_versions(api, meta),
    )


def _addition(api: Api, survey: Survey) -> Feature:
    """Whether the kind is served and a controller for it is installed: objects that nobody works on are no feature."""
    kind = _kind(api, survey)
    if not kind.present:
        return kind
    controllers, operators = survey.controllers, survey.operators
    where = f"{kind.evidence}; {controllers.where}"
    working = with_label([*controllers.items, *operators.items], _LABELS, api.controllers)
    if working:
        return Feature(api.feature, True, f"{kind.have}; {told(working)}", where)
    if controllers.problem:
        return Feature(
            api.feature, None, f"{kind.have}; its controller could not be told: {controllers.problem}", where
        )
    looked = f"{_LABELS[0]} in ({', '.join(api.controllers)})"
    return Feature(api.feature, False, f"{kind.have}, but there is no Deployment with {looked}", where)


def _lacking(api: Api, where: str, why: str) -> Feature:
    return Feature(api.feature, False, why or f"no kind {api.crd}", where)


def _versions(crd: Object, which: str) -> list[str]:
    return [each["name"] for each in crd.get("spec", {}).get("versions", []) if each[which]]


def _stored(crd: Reading) -> str:
    if crd.body is None:
        return f"stored version unknown ({crd.problem or 'no definition'})"
    storage, old = _versions(crd.body, "storage"), crd.body.get("status", {}).get("storedVersions") or []
    left = [each for each in old if each not in storage]
    rest = f", objects may still be stored in {', '.join(left)}" if left else ""
    return f"stored in {', '.join(storage)}{rest}"


def _bundle(api: Api, annotations: Object) -> Iterable[str]:
    if (bundle := BUNDLES.get(api.group)) and (text := annotations.get(bundle[0])):
        yield f"bundle {text}"
    if text := annotations.get(CHANNEL):
        yield f"channel {text}"


def _told_versions(api: Api, annotations: Object) -> dict[str, str]:
    found: dict[str, str] = {}
    if bundle := BUNDLES.get(api.group):
        found[bundle[1]] = guess(annotations.get(bundle[0], ""))
    if api.feature == "gateway-api":
        found["gateway-api-channel"] = annotations.get(CHANNEL, "")
    return {component: text for component, text in found.items() if text}
