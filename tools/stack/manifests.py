"""Charts, CRDs and Envoy's bootstrap template, copied out of the pinned Go modules, not kept here a second time."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ISTIO = "istio.io/istio"
KSERVE = "github.com/kserve/kserve"
GIE = "sigs.k8s.io/gateway-api-inference-extension"


@dataclass(frozen=True)
class Copy:
    """Something to copy out of a module.

    Attributes:
        component: directory below stack/ whose go.mod pins the module.
        module: the module's path.
        source: path inside the module; a directory, or one file.
        target: path in the stack directory.
        pattern: which files of a directory; `**/*` for a whole tree.
    """

    component: str
    module: str
    source: str
    target: str
    pattern: str = "*.yaml"


COPIES = (
    Copy("istio", ISTIO, "manifests/charts/base", "charts/istio-base", "**/*"),
    Copy("istio", ISTIO, "manifests/charts/istio-control/istio-discovery", "charts/istiod", "**/*"),
    Copy("istio", ISTIO, "tools/packaging/common/envoy_bootstrap.json", "envoy_bootstrap.json"),
    Copy("kserve", KSERVE, "charts/kserve-llmisvc-crd", "charts/kserve-llmisvc-crd", "**/*"),
    Copy("kserve", KSERVE, "charts/kserve-llmisvc-resources", "charts/kserve-llmisvc-resources", "**/*"),
    Copy("kserve", KSERVE, "charts/kserve-runtime-configs", "charts/kserve-runtime-configs", "**/*"),
    Copy("crds", "sigs.k8s.io/gateway-api", "config/crd/standard", "crds/gateway-api"),
    Copy("gie", GIE, "config/crd/bases", "crds/gie"),
    # KServe 0.19 still looks for the API group that the extension gave up after 1.3.
    Copy("crds", GIE, "config/crd/bases", "crds/gie-legacy", "inference.networking.x-k8s.io_inferencepools.yaml"),
    Copy("crds", "github.com/cert-manager/cert-manager", "deploy/crds", "crds/cert-manager"),
)  # fmt: skip


def copy_all(module_dir: Callable[[str, str], Path], out: Path) -> None:
    """Copy everything in COPIES.

    Args:
        module_dir: component and module path to the module's directory in the module cache.
        out: the directory to write below.

    Raises:
        FileNotFoundError: a pinned module no longer has what is to be copied.
    """
    for copy in COPIES:
        source = module_dir(copy.component, copy.module) / copy.source
        target = out / copy.target
        if source.is_file():
            _copy(source, target)
            continue
        # glob does not follow links to directories: a chart's are resolved by walking the real path.
        files = [path for path in sorted(source.resolve(strict=True).glob(copy.pattern)) if path.is_file()]
        if not files:
            raise FileNotFoundError(f"{copy.module} has no {copy.source}/{copy.pattern}")
        for path in files:
            _copy(path, target / path.relative_to(source.resolve()))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)  # a link's content, and this process's permissions: the module cache is read-only
