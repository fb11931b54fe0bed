"""The bundle of the Gateway API: one version and one channel, new enough for KServe."""

from collections import defaultdict
from collections.abc import Iterable

from tools.features.names import BUNDLES, CHANNEL
from tools.kube.client import Kube, Object
from tools.kube.kinds import CRD
from tools.platform.trouble import Trouble

GROUP = "gateway.networking.k8s.io"
_VERSION = BUNDLES[GROUP][0]
# Names and annotations are enough: the definitions themselves are megabytes.
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


def read(kube: Kube) -> list[Object]:
    """Metadata of all definitions of the Gateway API."""
    found = kube.request("GET", CRD.path(), accept=_METADATA)["items"]
    return [each for each in found if each["metadata"]["name"].partition(".")[2] == GROUP]


def mixed(kube: Kube, definitions: Iterable[Object]) -> list[Trouble]:
    """Definitions that are of another bundle or channel than most."""
    wrong = []
    for key, what in ((_VERSION, "bundle version"), (CHANNEL, "channel")):
        by_value: dict[str, list[str]] = defaultdict(list)
        for each in definitions:
            value = (each["metadata"].get("annotations") or {}).get(key, "not said")
            by_value[value].append(each["metadata"]["name"].partition(".")[0])
        if len(by_value) > 1:
            usual = max(by_value, key=lambda value: len(by_value[value]))
            odd = [f"{', '.join(names)}: {value}" for value, names in by_value.items() if value != usual]
            wrong.append(
                Trouble(
                    f"{what} {usual}, but of {'; '.join(odd)}",
                    f"two installations of the Gateway API overlap ({what}s are mixed); managed clusters refuse that",
                    kube.kubectl("get", "crd", "-o", "custom-columns=NAME:.metadata.name,IS:.metadata.annotations."
                                 + key.replace(".", r"\."))
                )
            )  # fmt: skip
    return wrong
