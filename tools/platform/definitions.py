"""CustomResourceDefinitions that KServe needs: there, established, served in the right versions, stored in those."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from tools.kube.client import Kube, Object
from tools.kube.kinds import CRD, DEPLOYMENT
from tools.kube.platform import Platform
from tools.platform import release
from tools.platform.trouble import Trouble

_SERVICES = "llminferenceservices.serving.kserve.io"
_CONFIGS = "llminferenceserviceconfigs.serving.kserve.io"
OWN = (_SERVICES, _CONFIGS)
POOLS, OLD_POOLS = "inferencepools.inference.networking.k8s.io", "inferencepools.inference.networking.x-k8s.io"
_GATEWAY_API = ("gatewayclasses", "gateways", "httproutes")

_Crds = Mapping[str, Object | None]


@dataclass(frozen=True)
class Needed:
    """A definition that a release of KServe needs.

    Attributes:
        name: of the definition.
        versions: that have to be served.
        short: a short name that documents use.
        without: what is missing without it.
    """

    name: str
    versions: tuple[str, ...]
    short: str = ""
    without: str = ""


def needed(kserve: str) -> tuple[Needed, ...]:
    """The definitions that a release needs."""
    own = "upstream KServe before 0.16 has none, from 0.16 it is in the chart kserve-llmisvc-crd (0.16: llmisvc-crd)"
    pools = "the controller watches pools of this group from its start (Gateway API Inference Extension)"
    return (
        Needed(_SERVICES, release.serves(kserve), "llmisvc", own),
        Needed(_CONFIGS, release.serves(kserve), "", own),
        *([Needed(POOLS, ("v1",), "", pools)] if release.has(kserve, "0.17") else []),
        # 0.20 is the first that looks whether it is there.
        *([] if release.has(kserve, "0.20") else [Needed(OLD_POOLS, ("v1alpha2",), "", pools)]),
        *(
            Needed(f"{plural}.gateway.networking.k8s.io", ("v1",), "", "the Gateway API is not installed")
            for plural in _GATEWAY_API
        ),
    )


def read(platform: Platform) -> tuple[str, _Crds]:
    """The release of KServe, and the definitions that it needs, each or None."""
    kserve = release.version(platform.kube.find(DEPLOYMENT, platform.controller.name, platform.controller.namespace))
    names = [each.name for each in needed(kserve)]
    with ThreadPoolExecutor(len(names)) as pool:
        return kserve, dict(zip(names, pool.map(partial(platform.kube.find, CRD), names), strict=True))


def served_trouble(kube: Kube, kserve: str, crds: _Crds) -> list[Trouble]:
    """What keeps kinds from being served as a release needs them."""
    return [trouble for each in needed(kserve) for trouble in _served(kube, each, crds.get(each.name))]


def stored_trouble(kube: Kube, kserve: str, crds: _Crds) -> list[Trouble]:
    """What makes stored objects unreadable, now or with the next release."""
    return [
        trouble
        for each in needed(kserve)
        if (found := crds.get(each.name)) is not None
        for trouble in _stored(kube, found, own=each.name in OWN)
    ]


def _served(kube: Kube, wanted: Needed, found: Object | None) -> list[Trouble]:
    show = kube.kubectl("get", "crd", wanted.name, "-o", "yaml")
    if found is None:
        return [
            Trouble(f"there is no CustomResourceDefinition {wanted.name}", wanted.without, "--install, or the chart")
        ]
    conditions = {each["type"]: each for each in found.get("status", {}).get("conditions", [])}
    wrong = [
        Trouble(
            f"{wanted.name}: {name} is {conditions.get(name, {}).get('status', 'absent')}"
            f" ({conditions.get(name, {}).get('message', 'no condition')})",
            "another definition has the same names, or its schema is not accepted",
            show,
        )
        for name in ("Established", "NamesAccepted")
        if conditions.get(name, {}).get("status") != "True"
    ]
    if found["metadata"].get("deletionTimestamp"):
        wrong.append(
            Trouble(f"{wanted.name} is being deleted, and all its objects with it", "somebody deleted it", show)
        )
    served = [each["name"] for each in found["spec"]["versions"] if each["served"]]
    if missing := [each for each in wanted.versions if each not in served]:
        cause = "the definition is of another release than the controller, or somebody switched the version off"
        wrong.append(
            Trouble(f"{wanted.name} is served in {', '.join(served) or 'no version'}, not in {', '.join(missing)}",
                    cause, show)
        )  # fmt: skip
    if wanted.short and wanted.short not in found["spec"]["names"].get("shortNames", []):
        wrong.append(Trouble(f"{wanted.name} has no short name {wanted.short}", "it is not KServe's definition", show))
    return wrong


def _stored(kube: Kube, found: Object, *, own: bool) -> list[Trouble]:
    name, show = found["metadata"]["name"], kube.kubectl("get", "crd", found["metadata"]["name"], "-o", "yaml")
    served = [each["name"] for each in found["spec"]["versions"] if each["served"]]
    storage = next(each["name"] for each in found["spec"]["versions"] if each["storage"])
    stored = found.get("status", {}).get("storedVersions", [])
    wrong = []
    if lost := [each for each in stored if each not in served]:
        wrong.append(
            Trouble(
                f"{name}: objects may be stored in {', '.join(lost)}, which is not served",
                "the storage version was changed before stored objects were migrated: they cannot be read any more",
                show,
            )
        )
    # The Gateway API leaves versions that differ in nothing there; KServe migrates its own when its controller starts.
    elif own and stored != [storage]:
        wrong.append(
            Trouble(
                f"{name}: status.storedVersions is {stored}, and the storage version {storage} alone is expected",
                "the controller's migration of stored objects has not ended (its log): a release without the old"
                " version cannot be installed over this one",
                show,
            )
        )
    strategy = found["spec"].get("conversion", {}).get("strategy", "None")
    if own and len(served) > 1 and strategy != "Webhook":
        wrong.append(
            Trouble(
                f"{name}: versions {', '.join(served)} with conversion strategy {strategy}",
                "the definition was applied without its conversion stanza (a -minimal chart, or another tool's patch):"
                " fields that differ between versions are dropped silently",
                show,
            )
        )
    return wrong
