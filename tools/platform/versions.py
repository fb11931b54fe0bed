"""The versions that are installed, read from images, labels and annotations."""

from collections.abc import Mapping

from tools.features.controllers import image
from tools.features.names import BUNDLES
from tools.features.version import guess, tag
from tools.kube.client import Object
from tools.kube.kinds import CRD, DEPLOYMENT
from tools.kube.platform import Platform
from tools.platform import definitions, release
from tools.platform.compatibility import Versions

_GATEWAYS = "gateways.gateway.networking.k8s.io"
_GIE, _GATEWAY_API = BUNDLES["inference.networking.k8s.io"][0], BUNDLES["gateway.networking.k8s.io"][0]


def read(platform: Platform) -> Versions:
    """What can be told of them."""
    kube = platform.kube
    kserve = kube.find(DEPLOYMENT, platform.controller.name, platform.controller.namespace)
    istiod = kube.find(DEPLOYMENT, platform.istiod.name, platform.istiod.namespace)
    crds = {name: kube.find(CRD, name) for name in (_GATEWAYS, definitions.POOLS, definitions.OLD_POOLS)}
    return Versions(
        release.version(kserve),
        istio(istiod),
        _bundle(crds, _GATEWAYS, _GATEWAY_API),
        _bundle(crds, definitions.POOLS, _GIE),
        _bundle(crds, definitions.OLD_POOLS, _GIE),
    )


def istio(deployment: Object | None) -> str:
    """Istio's number by istiod's image; its labels have one of no meaning in charts that nobody released. Pure."""
    return guess(tag(image(deployment))) if deployment else ""


def _bundle(crds: Mapping[str, Object | None], name: str, annotation: str) -> str:
    found = crds[name]
    return guess((found["metadata"].get("annotations") or {}).get(annotation, "")) if found else ""
