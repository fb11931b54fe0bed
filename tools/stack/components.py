"""What is compiled: one component for each upstream project, with the flags that its own build uses."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.stack.images import ISTIO_HUB, ISTIO_TAG
from tools.stack.pins import pinned, revision


@dataclass(frozen=True)
class Compile:
    """One run of the Go compiler.

    Attributes:
        packages: name of the program to the package that it is.
        tags: build tags.
    """

    packages: Mapping[str, str]
    tags: str = ""


@dataclass(frozen=True)
class Component:
    """An upstream project whose programs are compiled from one Go module.

    Attributes:
        name: directory below stack/.
        module: path of the upstream module, whose version is the component's.
        compiles: what to compile.
        expected_seconds: measured on 2 cores with modules downloaded and nothing compiled before it but the
            components before it in COMPONENTS.
        disk_gb: what compiling adds to the caches, sources included.
    """

    name: str
    module: str
    compiles: tuple[Compile, ...]
    expected_seconds: float
    disk_gb: float
    _variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The pinned version."""
        return pinned(self.name, self.module)

    def ldflags(self) -> str:
        """Linker flags: no symbol table, and the variables from which a program tells its version."""
        version = self.version
        major, minor = [*version.lstrip("v").split("."), "0"][:2]
        known = {"version": version, "major": major, "minor": minor, "revision": revision(version)}
        variables = (f"-X {name}={value.format(**known)}" for name, value in sorted(self._variables.items()))
        return " ".join(["-s -w", *variables])


def _kubernetes_variables() -> dict[str, str]:
    values = {"gitVersion": "{version}", "gitMajor": "{major}", "gitMinor": "{minor}", "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return {f"{package}.{name}": value for package in packages for name, value in values.items()}


def _kubernetes_packages() -> dict[str, str]:
    commands = (
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
        "kube-proxy",
        "kubeadm",
        "kubectl",
    )
    upstream = {name: f"k8s.io/kubernetes/cmd/{name}" for name in commands}
    return {
        **upstream,
        "agnhost": "k8s.io/kubernetes/test/images/agnhost",
        "pause": "./cmd/pause",
        "device-plugin": "./cmd/device-plugin",
    }


_ISTIO_VARIABLES = {
    "istio.io/istio/pkg/version.buildVersion": ISTIO_TAG,
    "istio.io/istio/pkg/version.buildTag": "{version}",
    "istio.io/istio/pkg/version.buildGitRevision": "{revision}",
    "istio.io/istio/pkg/version.buildStatus": "Clean",
    "istio.io/istio/pkg/version.buildHub": ISTIO_HUB,
}

# disable_pgv leaves out generated validation code of the Envoy API that upstream's builds leave out as well.
# The longest first: while it compiles, the sources of the others are fetched.
COMPONENTS = (
    Component("kubernetes", "k8s.io/kubernetes", (Compile(_kubernetes_packages()),), 480, 5.0, _kubernetes_variables()),
    Component("istio", "istio.io/istio", (
        Compile({"pilot-discovery": "istio.io/istio/pilot/cmd/pilot-discovery"}, "disable_pgv"),
        Compile({"pilot-agent": "istio.io/istio/pilot/cmd/pilot-agent"}, "agent,disable_pgv"),
    ), 250, 3.0, _ISTIO_VARIABLES),
    Component("kserve", "github.com/kserve/kserve", (
        Compile({"llmisvc": "github.com/kserve/kserve/cmd/llmisvc"}, "disable_pgv"),), 140, 1.5),
    Component("gie", "sigs.k8s.io/gateway-api-inference-extension", (
        Compile({"epp": "sigs.k8s.io/gateway-api-inference-extension/cmd/epp"}, "disable_pgv"),), 110, 1.0,
        {"sigs.k8s.io/gateway-api-inference-extension/version.BuildRef": "{version}"}),
    Component("helm", "helm.sh/helm/v4", (Compile({"helm": "helm.sh/helm/v4/cmd/helm"}),), 120, 1.5,
              {"helm.sh/helm/v4/internal/version.version": "{version}"}),
    Component("coredns", "github.com/coredns/coredns", (Compile({"coredns": "."}, "disable_pgv"),), 70, 1.0),
    Component("etcd", "go.etcd.io/etcd/server/v3", (Compile({"etcd": "go.etcd.io/etcd/server/v3"}),), 30, 0.5),
)  # fmt: skip
