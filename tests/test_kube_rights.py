"""Rights of each way of running: the ladder, the ready roles, and the table in the documentation."""

from itertools import pairwise

import pytest
import yaml

from tools import rbac
from tools.cases import capabilities
from tools.kube import rights
from tools.kube.access import Access
from tools.kube.rights import (
    Mode,
    Places,
    all_of,
    ladder,
    needed,
    ready_role,
    to_disturb_cluster,
    to_disturb_service,
    to_isolate,
    useful,
)
from tools.paths import CHECKOUT

_PLACES = Places("s", "g", "k", "i", "o", "l")
_CHANGES = {"create", "update", "patch", "delete", "deletecollection"}


@pytest.mark.parametrize("name", rbac.FILES)
def test_ready_roles_are_those_of_the_code(name: str) -> None:
    file = rbac.DIRECTORY / f"{name}.yaml"
    assert file.read_text() == rbac.text(name), "python -m tools.rbac writes it anew"


def test_no_other_roles_are_there() -> None:
    assert {path.stem for path in rbac.DIRECTORY.iterdir()} == set(rbac.FILES)


@pytest.mark.parametrize("name", rbac.FILES)
def test_ready_roles_grant_all_and_nothing_more(name: str) -> None:
    mode, places, _ = rbac.FILES[name]
    granted = set()
    for role in yaml.safe_load_all((rbac.DIRECTORY / f"{name}.yaml").read_text()):
        namespace = role["metadata"].get("namespace", "")
        assert (role["kind"] == "Role") == bool(namespace)
        for rule in role["rules"]:
            granted |= {Access(verb, path) for path in rule.get("nonResourceURLs", []) for verb in rule["verbs"]}
            granted |= {
                Access(verb, resource.partition("/")[0], group, namespace, resource.partition("/")[2])
                for group in rule.get("apiGroups", [])
                for resource in rule.get("resources", [])
                for verb in rule["verbs"]
            }
    assert granted == set(all_of(mode, places))


def test_table_in_the_documentation_is_that_of_the_code() -> None:
    assert rbac.table() in (CHECKOUT / "docs" / "clusters.md").read_text(), "python -m tools.rbac prints it"


def test_reading_changes_nothing() -> None:
    # A review is a question that is posted; nothing is stored.
    found = {each.verb for each in all_of(Mode.READ, _PLACES) if each.resource != "subjectaccessreviews"}
    assert found & _CHANGES == set()


def test_nobody_reads_secrets_but_whoever_deploys() -> None:
    for mode in (Mode.READ, Mode.TRAFFIC, Mode.PROBES):
        assert "secrets" not in {each.resource for each in all_of(mode, _PLACES)}
    assert {each.verb for each in all_of(Mode.DEPLOY, _PLACES) if each.resource == "secrets"} == {
        "get",
        "create",
        "patch",
    }


@pytest.mark.parametrize("mode", list(Mode))
def test_each_step_rests_on_itself(mode: Mode) -> None:
    assert mode in ladder(mode)
    assert set(needed(mode, _PLACES)) <= set(all_of(mode, _PLACES))


def test_steps_widen() -> None:
    steps = [set(all_of(mode, _PLACES)) for mode in (Mode.READ, Mode.TRAFFIC, Mode.PROBES, Mode.DEPLOY)]
    assert all(before < after for before, after in pairwise(steps))


def test_rights_are_asked_for_where_they_are_used() -> None:
    found = all_of(Mode.DEPLOY, _PLACES)
    assert Access("get", "pods", "", "s") in found
    assert Access("get", "gateways", "gateway.networking.k8s.io", "g") in found
    assert Access("create", "llminferenceservices", "serving.kserve.io", "o") in found
    assert Access("create", "leases", "coordination.k8s.io", "l") in found
    assert Access("create", "pods", "", "i", "portforward") in found
    assert Access("get", "/metrics") in found


def test_purposes_are_capabilities_of_cases() -> None:
    known = {each.name for each in capabilities.ALL}
    for purpose in (rights.FORWARD, rights.NODES, rights.ISTIOD):
        assert purpose in known
    assert set(useful(Mode.TRAFFIC, _PLACES)) <= known


def test_faults_of_a_service_stay_in_its_namespace() -> None:
    found = to_disturb_service(_PLACES)
    beyond = {each.resource for each in found if each.namespace not in ("o", "k")}
    assert beyond == {"validatingadmissionpolicies", "validatingadmissionpolicybindings"}
    assert {each.verb for each in found if each.namespace == "k"} == {"get"}


def test_faults_of_the_cluster_scale_controllers_and_relabel_nodes() -> None:
    found = to_disturb_cluster(_PLACES)
    assert Access("patch", "deployments", "apps", "k") in found
    assert Access("patch", "deployments", "apps", "i") in found
    assert Access("patch", "nodes") in found


def test_only_who_deploys_an_isolated_service_needs_to_read_every_namespace() -> None:
    places = Places(kserve="kserve", istio="istio-system")
    found = to_isolate(Mode.DEPLOY, places)
    assert Access("list", "networkpolicies", "networking.k8s.io") in found
    assert {each.namespace for each in found} == {""}
    assert to_isolate(Mode.READ, places) == []


@pytest.mark.parametrize("mode", [Mode.READ, Mode.TRAFFIC, Mode.DEPLOY])
def test_the_ready_role_is_there_and_grants_it(mode: Mode) -> None:
    text = (CHECKOUT / ready_role(mode)).read_text()
    assert "networkpolicies" in text
    assert "endpointslices" in text
