"""What pods refer to, and whether it is there."""

import base64
import json
from typing import Any

import pytest

from tests.kube_server import Serve
from tools.kube.references import missing, opens, references, registries

Object = dict[str, Any]
SPEC: Object = {
    "serviceAccountName": "sa",
    "imagePullSecrets": [{"name": "pull"}],
    "containers": [
        {
            "name": "main",
            "env": [
                {"name": "A", "value": "plain"},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "token", "key": "HF_TOKEN"}}},
                {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "c", "optional": True}}},
            ],
            "envFrom": [{"configMapRef": {"name": "all"}}],
        }
    ],
    "volumes": [
        {"name": "tls", "secret": {"secretName": "certs", "items": [{"key": "tls.crt", "path": "a"}]}},
        {"name": "both", "projected": {"sources": [{"configMap": {"name": "root"}}, {"secret": {"name": "certs"}}]}},
        {"name": "model", "persistentVolumeClaim": {"claimName": "models"}},
        {"name": "home", "emptyDir": {}},
    ],
}


def test_everything_that_is_referred_to() -> None:
    assert {(each.kind.kind, each.name, each.keys) for each in references(SPEC)} == {
        ("Secret", "token", ("HF_TOKEN",)),
        ("ConfigMap", "all", ()),
        ("Secret", "certs", ("tls.crt",)),
        ("ConfigMap", "root", ()),
        ("Secret", "certs", ()),
        ("PersistentVolumeClaim", "models", ()),
        ("Secret", "pull", ()),
        ("ServiceAccount", "sa", ()),
    }


def _secret(kind: str, **data: str) -> Object:
    return {"type": kind, "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}}


def test_what_is_missing(serve: Serve) -> None:
    there = {
        "/api/v1/namespaces/ns/secrets/token": _secret("Opaque", token="t"),
        "/api/v1/namespaces/ns/secrets/pull": _secret("Opaque", other="x"),
        "/api/v1/namespaces/ns/secrets/certs": _secret("kubernetes.io/tls", **{"tls.crt": "c"}),
        "/api/v1/namespaces/ns/configmaps/all": {"data": {}},
        "/api/v1/namespaces/ns/serviceaccounts/sa": {},
        "/api/v1/namespaces/ns/persistentvolumeclaims/models": {},
    }
    _, kube = serve(lambda _, path, *__: (200, there[path]) if path in there else (404, {}))
    assert missing(kube, "ns", references(SPEC)) == [
        "Secret token has no key HF_TOKEN (env B of container main refers to it)",
        "there is no ConfigMap root (volume both refers to it)",
        "Secret pull is of type Opaque, and no pull Secret (kubernetes.io/dockerconfigjson)",
    ]


def test_registries_of_pull_secrets(serve: Serve) -> None:
    content = json.dumps({"auths": {"registry.example.com": {"auth": "x"}, "other.example.com/a": {}}})
    there = {
        "/api/v1/namespaces/ns/secrets/pull": _secret(
            "kubernetes.io/dockerconfigjson", **{".dockerconfigjson": content}
        ),
        "/api/v1/namespaces/ns/secrets/broken": _secret("kubernetes.io/dockerconfigjson", **{".dockerconfigjson": "{"}),
    }
    _, kube = serve(lambda _, path, *__: (200, there[path]) if path in there else (404, {}))
    hosts = registries(kube, "ns", ["pull", "broken", "none"])
    assert hosts == {"registry.example.com", "other.example.com/a"}


@pytest.mark.parametrize(
    ("host", "image", "registry", "does"),
    [
        ("registry.example.com", "registry.example.com/a/b:c", "registry.example.com", True),
        ("https://registry.example.com/v2/", "registry.example.com/a/b:c", "registry.example.com", True),
        ("registry.example.com/a", "registry.example.com/a/b:c", "registry.example.com", True),
        ("registry.example.com/z", "registry.example.com/a/b:c", "registry.example.com", False),
        ("*.example.com", "registry.example.com/a/b:c", "registry.example.com", True),
        ("https://index.docker.io/v1/", "vllm/vllm-openai", "docker.io", True),
        ("other.example.com", "registry.example.com/a/b:c", "registry.example.com", False),
    ],
)
def test_which_images_credentials_are_for(host: str, image: str, registry: str, does: bool) -> None:
    assert opens([host], image, registry) is does
