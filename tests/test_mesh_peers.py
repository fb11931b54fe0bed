"""Which PeerAuthentication counts, level by level, and which DestinationRule is against it."""

from typing import Any

import pytest

from tools.mesh.peers import Demand, demand, ignored
from tools.mesh.towards import Said, conflict, said

Object = dict[str, Any]
ROOT, NS = "istio-system", "llm"
POD: Object = {"metadata": {"name": "server", "namespace": NS, "labels": {"app": "llm", "role": "workload"}}}


def policy(name: str, mode: str = "", namespace: str = NS, at: int = 0, **spec: Any) -> Object:
    """A PeerAuthentication; `at` is the second of its creation."""
    metadata = {"name": name, "namespace": namespace, "creationTimestamp": f"2026-11-24T10:00:{at:02}Z"}
    return {"metadata": metadata, "spec": ({"mtls": {"mode": mode}} if mode else {}) | spec}


MESH = policy("mesh", "STRICT", ROOT)
NAMESPACE = policy("namespace", "PERMISSIVE")
OWN: Object = {"selector": {"matchLabels": {"app": "llm"}}}
OTHER: Object = {"selector": {"matchLabels": {"app": "another"}}}


@pytest.mark.parametrize(
    ("policies", "mode", "source"),
    [
        ([], "PERMISSIVE", "Istio's default"),
        ([MESH], "STRICT", "istio-system/mesh of the mesh"),
        ([MESH, NAMESPACE], "PERMISSIVE", "llm/namespace of the namespace"),
        ([MESH, policy("unset", "UNSET")], "STRICT", "of the mesh"),
        ([MESH, policy("empty")], "STRICT", "of the mesh"),
        ([NAMESPACE, policy("own", "STRICT", **OWN)], "STRICT", "llm/own of the workload"),
        ([NAMESPACE, policy("other", "STRICT", **OTHER)], "PERMISSIVE", "llm/namespace of the namespace"),
        ([policy("elsewhere", "STRICT", "default")], "PERMISSIVE", "Istio's default"),
        # A selector in the root namespace is for pods of the root namespace, and for no others'.
        ([policy("root", "STRICT", ROOT, **OWN)], "PERMISSIVE", "Istio's default"),
        ([policy("own", "STRICT", portLevelMtls={"8000": {"mode": "DISABLE"}}, **OWN)], "DISABLE", "for port 8000"),
        ([policy("own", "STRICT", portLevelMtls={8000: {"mode": "PERMISSIVE"}}, **OWN)], "PERMISSIVE", "for port 8000"),
        ([policy("own", "STRICT", portLevelMtls={"8000": {"mode": "UNSET"}}, **OWN)], "STRICT", "of the workload"),
        ([policy("own", "STRICT", portLevelMtls={"8001": {"mode": "DISABLE"}}, **OWN)], "STRICT", "of the workload"),
        # Of a port without a mode of the workload's own, the rest is the namespace's.
        ([MESH, policy("own", portLevelMtls={"9": {"mode": "DISABLE"}}, **OWN)], "STRICT", "of the mesh"),
        ([policy("late", "STRICT", at=9), policy("early", "DISABLE", at=1)], "DISABLE", "llm/early"),
        ([policy("b", "STRICT"), policy("a", "DISABLE")], "DISABLE", "llm/a"),
    ],
)
def test_the_narrowest_counts_and_of_a_level_the_oldest(policies: list[Object], mode: str, source: str) -> None:
    found = demand(policies, POD, 8000, ROOT)
    assert found.mode == mode
    assert source in str(found)


def test_policies_in_vain_are_told() -> None:
    found = [
        policy("early", "STRICT", at=1),
        policy("late", "PERMISSIVE", at=2, portLevelMtls={"8000": {"mode": "DISABLE"}}),
        policy("mesh", "STRICT", ROOT),
        policy("own", "STRICT", at=3, **OWN),
        policy("own-too", "DISABLE", at=4, **OWN),
        policy("other", "DISABLE", at=5, **OTHER),
    ]
    assert ignored(found, POD, ROOT) == [
        "PeerAuthentication llm/late has no effect: llm/early is older, and one counts for namespace llm",
        "PeerAuthentication llm/own-too has no effect: llm/own is older, and one counts for pod server",
        "PeerAuthentication llm/late has no effect: ports without a selector are ignored",
    ]
    assert ignored([found[0], found[2], found[3], found[5]], POD, ROOT) == []


def rule(name: str, host: str, mode: str, at: int = 0, **policy: Any) -> Object:
    """A DestinationRule."""
    metadata = {"name": name, "namespace": NS, "creationTimestamp": f"2026-11-24T10:00:{at:02}Z"}
    tls = {"tls": {"mode": mode}} if mode else {}
    return {"metadata": metadata, "spec": {"host": host, "trafficPolicy": tls | policy}}


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], None),
        ([rule("other", "else", "DISABLE")], None),
        ([rule("plain", "svc", "")], None),
        ([rule("short", "svc", "DISABLE")], "DISABLE"),
        ([rule("full", "svc.llm.svc.cluster.local", "SIMPLE")], "SIMPLE"),
        ([rule("elsewhere", "svc.default.svc.cluster.local", "SIMPLE")], None),
        ([rule("wide", "*.llm.svc.cluster.local", "DISABLE")], "DISABLE"),
        ([rule("all", "*", "DISABLE"), rule("wide", "*.llm.svc.cluster.local", "SIMPLE")], "SIMPLE"),
        ([rule("wide", "*.llm.svc.cluster.local", "DISABLE"), rule("own", "svc", "ISTIO_MUTUAL")], "ISTIO_MUTUAL"),
        # The most specific one counts also where it says nothing of TLS.
        ([rule("wide", "*.llm.svc.cluster.local", "DISABLE"), rule("own", "svc", "")], None),
        ([rule("late", "svc", "SIMPLE", at=2), rule("early", "svc", "DISABLE", at=1)], "DISABLE"),
        (
            [rule("port", "svc", "DISABLE", portLevelSettings=[{"port": {"number": 8000}, "tls": {"mode": "SIMPLE"}}])],
            "SIMPLE",
        ),
        (
            [rule("port", "svc", "DISABLE", portLevelSettings=[{"port": {"number": 8001}, "tls": {"mode": "SIMPLE"}}])],
            "DISABLE",
        ),
    ],
)
def test_the_most_specific_rule_counts(rules: list[Object], expected: str | None) -> None:
    found = said(rules, "svc", NS, 8000)
    assert (found.mode if found else None) == expected


@pytest.mark.parametrize(
    ("mode", "demanded", "words"),
    [
        ("ISTIO_MUTUAL", "STRICT", ""),
        ("ISTIO_MUTUAL", "PERMISSIVE", ""),
        ("ISTIO_MUTUAL", "DISABLE", "takes plaintext only"),
        ("DISABLE", "STRICT", "503 at the gateway"),
        ("SIMPLE", "STRICT", "503 at the gateway"),
        ("DISABLE", "PERMISSIVE", "is not encrypted"),
        ("DISABLE", "DISABLE", ""),
    ],
)
def test_what_clients_are_told_against_what_is_demanded(mode: str, demanded: str, words: str) -> None:
    found = conflict(Said("llm/rule", mode), Demand(demanded, "somebody"))
    assert bool(found) == bool(words)
    assert words in found
    assert not found or "llm/rule has tls mode" in found


def test_without_a_rule_clients_find_out_by_themselves() -> None:
    assert conflict(None, Demand("STRICT", "somebody")) == ""
