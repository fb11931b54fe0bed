"""Stored services and presets in every served version: they can be read, and written back, and copied."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from tools.kube.client import Kube, Object
from tools.kube.errors import KubeError
from tools.kube.kinds import LLM_CONFIG, LLM_SERVICE, Kind
from tools.kube.llm_service import Place
from tools.platform import release
from tools.platform.trouble import Trouble

_GROUP = "serving.kserve.io"
_AT_ONCE = 4
# Somebody else may write between our read and our write; each time there is something newer to read.
_TRIES = 5
# In which v1alpha1 takes what v1alpha2 stores.
_FIXED = "0.20"
_COPY = "llmisvc-conformance-copy"


def in_version(kind: Kind, version: str) -> Kind:
    """The same kind in another version."""
    return Kind(f"{_GROUP}/{version}", kind.kind, kind.plural, kind.namespaced)


def unreadable(kube: Kube, versions: Iterable[str]) -> list[Trouble]:
    """Versions through which objects cannot be listed, or others than through the first."""
    return [trouble for kind in (LLM_SERVICE, LLM_CONFIG) for trouble in _unreadable(kube, kind, versions)]


def one_way(kube: Kube, kserve: str, presets: Place) -> list[Trouble]:
    """Objects that cannot be written back unchanged, or not be made again, through some version; all by dry run.

    Args:
        kube: the cluster.
        kserve: its release.
        presets: namespace of KServe's own presets, and the prefix of their names.
    """
    jobs = [
        (in_version(kind, version), found)
        for kind in (LLM_CONFIG, LLM_SERVICE)
        for version in release.serves(kserve)
        for found in kube.objects(in_version(kind, version))
    ]

    def look(job: tuple[Kind, Object]) -> list[Trouble]:
        kind, found = job
        return [*_written(kube, kind, found), *([] if _is_exempt(kind, found, kserve, presets) else _again(kube, *job))]

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [trouble for found in pool.map(look, jobs) for trouble in found]


def _unreadable(kube: Kube, kind: Kind, versions: Iterable[str]) -> Iterator[Trouble]:
    names: dict[str, set[str]] = {}
    for version in versions:
        try:
            listed = kube.objects(in_version(kind, version))
        except KubeError as error:
            yield Trouble(
                f"{kind.plural} cannot be listed in {version}: {error.status}: {error.message[-300:]}",
                "the conversion webhook does not answer, or its caBundle is not that of its certificate",
                kube.kubectl("get", f"{kind.plural}.{version}.{_GROUP}", "--all-namespaces"),
            )
            continue
        names[version] = {f"{each['metadata']['namespace']}/{each['metadata']['name']}" for each in listed}
    first = next(iter(names), "")
    for version, found in names.items():
        # What is made or removed meanwhile is in one list and not in the other, and nothing is wrong with it.
        differing = sorted(found ^ names[first])
        if lost := [
            each for each in differing if len({_is_there(kube, kind, at, each) for at in (first, version)}) > 1
        ]:
            yield Trouble(
                f"{kind.plural} in {version} differ from those in {first}: {', '.join(lost)}",
                "objects are lost in conversion",
                kube.kubectl("get", f"{kind.plural}.{version}.{_GROUP}", "--all-namespaces"),
            )


def _is_there(kube: Kube, kind: Kind, version: str, place: str) -> bool:
    namespace, _, name = place.partition("/")
    return kube.find(in_version(kind, version), name, namespace) is not None


def _is_exempt(kind: Kind, found: Object, kserve: str, presets: Place) -> bool:
    """KServe's own presets before 0.20, in the old version: its schema refuses their templates (kserve issue 5296)."""
    meta = found["metadata"]
    own = meta["namespace"] == presets.namespace and meta["name"].startswith(presets.name)
    old = kind.api.endswith("/v1alpha1") and not release.has(kserve, _FIXED)
    return own and old and kind.kind == LLM_CONFIG.kind


def _written(kube: Kube, kind: Kind, listed: Object) -> Iterator[Trouble]:
    name, namespace = listed["metadata"]["name"], listed["metadata"]["namespace"]
    for _ in range(_TRIES):
        found = kube.find(kind, name, namespace)
        if found is None or "deletionTimestamp" in found["metadata"]:
            return
        try:
            written = kube.request("PUT", kind.path(name, namespace), {"dryRun": "All"}, found)
        except KubeError as error:
            if error.status == 409:
                continue
            yield _told(kube, kind, found, "cannot be written back", error)
            return
        if written["spec"] != found["spec"]:
            yield _told(kube, kind, found, "comes back changed", None)
        return


def _again(kube: Kube, kind: Kind, listed: Object) -> Iterator[Trouble]:
    # An unchanged object is let through by newer API servers whatever its schema says; a copy is held to all of it.
    namespace = listed["metadata"]["namespace"]
    meta = {"name": _COPY, "namespace": namespace}
    copy = {"apiVersion": kind.api, "kind": kind.kind, "metadata": meta, "spec": listed["spec"]}
    try:
        kube.request("POST", kind.path(namespace=namespace), {"dryRun": "All"}, copy)
    except KubeError as error:
        # The namespace of a service that is being removed takes nothing new.
        if "being terminated" not in error.message:
            yield _told(kube, kind, listed, "cannot be made again", error)


def _told(kube: Kube, kind: Kind, found: Object, problem: str, error: KubeError | None) -> Trouble:
    version, meta = kind.api.rpartition("/")[2], found["metadata"]
    words = f": {error.status}: {error.message[-300:]}" if error else ""
    return Trouble(
        f"{kind.kind} {meta['namespace']}/{meta['name']} {problem} through {version}{words}",
        f"the schema of {version} is stricter than what is stored, or a webhook for it does not answer:"
        " upgrades that validate existing objects are blocked",
        kube.kubectl("get", f"{kind.plural}.{version}.{_GROUP}", "--all-namespaces", "-o", "yaml"),
    )
