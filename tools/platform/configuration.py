"""ConfigMap inferenceservice-config: every value can be read, and what it names is there."""

import json
from collections.abc import Mapping
from typing import Any

from tools.kube.access import Access
from tools.kube.client import Object
from tools.kube.conditions import conditions, lacking
from tools.kube.kinds import CONFIG_MAP, GATEWAY, LLM_SERVICE
from tools.kube.platform import Platform
from tools.platform import controllers, rights
from tools.platform.trouble import Trouble

NAME = "inferenceservice-config"
# A comment with examples, in a key that nobody reads.
_EXAMPLE = "_example"
_GATEWAY = "kserveIngressGateway"
_CA_FILE = "cabundle.crt"
_COPY = "global-ca-bundle"


def read(platform: Platform) -> Object | None:
    """The ConfigMap."""
    return platform.kube.find(CONFIG_MAP, NAME, platform.controller.namespace)


def values(found: Object) -> tuple[dict[str, Any], dict[str, str]]:
    """What its keys say, and of those that cannot be read, why. Pure."""
    said: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for key, text in (found.get("data") or {}).items():
        if key == _EXAMPLE:
            continue
        try:
            said[key] = json.loads(text)
        except ValueError as error:
            wrong[key] = str(error)
    return said, wrong


def unreadable(platform: Platform, found: Object | None) -> list[Trouble]:
    """What keeps it from being read. Pure."""
    namespace = platform.controller.namespace
    show = platform.kube.kubectl("-n", namespace, "get", "configmap", NAME, "-o", "yaml")
    if found is None:
        cause = "it was deleted, or the controller is in another namespace than the profile says"
        return [Trouble(f"there is no ConfigMap {NAME} in namespace {namespace}", cause, show)]
    said, wrong = values(found)
    troubles = [
        Trouble(f"ConfigMap {namespace}/{NAME}, key {key}: {why}", "it is edited by hand: a comma, a quote", show)
        for key, why in wrong.items()
    ]
    if "ingress" not in said and "ingress" not in wrong:
        cause = "the controller takes the Gateway for all services from it"
        troubles.append(Trouble(f"ConfigMap {namespace}/{NAME} has no key ingress", cause, show))
    elif not said.get("ingress", {"ingressGateway": "-"}).get("ingressGateway"):
        cause = "the controller refuses an ingress without it, although LLMInferenceServices do not use it"
        troubles.append(Trouble(f"ConfigMap {namespace}/{NAME}: ingress.ingressGateway is empty", cause, show))
    return troubles


def without_gateway(platform: Platform, found: Object | None) -> list[Trouble]:
    """What is wrong with the Gateway that it names for services which name none."""
    named = str(_part(found, "ingress").get(_GATEWAY, ""))
    namespace, _, name = named.partition("/")
    show = platform.kube.kubectl("get", GATEWAY.resource, "--all-namespaces")
    if not (namespace and name):
        return [Trouble(f"ingress.{_GATEWAY} is {named!r}, not NAMESPACE/NAME", "it was never set, or mistyped", show)]
    gateway = platform.kube.find(GATEWAY, name, namespace)
    if gateway is None:
        cause = "it was not made, was renamed, or the entry is mistyped: no route of a service without Gateway is made"
        return [Trouble(f"ingress.{_GATEWAY} names Gateway {named}, which is not there", cause, show)]
    return [
        Trouble(f"Gateway {named}: {line}", "its controller does not run, or cannot give it an address", show)
        for line in lacking(conditions(gateway), ["Accepted", "Programmed"])
    ]


def without_authority(platform: Platform, found: Object | None) -> list[Trouble]:
    """What is wrong with the CA bundle that every download is to trust, if one is named.

    The controller copies it into each service's namespace, and reconciles no service at all where it cannot.
    """
    named = str(_part(found, "storageInitializer").get("caBundleConfigMapName") or "")
    if not named:
        return []
    kube, namespace = platform.kube, platform.controller.namespace
    show = kube.kubectl("-n", namespace, "get", "configmap", named, "-o", "yaml")
    wrong: list[Trouble] = []
    bundle = kube.find(CONFIG_MAP, named, namespace)
    if bundle is None or not (bundle.get("data") or {}).get(_CA_FILE):
        what = f"has no {_CA_FILE}" if bundle else "is not there"
        cause = "no service is reconciled any more: the controller looks for it before everything else"
        wrong.append(Trouble(f"caBundleConfigMapName names ConfigMap {namespace}/{named}, which {what}", cause, show))
    if (deployment := controllers.find(platform)) is not None:
        wanted = [Access(verb, "configmaps") for verb in ("create", "update")]
        cause = f"the controller has to copy the bundle to {_COPY} in each service's namespace, and its role only reads"
        wrong += rights.lacking(kube, deployment, wanted, cause)
    for space in sorted({each["metadata"]["namespace"] for each in kube.objects(LLM_SERVICE)}):
        copied = kube.find(CONFIG_MAP, _COPY, space)
        if not (copied or {}).get("data"):
            cause = "the controller could not copy the bundle: downloads do not trust the CA"
            wrong.append(Trouble(f"there is no ConfigMap {_COPY} in namespace {space}, or it is empty", cause, show))
    return wrong


def _part(found: Object | None, key: str) -> Mapping[str, Any]:
    part = values(found or {})[0].get(key)
    return part if isinstance(part, dict) else {}
