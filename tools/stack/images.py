"""The container images of the local cluster: what each holds and how it starts.

Names are those that the charts and presets ask for, so that these need no change. Static programs get an image with
nothing else in it; Envoy (which wants a C library) and Python share one base file system, as one identical layer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.stack.oci import Entry, ImageConfig, Layer, write_image, write_layer

ISTIO_TAG = "1.31-conformance"
ISTIO_HUB = "docker.io/istio"
# KServe 0.19 lets nobody set HF_ENDPOINT for the download: it drops a template's own `storage-initializer`, takes
# nothing but HF_TOKEN from a Secret and ignores ClusterStorageContainers. What the image says remains.
MODEL_HUB = "model-hub.test"


@dataclass(frozen=True)
class Content:
    """A file or tree of an image.

    Attributes:
        target: absolute path in the image.
        part: name of the part that has it.
        path: path below that part.
        mode: permission bits of a file.
    """

    target: str
    part: str
    path: str
    mode: int = 0o755


@dataclass(frozen=True)
class Image:
    """An image.

    Attributes:
        key: file name of the archive, without suffix.
        name: the full reference under which pods ask for it.
        config: how its containers start.
        layers: contents of each layer of its own.
        base: whether it lies on the base file system.
    """

    key: str
    name: str
    config: ImageConfig
    layers: tuple[tuple[Content, ...], ...]
    base: bool = False

    def parts(self) -> list[str]:
        """Names of the parts that it is made of."""
        named = [content.part for layer in self.layers for content in layer]
        return sorted({*named, *(["base-layer"] if self.base else [])})


# USER lines are those of the upstream images (numeric, so that runAsNonRoot can be checked), but CoreDNS's:
# its image relies on a file capability to bind port 53, the pod's own securityContext does it here.
IMAGES = (
    Image("pause", "registry.k8s.io/pause:3.10", ImageConfig(["/pause"], user="65535:65535"),
          ((Content("/pause", "kubernetes", "bin/pause"),),)),
    Image("coredns", "registry.k8s.io/coredns/coredns:v1.14.7", ImageConfig(["/coredns"]),
          ((Content("/coredns", "coredns", "bin/coredns"),),)),
    # With a shell, as upstream's: probers make many connections at once from one command.
    Image("agnhost", "registry.k8s.io/e2e-test-images/agnhost:2.63", ImageConfig(["/agnhost"]),
          ((Content("/agnhost", "kubernetes", "bin/agnhost"),),), base=True),
    # The scheduler preset has a tokenizer beside the endpoint picker, which the picker used here does not ask.
    # This stands in for it with a server that is merely healthy, so that the preset runs as it is.
    Image("tokenizer", "ghcr.io/llm-d/llm-d-uds-tokenizer:v0.7.1",
          ImageConfig(["/agnhost", "netexec", "--http-port=8082"], user="65532:65532"),
          ((Content("/agnhost", "kubernetes", "bin/agnhost"),),)),
    Image("llmisvc", "docker.io/kserve/llmisvc-controller:v0.19.0", ImageConfig(["/manager"], user="65532:65532"),
          ((Content("/manager", "kserve", "bin/llmisvc"),),)),
    Image("epp", "ghcr.io/llm-d/llm-d-inference-scheduler:v0.7.1", ImageConfig(["/app/epp"], user="65532:65532"),
          ((Content("/app/epp", "gie", "bin/epp"),),)),
    Image("pilot", f"{ISTIO_HUB}/pilot:{ISTIO_TAG}",
          ImageConfig(["/usr/local/bin/pilot-discovery"], user="1337:1337"),
          ((Content("/usr/local/bin/pilot-discovery", "istio", "bin/pilot-discovery"),),)),
    Image("proxyv2", f"{ISTIO_HUB}/proxyv2:{ISTIO_TAG}",
          ImageConfig(["/usr/local/bin/pilot-agent"], user="1337:1337"),
          ((Content("/usr/local/bin/envoy", "envoy", "envoy"),
            Content("/usr/local/bin/pilot-agent", "istio", "bin/pilot-agent"),
            Content("/var/lib/istio/envoy/envoy_bootstrap_tmpl.json", "manifests", "envoy_bootstrap.json", 0o644)),),
          base=True),
    # `vllm` is in the path because KServe's presets start the model server by that name, from a shell.
    Image("simulator", "localhost/llmisvc-conformance/simulator:latest",
          ImageConfig(["python3", "-m", "tools.simulator"], user="1000:1000", workdir="/home",
                      env={"PYTHONPATH": "/app", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}),
          ((Content("/usr/local/lib/python3.11/dist-packages", "simulator-wheels", "site-packages"),),
           (Content("/app", "simulator-source", "app"), Content("/usr/local/bin/vllm", "simulator-source", "vllm"))),
          base=True),
    # Debian's build, under upstream's name of the same version, with what finds pods in its place. USER as upstream's.
    Image("prometheus", "docker.io/prom/prometheus:v2.42.0", ImageConfig(["/bin/prometheus"], user="65534:65534"),
          ((Content("/usr/bin/prometheus", "prometheus", "bin/prometheus"),),
           (Content("/usr/bin/kubernetes-sd", "kubernetes-sd-source", "kubernetes-sd"),)), base=True),
    # USER as upstream's; HOME is where that user may write.
    Image("storage-initializer", "docker.io/kserve/storage-initializer:v0.19.0",
          ImageConfig(["/storage-initializer/scripts/initializer-entrypoint"], user="1000:1000", workdir="/home",
                      env={"HOME": "/tmp", "HF_ENDPOINT": f"http://{MODEL_HUB}"}),  # noqa: S108 - a path in the image
          ((Content("/usr/local/lib/python3.11/dist-packages", "storage-initializer-wheels", "site-packages"),),
           (Content("/storage-initializer/scripts/initializer-entrypoint", "storage-initializer-source",
                    "initializer-entrypoint"),)),
          base=True),
)  # fmt: skip

_BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def write(image: Image, parts: Mapping[str, Path], base: Layer | None, out: Path, scratch: Path) -> str:
    """Write an image's archive.

    Args:
        image: what to write.
        parts: name to directory of the parts that it is made of.
        base: the base file system's layer, for an image that lies on it.
        out: directory that gets `<key>.tar`.
        scratch: directory for layers on their way.

    Returns:
        The image's digest.
    """
    layers = [base] if image.base and base is not None else []
    for number, contents in enumerate(image.layers):
        entries = [Entry(c.target, parts[c.part] / c.path, c.mode) for c in contents]
        if number == 0 and not image.base:
            entries.append(Entry("/tmp", None, 0o1777))  # noqa: S108 - a path in the image
        layers.append(write_layer(scratch / f"{image.key}-{number}.tar", entries))
    env = (
        {"PATH": _BASE_PATH, "LANG": "C.UTF-8", **image.config.env} if image.base else {"PATH": "/", **image.config.env}
    )
    config = ImageConfig(image.config.entrypoint, image.config.user, env, image.config.workdir)
    return write_image(out / f"{image.key}.tar", image.name, config, layers)
