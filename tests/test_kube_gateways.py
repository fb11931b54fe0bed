"""Gateways and their proxies, and what they are told of what is behind them: read from objects."""

from typing import Any

import pytest

from tools.kube import backends, gateways
from tools.kube.llm_service import Place

Object = dict[str, Any]


def gateway(listener: Object, conditions: list[Object] | None = None, attached: int = 1) -> Object:
    told = {"name": "https", "attachedRoutes": attached, "conditions": conditions or []}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "metadata": {"name": "gw", "namespace": "n", "generation": 2},
        "spec": {"listeners": [listener]},
        "status": {"listeners": [told]},
    }


def rows(**status: str) -> list[Object]:
    return [
        {"type": kind, "status": status.get(kind, "True"), "reason": "R", "observedGeneration": 2}
        for kind in gateways.HOLDS
    ]


HTTPS = {
    "name": "https",
    "port": 443,
    "protocol": "HTTPS",
    "tls": {"certificateRefs": [{"name": "a"}, {"name": "b", "namespace": "m"}]},
}


def test_a_listener_is_read_with_its_status() -> None:
    (found,) = gateways.listeners(gateway(HTTPS, rows(), attached=3))
    assert (str(found), found.attached, found.trouble) == ("https: HTTPS at 443", 3, ())
    assert found.certificates == (Place("n", "a"), Place("m", "b"))


def test_a_listener_that_is_not_well_says_why() -> None:
    (found,) = gateways.listeners(gateway(HTTPS, rows(ResolvedRefs="False")))
    assert [line.split()[0] for line in found.trouble] == ["ResolvedRefs=False"]
    (unknown,) = gateways.listeners(gateway(HTTPS | {"name": "other"}))
    assert unknown.trouble == ("Accepted is absent", "Programmed is absent", "ResolvedRefs is absent")


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("docker.io/istio/proxyv2:1.31", "1.31"),
        ("registry:5000/istio/proxyv2", ""),
        ("istio/proxyv2:1.31@sha256:0", "1.31"),
        ("istio/proxyv2@sha256:0", ""),
    ],
)
def test_tags(image: str, tag: str) -> None:
    assert gateways.tag(image) == tag


def pod(name: str, *, ready: bool = True) -> Object:
    status = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    return {"metadata": {"name": name, "labels": {"gw": "a"}}, "status": status}


def budget(**labels: str) -> Object:
    return {"spec": {"selector": {"matchLabels": labels}}}


@pytest.mark.parametrize(
    ("pods", "budgets", "covered", "wrong"),
    [
        ([pod("1"), pod("2")], [budget(gw="a")], True, []),
        ([pod("1"), pod("2")], [], False, []),
        ([pod("1"), pod("2", ready=False)], [], False, ["1 ready proxies"]),
        ([pod("1"), pod("2")], [budget(gw="b")], True, [f"no PodDisruptionBudget covers {n}" for n in "12"]),
        ([pod("1")], [budget()], True, ["1 ready proxies", "no PodDisruptionBudget covers 1"]),
    ],
)
def test_availability(pods: list[Object], budgets: list[Object], covered: bool, wrong: list[str]) -> None:
    assert gateways.unavailable(pods, budgets, 2, budget=covered) == wrong


def rule(host: str = "svc", **policy: Any) -> Object:
    return {"metadata": {"name": "r"}, "spec": {"host": host, "trafficPolicy": policy}}


def service(**port: Any) -> tuple[Object, Object]:
    return {"metadata": {"name": "svc", "namespace": "n"}}, {"port": 8000, **port}


SIMPLE = {"mode": "SIMPLE"}


@pytest.mark.parametrize(
    ("port", "rules", "tls"),
    [
        ({"appProtocol": "https"}, [], True),
        ({"appProtocol": "http", "name": "https"}, [], False),
        ({"name": "https-api"}, [], True),
        ({"name": "grpc-ext-proc"}, [], False),
        ({"name": "grpc"}, [rule(tls=SIMPLE)], True),
        ({"name": "grpc"}, [rule("svc.n.svc.cluster.local", tls=SIMPLE)], True),
        ({"name": "grpc"}, [rule("other", tls=SIMPLE)], False),
        ({"name": "grpc"}, [rule("*.n.svc.cluster.local", tls=SIMPLE)], True),
        ({"name": "grpc"}, [rule(tls={"mode": "DISABLE"})], False),
        ({"name": "grpc"}, [rule(portLevelSettings=[{"port": {"number": 8000}, "tls": SIMPLE}])], True),
        ({"name": "grpc"}, [rule(portLevelSettings=[{"port": {"number": 1}, "tls": SIMPLE}])], False),
        ({"name": "zmq"}, [], None),
        ({}, [], None),
    ],
)
def test_what_is_declared(port: Object, rules: list[Object], tls: bool | None) -> None:
    found, each = service(**port)
    assert backends.declared(found, each, rules).tls is tls


@pytest.mark.parametrize(
    ("told", "spoken", "words"),
    [
        (backends.Declared("https", ""), False, "WRONG_VERSION_NUMBER"),
        (backends.Declared("grpc", "r"), False, "DestinationRule r asks for TLS"),
        (backends.Declared("http", ""), True, "the pod speaks TLS"),
        (backends.Declared("http", ""), False, ""),
        (backends.Declared("grpc", "r"), True, ""),
        (backends.Declared("", ""), True, ""),
        (backends.Declared("https", ""), None, ""),
    ],
)
def test_mismatch(told: backends.Declared, spoken: bool | None, words: str) -> None:
    found = backends.mismatch(told, spoken)
    assert words in found
    assert bool(found) is bool(words)


def proxy(*mounts: str) -> Object:
    containers = [{"volumeMounts": [{"mountPath": each} for each in mounts]}]
    return {"metadata": {"name": "p"}, "spec": {"containers": containers}}


@pytest.mark.parametrize(
    ("path", "mounts", "mounted"),
    [
        ("/etc/ca/ca.crt", ("/etc/ca",), True),
        ("/etc/ca/ca.crt", ("/etc/ca/",), True),
        ("/etc/ca/ca.crt", ("/etc/ca/ca.crt",), True),
        ("/etc/ca/ca.crt", ("/etc/c",), False),
        ("/etc/ca/ca.crt", (), False),
        ("system", (), True),
    ],
)
def test_files_of_rules_are_mounted(path: str, mounts: tuple[str, ...], mounted: bool) -> None:
    found = backends.not_mounted(rule(tls=SIMPLE | {"caCertificates": path}), [proxy(*mounts)])
    assert (found == []) is mounted


@pytest.mark.parametrize(
    ("tls", "why"),
    [
        (SIMPLE | {"insecureSkipVerify": True, "caCertificates": "/a"}, "insecureSkipVerify is true"),
        (SIMPLE, "it names no caCertificates"),
        (SIMPLE | {"caCertificates": "/a"}, ""),
        ({"mode": "ISTIO_MUTUAL"}, ""),
        ({"mode": "DISABLE"}, ""),
    ],
)
def test_unverified(tls: Object, why: str) -> None:
    found = backends.unverified(rule(tls=tls), ())
    assert [line.rpartition(": ")[2] for line in found] == ([why] if why else [])
    assert backends.unverified(rule(tls=tls), ("svc",)) == []
