"""Images of the installation: pods have them, and pull Secrets that are named are there."""

import base64
import json
from collections.abc import Iterable, Mapping

from tools.kube import pods
from tools.kube.client import Object
from tools.kube.kinds import POD, SECRET, SERVICE_ACCOUNT
from tools.kube.platform import Platform
from tools.platform.trouble import Trouble

_WAITING = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
_TYPES = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}
# Who says so, in the kubelet's words, and what it means; the first that fits.
_CAUSES = (
    (("no such host", "dial tcp", "i/o timeout", "server misbehaving"), "the registry cannot be reached from the node"),
    (("unauthorized", "forbidden", "denied"), "no permission: a pull Secret is missing, or has other credentials"),
    (("manifest unknown", "not found"), "the tag does not exist: it is mistyped, or was never published"),
)


def not_pulled(found: Iterable[Object]) -> list[tuple[str, str]]:
    """Containers that wait for their image: what was seen, and why. Pure."""
    lines = []
    for pod in found:
        status = pod.get("status", {})
        for each in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
            waiting = each.get("state", {}).get("waiting", {})
            if waiting.get("reason") in _WAITING:
                message = str(waiting.get("message", ""))
                seen = f"pod {pod['metadata']['name']}, image {each['image']}: {waiting['reason']}: {message[:300]}"
                lines.append((seen, _cause(message)))
    return lines


def trouble(platform: Platform, names: Iterable[str]) -> list[Trouble]:
    """Images that are not pulled in the controllers' namespaces, and pull Secrets that cannot be used.

    Args:
        platform: where.
        names: namespaces in which to look.
    """
    wrong: list[Trouble] = []
    for namespace in dict.fromkeys(names):
        running = [pod for pod in platform.kube.objects(POD, namespace) if not pods.is_leaving(pod)]
        show = platform.kube.kubectl("-n", namespace, "describe", "pods")
        wrong += [Trouble(seen, cause, show) for seen, cause in not_pulled(running)]
        accounts = {each["metadata"]["name"]: each for each in platform.kube.objects(SERVICE_ACCOUNT, namespace)}
        for name, users in sorted(named(running, accounts.values()).items()):
            secret = platform.kube.find(SECRET, name, namespace)
            if why := unusable(secret):
                seen = f"pull Secret {namespace}/{name} {why}, and {', '.join(users)} names it"
                cause = "pull Secrets are per namespace: it was not copied here, or has another name"
                show = platform.kube.kubectl("-n", namespace, "get", "secrets")
                wrong.append(Trouble(seen, cause, show))
    return wrong


def named(running: Iterable[Object], accounts: Iterable[Object]) -> dict[str, list[str]]:
    """Pull Secrets by name, with those who name them. Pure."""
    found: dict[str, list[str]] = {}
    for pod in running:
        for each in pod["spec"].get("imagePullSecrets", []):
            found.setdefault(each["name"], []).append(f"pod {pod['metadata']['name']}")
    for account in accounts:
        for each in account.get("imagePullSecrets", []):
            found.setdefault(each["name"], []).append(f"ServiceAccount {account['metadata']['name']}")
    return found


def unusable(secret: Object | None, registry: str = "") -> str:
    """Why a Secret is no use for pulling, from a registry if one is named; empty if it is. Pure."""
    if secret is None:
        return "is not there"
    key = _TYPES.get(str(secret.get("type")))
    if key is None:
        return f"is of type {secret.get('type')}"
    try:
        said = json.loads(base64.b64decode((secret.get("data") or {})[key]))
    except (KeyError, ValueError):
        return f"has no {key} that can be read"
    hosts: Mapping[str, object] = said.get("auths", said)
    if not hosts or (registry and not any(registry in host for host in hosts)):
        return f"has credentials for {', '.join(sorted(hosts)) or 'no registry'}, not for {registry or 'any'}"
    return ""


def _cause(message: str) -> str:
    low = message.lower()
    return next((cause for words, cause in _CAUSES if any(word in low for word in words)), "see the message")
