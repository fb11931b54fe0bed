"""What profiles promise: the mission's promises are rehearsed, and nothing is promised that is unsaid."""

from dataclasses import replace

import pytest

from tools.profile import (
    CLAIMS,
    MISSION,
    Authorization,
    Isolation,
    Load,
    Mesh,
    Mtls,
    Observability,
    PodSecurity,
    load_profile,
    profile_names,
)

LOCAL = ["local-gpu", "local-tpu"]


@pytest.mark.parametrize("promise", list(MISSION))
def test_every_promise_of_the_mission_is_claimed_by_a_local_profile(promise: str) -> None:
    assert [name for name in LOCAL if promise in load_profile(name).claims()], f"no local profile: {MISSION[promise]}"


@pytest.mark.parametrize("name", LOCAL)
def test_local_profiles_claim_all_that_the_mission_names(name: str) -> None:
    assert set(MISSION) - set(load_profile(name).claims()) == set()


def test_keys_are_unique_and_every_promise_of_the_mission_is_a_claim() -> None:
    keys = [claim.key for claim in CLAIMS]
    assert len(keys) == len(set(keys))
    assert set(MISSION) <= set(keys)


@pytest.mark.parametrize("name", profile_names())
def test_claims_are_sentences(name: str) -> None:
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in load_profile(name).claims().values())


@pytest.mark.parametrize(
    ("mesh", "key"), [(Mesh.NONE, "no-mesh"), (Mesh.SIDECAR, "sidecars"), (Mesh.AMBIENT, "ambient")]
)
def test_every_way_to_take_part_in_the_mesh_is_one_claim(mesh: Mesh, key: str) -> None:
    found = replace(load_profile("local-gpu"), mesh=mesh).claims()
    assert {"no-mesh", "sidecars", "ambient"} & set(found) == {key}


@pytest.mark.parametrize(
    ("mtls", "keys"), [(Mtls.STRICT, {"strict-mtls"}), (Mtls.PERMISSIVE, {"permissive-mtls"}), (Mtls.OFF, set())]
)
def test_mtls_is_claimed_as_the_profile_says(mtls: Mtls, keys: set[str]) -> None:
    found = replace(load_profile("local-gpu"), mtls=mtls).claims()
    assert {"strict-mtls", "permissive-mtls"} & set(found) == keys


def test_who_may_ask_is_claimed_by_name() -> None:
    full = load_profile("local-gpu")
    assert "authorization" not in full.claims()
    said = replace(full, authorization=Authorization(True, ("tenants",))).claims()["authorization"]
    assert "the Gateway, pods of namespace tenants ask" in said


@pytest.mark.parametrize("level", [PodSecurity.RESTRICTED, PodSecurity.BASELINE])
def test_pod_security_is_claimed_by_level(level: PodSecurity) -> None:
    full = load_profile("local-gpu")
    assert "pod-security" not in full.claims()
    assert level.value in replace(full, pod_security=level).claims()["pod-security"]


def test_nothing_is_claimed_that_is_not_said() -> None:
    full = load_profile("local-gpu")
    nothing = Load(None, None, None, None, None)
    bare = replace(
        full,
        isolation=Isolation.NONE,
        observability=Observability(False, False, False, False, "", "", ""),
        budgets=replace(full.budgets, load=nothing),
    )
    assert set(full.claims()) - set(bare.claims()) == {"default-deny", "metrics", "prometheus", "budgets"}


def test_a_budget_of_zero_failures_is_a_budget() -> None:
    full = load_profile("local-gpu")
    load = Load(None, None, None, None, error_rate=0)
    claims = replace(full, budgets=replace(full.budgets, load=load)).claims()
    assert claims["budgets"] == "Under load: at most a share of 0 failed requests."


def test_kiali_and_jaeger_are_claimed_where_they_are_there() -> None:
    claims = replace(
        load_profile("local-gpu"), observability=Observability(True, True, True, True, "", "", "")
    ).claims()
    assert {"kiali", "jaeger"} <= set(claims)


def test_sentences_have_the_profiles_own_values() -> None:
    claims = load_profile("openshift-ai").claims()
    assert "openshift-ingress/openshift-ai-inference of class openshift-default" in claims["gateway"]
    assert "1 nvidia.com/gpu (NVIDIA T4), on a node with nvidia.com/gpu.product=Tesla-T4" in claims["accelerator"]
