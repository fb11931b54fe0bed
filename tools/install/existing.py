"""Installs the stack on a cluster that is not ours, asked for by `--install`; never over somebody else's."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tools.errors import UserError
from tools.install.commands import Commands
from tools.install.stack import Report, Sources, install
from tools.install.variants import UPSTREAM
from tools.kube.client import FIELD_MANAGER, Kube, Object
from tools.kube.errors import NotFound
from tools.kube.kinds import DEPLOYMENT, NAMESPACE, Kind
from tools.kube.labels import PREFIX
from tools.stack import Stack

# On the namespaces of a stack that was installed from here.
INSTALLED = f"{PREFIX}/installed"
_NAMESPACES = ("istio-system", "kserve")
_CRD = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False)
_CONTROLLERS = {"istiod", "llmisvc-controller-manager", "kserve-controller-manager"}


def install_on(kube: Kube, stack: Stack, report: Report) -> None:
    """Install released Istio and KServe, as `manifests/stack/upstream` has them, on a cluster that has neither.

    A stack that was installed from here before is brought up to date. It stays when the run has ended.

    Args:
        kube: the cluster.
        stack: where charts, CRDs, kubectl and Helm are.
        report: told each step as it ends.

    Raises:
        UserError: somebody else's Istio, KServe or CRDs are there, or a step failed.
        KubeError: the API server did not answer, or this user lacks a right.
    """
    sources = Sources(stack.charts, stack.crds, UPSTREAM)
    if found := [*foreign_controllers(kube), *foreign_definitions(kube, _definitions(stack.crds))]:
        raise UserError(
            "a cluster without Istio, KServe and the CRDs of the Gateway API, or with those of an earlier --install",
            "\n" + "\n".join(f"    {line}" for line in found),
            cause="others may rely on these as they are",
            next_step="the same command without --install: the suite takes what it finds",
        )
    for name in _NAMESPACES:
        kube.apply({"apiVersion": NAMESPACE.api, "kind": NAMESPACE.kind, "metadata": {"name": name}})
        # By patch and not by apply: the installation applies the namespace again, without it.
        kube.patch(NAMESPACE, name, "", {"metadata": {"labels": {INSTALLED: "true"}}})
    with commands_for(kube, stack) as commands:
        install(commands, sources, report)


def foreign_controllers(kube: Kube) -> list[str]:
    """Controllers of Istio and KServe in namespaces that were not made by an installation from here, one line each."""
    own = {each["metadata"]["name"] for each in kube.objects(NAMESPACE, labels=INSTALLED)}
    return [
        f"Deployment {each['metadata']['name']} in {each['metadata']['namespace']}"
        for each in kube.objects(DEPLOYMENT)
        if _is_controller(each) and each["metadata"]["namespace"] not in own
    ]


def foreign_definitions(kube: Kube, names: Iterable[str]) -> list[str]:
    """Those of these CRDs that are there and were not applied from here, one line each."""
    found = []
    for name in names:
        try:
            fields = kube.get(_CRD, name)["metadata"].get("managedFields") or []
        except NotFound:
            continue
        managers = sorted({each.get("manager", "") for each in fields if each.get("subresource") != "status"})
        if FIELD_MANAGER not in managers:
            found.append(f"CustomResourceDefinition {name} ({', '.join(managers) or 'nobody'} made it)")
    return found


@contextmanager
def commands_for(kube: Kube, stack: Stack) -> Iterator[Commands]:
    """kubectl and Helm for one context, whatever the current one of its kubeconfig is.

    They get a kubeconfig of their own with the credentials that the client has now, so that no plugin has to be found
    from an empty environment; it is readable by this user only, and is removed.
    """
    with TemporaryDirectory(prefix="llmisvc-conformance-") as directory:
        home = Path(directory)
        kubeconfig = home / "kubeconfig"
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(yaml.safe_dump(_alone(kube.new_api_client().configuration)))
        yield Commands(stack.bin("kubectl"), stack.bin("helm"), kubeconfig, home)


def _alone(settings: Any) -> Object:
    """A kubeconfig with one context, from the client library's settings."""
    cluster: Object = {"server": settings.host}
    if not settings.verify_ssl:
        cluster["insecure-skip-tls-verify"] = True
    elif settings.ssl_ca_cert:
        cluster["certificate-authority"] = os.fspath(settings.ssl_ca_cert)
    cluster |= {"tls-server-name": settings.tls_server_name} if settings.tls_server_name else {}
    cluster |= {"proxy-url": settings.proxy} if settings.proxy else {}
    user: Object = {}
    if token := settings.api_key.get("BearerToken", ""):
        user["token"] = token.removeprefix("Bearer ")
    if settings.cert_file:
        user |= {"client-certificate": settings.cert_file, "client-key": settings.key_file}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "alone",
        "clusters": [{"name": "alone", "cluster": cluster}],
        "users": [{"name": "alone", "user": user}],
        "contexts": [{"name": "alone", "context": {"cluster": "alone", "user": "alone"}}],
    }


def _is_controller(deployment: Object) -> bool:
    meta = deployment["metadata"]
    return meta["name"] in _CONTROLLERS or (meta.get("labels") or {}).get("app") == "istiod"


def _definitions(directory: Path) -> list[str]:
    """Names of the CRDs in a directory; their files are named after them: GROUP_PLURAL.yaml."""
    found = []
    for file in sorted(directory.rglob("*.yaml")):
        group, _, plural = file.stem.partition("_")
        found.append(f"{plural}.{group}")
    return found
