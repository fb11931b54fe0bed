"""A command line as one value: what options mean together, and what of it is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tools.cluster.rules import Disruption
from tools.conflicts import refuse
from tools.errors import UserError
from tools.kube.llm_service import Place
from tools.kube.rights import Mode
from tools.profile import load_profile
from tools.settings import (
    WHOLE,
    Cleanup,
    Part,
    Proving,
    Settings,
    Where,
    mode_of,
    part_of,
    proving_of,
    target_of,
)

LOCAL = {"gpu": load_profile("local-gpu"), "tpu": load_profile("local-tpu")}
GKE = {"gpu": load_profile("gke-t4")}
DIGEST = f"registry.example.com/agnhost@sha256:{'0' * 64}"


def settings(**changes: Any) -> Settings:
    """Those of a bare `pytest -m gpu`, with changes."""
    plain = Settings(
        where=Where.LOCAL,
        context="",
        kubeconfig=None,
        profiles=LOCAL,
        install=False,
        target=None,
        mode=Mode.DEPLOY,
        disruption=Disruption.NONE,
        lease_namespace="default",
        cleanup=Cleanup.ALWAYS,
        plan=False,
        proving=None,
        minimal=False,
        token_env="",
        ca_file=None,
        probe_image="",
        skips=Path("skips.yaml"),
        known_issues=Path("known-issues.yaml"),
        timeouts={},
    )
    return replace(plain, **changes)


def existing(**changes: Any) -> Settings:
    """Those of an existing cluster."""
    return settings(**{"where": Where.EXISTING, "context": "mine", "profiles": GKE} | changes)


AUDIT = {"target": Place("team", "llm"), "mode": Mode.READ}
KUBECONFIG = Path("config")


@pytest.mark.parametrize(
    "taken",
    [
        settings(),
        settings(proving=Proving()),
        settings(where=Where.KIND, profiles=GKE),
        settings(**AUDIT | {"profiles": {"gpu": LOCAL["gpu"]}}),
        existing(),
        existing(kubeconfig=KUBECONFIG, install=True),
        existing(**AUDIT),
        existing(**AUDIT | {"mode": Mode.PROBES, "probe_image": DIGEST}),
        existing(disruption=Disruption.CLUSTER, proving=Proving(Part(3, 10))),
    ],
)
def test_it_is_taken(taken: Settings) -> None:
    refuse(taken)


@pytest.mark.parametrize(
    ("refused", "expected"),
    [
        (existing(context=""), "--context NAME"),
        (settings(context="mine"), "--cluster existing with --context"),
        (settings(where=Where.KIND, profiles=GKE, kubeconfig=KUBECONFIG), "--cluster existing with --context"),
        (existing(mode=Mode.READ), "--target NAMESPACE/NAME with --read-only"),
        (settings(install=True), "--install with --cluster existing only"),
        (existing(**AUDIT, install=True), "--install or --read-only"),
        (
            existing(**AUDIT, proving=Proving(), disruption=Disruption.SERVICE),
            "--prove on a service that this run deploys",
        ),
        (existing(proving=Proving()), "--allow-disruption=service"),
        (settings(disruption=Disruption.SERVICE), "--allow-disruption with --cluster existing only"),
        (settings(**AUDIT), "one profile for the one service"),
        (settings(where=Where.KIND), "--profile with images that a kind cluster can pull"),
        (existing(profiles=GKE | {"tpu": load_profile("openshift-ai")}), "profiles that are for one cluster"),
        (settings(probe_image="agnhost:2"), "a probe image by digest"),
    ],
)
def test_it_is_refused_with_a_next_step(refused: Settings, expected: str) -> None:
    with pytest.raises(UserError) as error:
        refuse(refused)
    assert expected in error.value.expected
    assert error.value.observed
    assert error.value.next_step


@pytest.mark.parametrize(
    ("audits", "read_only", "traffic", "probes", "mode"),
    [
        (False, False, False, False, Mode.DEPLOY),
        (True, False, False, False, Mode.PROBES),
        (True, True, False, False, Mode.READ),
        (True, True, True, False, Mode.TRAFFIC),
        (True, True, False, True, Mode.PROBES),
        (True, True, True, True, Mode.PROBES),
    ],
)
def test_options_are_a_mode(audits: bool, read_only: bool, traffic: bool, probes: bool, mode: Mode) -> None:
    assert mode_of(audits=audits, read_only=read_only, traffic=traffic, probes=probes) is mode


@pytest.mark.parametrize(("traffic", "probes"), [(True, False), (False, True)])
def test_what_widens_read_only_needs_it(traffic: bool, probes: bool) -> None:
    with pytest.raises(UserError, match="--read-only is missing"):
        mode_of(audits=True, read_only=False, traffic=traffic, probes=probes)


def test_a_target_is_a_place() -> None:
    assert target_of("team-1/llm.x".replace(".", "-")) == Place("team-1", "llm-x")
    assert target_of("") is None


@pytest.mark.parametrize("text", ["llm", "team/", "/llm", "team/llm/x", "Team/llm", "team/-llm", "team/llm "])
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(UserError, match="--target NAMESPACE/NAME"):
        target_of(text)


def test_parts_share_all_places_among_them() -> None:
    parts = [part_of(f"{number}/3") for number in range(3)]
    owners = [[part.number for part in parts if part.has(place)] for place in range(7)]
    assert owners == [[0], [1], [2], [0], [1], [2], [0]]


@pytest.mark.parametrize("text", ["", "3/3", "1/0", "-1/3", "a/b", "1", "1/3/5", "0/0"])
def test_what_is_no_part(text: str) -> None:
    with pytest.raises(UserError, match="--prove-part K/N with K from 0 to N-1"):
        part_of(text)


def test_how_to_prove() -> None:
    assert proving_of(prove=False, part=WHOLE, resume="") is None
    assert proving_of(prove=True, part=WHOLE, resume="") == Proving(Part(0, 1))
    assert proving_of(prove=True, part="2/9", resume="reports/x") == Proving(Part(2, 9), Path("reports/x"))


@pytest.mark.parametrize(("part", "resume"), [("1/9", ""), (WHOLE, "reports/x")])
def test_parts_and_resumption_are_of_proofs(part: str, resume: str) -> None:
    with pytest.raises(UserError, match="--prove is missing"):
        proving_of(prove=False, part=part, resume=resume)
