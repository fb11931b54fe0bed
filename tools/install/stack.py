"""The order in which the stack is installed, and what is waited for between the steps."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.install import certificates
from tools.install.commands import Commands
from tools.install.variants import Variant

# Called with a step's name when it has ended.
Report = Callable[[str], None]


@dataclass(frozen=True)
class Sources:
    """What is installed.

    Attributes:
        charts: directory with one directory per chart.
        crds: directory with one directory per origin.
        variant: with which values they are installed.
    """

    charts: Path
    crds: Path
    variant: Variant


def install(commands: Commands, sources: Sources, report: Report) -> None:
    """Install everything and return when the Gateway is programmed and KServe's presets are accepted.

    Raises:
        UserError: a step failed.
    """
    commands.apply_files(*sorted(path for path in sources.crds.iterdir() if path.is_dir()))
    report("CRDs applied")
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(each, commands, sources, report) for each in (_istio, _kserve, _monitoring)]:
            done.result()


def _istio(commands: Commands, sources: Sources, report: Report) -> None:
    _chart(commands, sources, "istio-base", "istio-system")
    _chart(commands, sources, "istiod", "istio-system")
    commands.wait("condition=Available", "deployment/istiod", "--namespace=istio-system", seconds=120)
    report("Istio ready")
    commands.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kserve"}})
    commands.apply_files(sources.variant.values / "gateway.yaml")
    gateway = ("--namespace=kserve", "gateway/kserve-ingress-gateway")
    commands.wait("condition=Programmed", *gateway, seconds=120)
    # Programmed means that configuration was sent; its pod is what answers.
    pods = (
        "--namespace=kserve",
        "deployment",
        "--selector=gateway.networking.k8s.io/gateway-name=kserve-ingress-gateway",
    )
    commands.wait("condition=Available", *pods, seconds=120)
    report("Gateway programmed and its pod ready")


def _kserve(commands: Commands, sources: Sources, report: Report) -> None:
    charts = ("kserve-llmisvc-crd", "kserve-llmisvc-resources")
    commands.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kserve"}})
    documents = [document for chart in charts for document in _rendered(commands, sources, chart)]
    authorities = {}
    for asked in certificates.asked_for(documents):
        issued = certificates.issue(asked["spec"]["dnsNames"])
        authorities[f"kserve/{asked['metadata']['name']}"] = issued.authority
        commands.apply(certificates.secret(asked, "kserve", issued))
    for chart in charts:
        _chart(commands, sources, chart, "kserve")
    for document in documents:
        asks = (document["metadata"].get("annotations") or {}).get(certificates.INJECT)
        if asks in authorities:
            _patch(commands, document, certificates.with_authority(document, authorities[asks]))
    commands.wait("condition=Available", "deployment/llmisvc-controller-manager", "--namespace=kserve", seconds=120)
    report("KServe controller ready")
    commands.apply(*sources.variant.presets(_rendered(commands, sources, "kserve-runtime-configs")))
    report("KServe presets installed")


def _monitoring(commands: Commands, sources: Sources, report: Report) -> None:
    """Prometheus, where the variant brings one; nothing waits for it, because only cases about metrics need it."""
    if sources.variant.monitoring is None:
        return
    rendered = commands.kube("kustomize", str(sources.variant.values / "monitoring"))
    commands.apply(*sources.variant.monitoring([each for each in yaml.safe_load_all(rendered) if each]))
    report("Prometheus on its way")


def _patch(commands: Commands, found: dict[str, Any], patch: dict[str, Any]) -> None:
    commands.kube("patch", found["kind"], found["metadata"]["name"], "--type=merge", "--patch", yaml.safe_dump(patch))


def _chart(commands: Commands, sources: Sources, name: str, namespace: str) -> None:
    commands.install(name, sources.charts / name, namespace, sources.variant.values / f"{name}.yaml")


def _rendered(commands: Commands, sources: Sources, name: str) -> list[dict[str, Any]]:
    return commands.template(name, sources.charts / name, "kserve", sources.variant.values / f"{name}.yaml")
