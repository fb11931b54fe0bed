"""What pods refer to by name, and whether it is there; of Secrets only the names of keys are kept."""

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tools.kube.client import Kube, Object
from tools.kube.kinds import CONFIG_MAP, SECRET, SERVICE_ACCOUNT, VOLUME_CLAIM, Kind

_DOCKER = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}


@dataclass(frozen=True)
class Reference:
    """Something that a pod refers to.

    Attributes:
        kind, name: what.
        keys: that it must have.
        by: what of the pod refers to it.
        pulls: whether it is for a registry.
    """

    kind: Kind
    name: str
    keys: tuple[str, ...]
    by: str
    pulls: bool = False


def references(spec: Object) -> list[Reference]:
    """Everything in its own namespace that a pod's specification needs to start; what is optional is left out. Pure."""
    found = [*_of_containers(spec), *_of_volumes(spec)]
    found += [
        Reference(SECRET, each["name"], (), "imagePullSecrets", True) for each in spec.get("imagePullSecrets", [])
    ]
    if account := spec.get("serviceAccountName"):
        found.append(Reference(SERVICE_ACCOUNT, account, (), "serviceAccountName"))
    return list(dict.fromkeys(found))


def missing(kube: Kube, namespace: str, wanted: Iterable[Reference]) -> list[str]:
    """What is not there, or lacks a key, or is of the wrong type, one line each."""
    return [line for each in wanted if (line := _lacks(kube, namespace, each))]


def registries(kube: Kube, namespace: str, secrets: Iterable[str]) -> set[str]:
    """Hosts of the registries that pull Secrets have credentials for."""
    hosts: set[str] = set()
    for name in secrets:
        found = kube.find(SECRET, name, namespace) or {}
        key = _DOCKER.get(found.get("type", ""), "")
        text = (found.get("data") or {}).get(key)
        if text:
            hosts |= _hosts(base64.b64decode(text), key)
        del found, text
    return hosts


def opens(hosts: Iterable[str], image: str, registry: str) -> bool:
    """Whether credentials for these hosts (host, host/path, *.host) are for an image, as kubelets match them."""
    for host in hosts:
        plain = (
            host.removeprefix("https://").removeprefix("http://").rstrip("/").removesuffix("/v1").removesuffix("/v2")
        )
        name, _, path = plain.partition("/")
        fits = name == registry or (name.startswith("*.") and registry.endswith(name[1:]))
        hub = registry == "docker.io" and name in ("index.docker.io", "docker.io")
        if (fits or hub) and (not path or hub or image.startswith(f"{registry}/{path}")):
            return True
    return False


def _hosts(content: bytes, key: str) -> set[str]:
    try:
        found = json.loads(content)
        return set(found["auths"] if key == ".dockerconfigjson" else found)
    except (ValueError, KeyError, TypeError):
        return set()


def _lacks(kube: Kube, namespace: str, wanted: Reference) -> str:
    found = kube.find(wanted.kind, wanted.name, namespace)
    if found is None:
        return f"there is no {wanted.kind.kind} {wanted.name} ({wanted.by} refers to it)"
    there, kind = {*(found.get("data") or {}), *(found.get("binaryData") or {})}, found.get("type", "")
    del found
    if lacking := sorted(set(wanted.keys) - there):
        return f"{wanted.kind.kind} {wanted.name} has no key {', '.join(lacking)} ({wanted.by} refers to it)"
    if wanted.pulls and _DOCKER.get(kind) not in there:
        return f"Secret {wanted.name} is of type {kind}, and no pull Secret (kubernetes.io/dockerconfigjson)"
    return ""


def _of_containers(spec: Object) -> Iterator[Reference]:
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        name = container["name"]
        for each in container.get("env", []):
            yield from _of_env(each, f"env {each['name']} of container {name}")
        for each in container.get("envFrom", []):
            for key, kind in (("secretRef", SECRET), ("configMapRef", CONFIG_MAP)):
                if key in each and not each[key].get("optional"):
                    yield Reference(kind, each[key]["name"], (), f"envFrom of container {name}")


def _of_env(env: Object, by: str) -> Iterator[Reference]:
    source = env.get("valueFrom", {})
    for key, kind in (("secretKeyRef", SECRET), ("configMapKeyRef", CONFIG_MAP)):
        if key in source and not source[key].get("optional"):
            yield Reference(kind, source[key]["name"], (source[key]["key"],), by)


def _of_volumes(spec: Object) -> Iterator[Reference]:
    for volume in spec.get("volumes", []):
        by = f"volume {volume['name']}"
        for source in [volume, *volume.get("projected", {}).get("sources", [])]:
            secret, config = source.get("secret", {}), source.get("configMap", {})
            if (name := secret.get("secretName", secret.get("name"))) and not secret.get("optional"):
                yield Reference(SECRET, name, _keys(secret), by)
            if config and not config.get("optional"):
                yield Reference(CONFIG_MAP, config["name"], _keys(config), by)
        if claim := volume.get("persistentVolumeClaim"):
            yield Reference(VOLUME_CLAIM, claim["claimName"], (), by)


def _keys(source: Object) -> tuple[str, ...]:
    return tuple(each["key"] for each in source.get("items", []))
