"""Requirements say what they need and what there is; what a run may is decided from options and the user's rights."""

import pytest

from tools.cases import capabilities
from tools.cases.capabilities import (
    ACCOUNTS,
    BESIDE,
    BY_FIXTURE,
    CHILDREN,
    CONTROLLERS,
    DEPLOY,
    DISRUPT_CLUSTER,
    DISRUPT_SERVICE,
    DRY_RUN,
    EXCLUSIVE,
    FORWARD,
    ISTIOD,
    MESH_POLICIES,
    NODES,
    PICKER_METRICS,
    PLATFORM,
    PLATFORM_SECRETS,
    PROMETHEUS,
    READS_AUTHORIZATIONS,
    READS_ISOLATION,
    READS_LOGS,
    READS_POLICIES,
    READS_ROUTES,
    READS_STORAGE,
    REVIEWS,
    THROUGH,
    THROUGH_ISTIO,
    TRAFFIC,
)
from tools.cases.requirement import Facts, Finding, Requirement, claimed, feature, may, unmet
from tools.cases.rights import exclusive, findings
from tools.cluster.rules import Disruption, Grant
from tools.kube.access import Access, Permissions
from tools.kube.rights import Mode, Places, all_of, to_disturb_cluster, to_disturb_service
from tools.profile import load_profile
from tools.report.record import FeatureRecord

PROFILE = load_profile("local-gpu")
PLACES = Places("team", "team", "kserve", "istio-system", "", "default")
POOL = FeatureRecord("inference-pool-v1", True, "served in v1", "/apis")
KEDA = FeatureRecord("keda", False, "no kind", "/apis")
POLICY = FeatureRecord("network-policy-enforcement", None, "could not be told", "the canary")
OURS, OTHERS = Grant(owned=True), Grant(owned=False)


@pytest.mark.parametrize(
    ("name", "ok", "have"),
    [
        ("inference-pool-v1", True, "served in v1 (/apis)"),
        ("keda", False, "no kind (/apis)"),
        ("network-policy-enforcement", False, "could not be told (the canary)"),
        ("telemetry", False, "it was not looked for on this cluster"),
    ],
)
def test_a_feature_is_there_or_not(name: str, ok: bool, have: str) -> None:
    facts = Facts(PROFILE, features={each.name: each for each in (POOL, KEDA, POLICY)})
    assert feature(name).decide(facts) == Finding(ok, f"the feature {name}", have)


def test_a_feature_before_there_is_a_cluster() -> None:
    assert feature("keda").decide(Facts(PROFILE)) == Finding(None, "the feature keda", "no cluster yet")


def test_a_promise_is_the_profiles_or_not() -> None:
    found = claimed("sidecars").decide(Facts(PROFILE))
    assert (found.ok, found.have) == (True, PROFILE.claims()["sidecars"])
    assert str(claimed("kiali").decide(Facts(PROFILE))) == (
        "need a profile that promises kiali; have profile local-gpu does not"
    )


def test_what_is_unmet_is_told_once_and_what_is_open_not_at_all() -> None:
    denied = Finding(False, "a flag", "none")
    facts = Facts(PROFILE, {"shake": denied, "quake": denied}, None)
    requires = (may("shake"), may("quake"), may("unheard of"), feature("keda"), claimed("sidecars"))
    assert unmet(requires, facts) == [denied]
    assert may("unheard of").decide(facts).ok is None


def test_every_capability_is_decided_in_every_mode() -> None:
    for mode in Mode:
        found = findings(mode, OURS, PLACES, None, audits=False)
        assert found.keys() == {each.name for each in capabilities.ALL}
        assert all(each.ok is not None for each in found.values())
    assert {each.name for each in BY_FIXTURE.values()} <= {each.name for each in capabilities.ALL}


LOOKING = {NODES, CONTROLLERS, READS_POLICIES, READS_LOGS, READS_ROUTES, READS_STORAGE, ACCOUNTS, REVIEWS, PLATFORM}
LOOKING |= {READS_ISOLATION, READS_AUTHORIZATIONS, PROMETHEUS}
SENDING = {TRAFFIC, FORWARD, THROUGH, ISTIOD, THROUGH_ISTIO}
DEEPER = {PLATFORM_SECRETS, DRY_RUN}
MAKING = {BESIDE, CHILDREN, MESH_POLICIES}


@pytest.mark.parametrize(
    ("mode", "audits", "granted"),
    [
        (Mode.READ, True, LOOKING),
        (Mode.TRAFFIC, True, {*LOOKING, *SENDING}),
        (Mode.PROBES, True, {*LOOKING, *SENDING, PICKER_METRICS}),
        # Whatever else the run may do: what was there before, others use as well.
        (Mode.DEPLOY, True, {*LOOKING, *SENDING, PICKER_METRICS, *DEEPER}),
        (Mode.DEPLOY, False, {*LOOKING, *SENDING, PICKER_METRICS, *DEEPER, EXCLUSIVE, DEPLOY, *MAKING}),
    ],
)
def test_what_a_mode_may(mode: Mode, audits: bool, granted: set[Requirement]) -> None:
    permissions = Permissions("eve", frozenset(all_of(mode, PLACES)), {})
    found = findings(mode, OTHERS, PLACES, permissions, audits=audits)
    assert {name for name, each in found.items() if each.ok} == {each.name for each in granted}


@pytest.mark.parametrize(
    ("mode", "role"), [(Mode.READ, "reader"), (Mode.TRAFFIC, "auditor-with-traffic"), (Mode.DEPLOY, "deployer")]
)
def test_who_may_not_read_other_namespaces_is_told_which_role_grants_it(mode: Mode, role: str) -> None:
    lacking = Access("list", "networkpolicies", "networking.k8s.io")
    rights = frozenset(all_of(mode, PLACES)) - {lacking}
    found = findings(mode, OTHERS, PLACES, Permissions("eve", rights, {}), audits=True)[READS_ISOLATION.name]
    assert found.ok is False
    assert "eve lacks list networkpolicies.networking.k8s.io" in found.have
    assert f"manifests/rbac/{role}.yaml grants it" in found.have


def test_a_cluster_of_our_own_may_be_disturbed() -> None:
    found = findings(Mode.DEPLOY, OURS, PLACES, None, audits=False)
    assert all(each.ok for each in found.values())


@pytest.mark.parametrize(
    ("allowed", "pinned", "granted"),
    [
        (Disruption.NONE, True, set()),
        (Disruption.SERVICE, False, {DISRUPT_SERVICE}),
        (Disruption.CLUSTER, False, {DISRUPT_SERVICE}),
        (Disruption.CLUSTER, True, {DISRUPT_SERVICE, DISRUPT_CLUSTER}),
    ],
)
def test_another_cluster_is_disturbed_as_far_as_is_allowed(
    allowed: Disruption, pinned: bool, granted: set[Requirement]
) -> None:
    rights = [*to_disturb_service(PLACES), *to_disturb_cluster(PLACES)]
    grant = Grant(False, allowed, pinned)
    found = findings(Mode.DEPLOY, grant, PLACES, Permissions("eve", frozenset(rights), {}), audits=False)
    disruptive = {DISRUPT_SERVICE.name, DISRUPT_CLUSTER.name}
    assert {name for name in disruptive if found[name].ok} == {each.name for each in granted}


def test_a_right_that_is_lacking_is_named() -> None:
    rights = frozenset(all_of(Mode.TRAFFIC, PLACES)) - {Access("create", "pods", "", "team", "portforward")}
    found = findings(Mode.TRAFFIC, OTHERS, PLACES, Permissions("eve", rights, {}), audits=True)
    assert str(found[FORWARD.name]) == (
        "need the rights get, create pods/portforward in team; have eve lacks create pods/portforward in team"
    )
    anonymous = findings(Mode.TRAFFIC, OTHERS, PLACES, Permissions("", rights, {}), audits=True)
    assert anonymous[FORWARD.name].have.startswith("this user lacks")


def test_an_audited_service_is_ours_alone_while_its_counters_stand_still() -> None:
    shared = Finding(False, "a service that nobody else uses", "an audited service")
    idle = FeatureRecord("idle-counters", True, "no request in 3 s", "counters")
    busy = FeatureRecord("idle-counters", False, "7 requests in 3 s", "counters")
    assert exclusive(shared, idle) == Finding(True, shared.need, "an audited service: no request in 3 s")
    assert exclusive(shared, busy) == Finding(False, shared.need, "an audited service: 7 requests in 3 s")
    assert exclusive(shared, None) == shared
    ours = Finding(True, "a service that nobody else uses", "ours")
    assert exclusive(ours, busy) == ours
