"""What the audit finds in policies of a cluster: by name, with the right explanation, and a rule that is right."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml

from tests.netpolicy_service import APART, GATEWAY, LEAST, PICKER, SERVER, SHARED, world
from tests.netpolicy_world import policy
from tools.netpolicy.audit_flows import missing, unisolated
from tools.netpolicy.audit_selectors import dead, unable
from tools.netpolicy.audit_width import leaking, wide
from tools.netpolicy.facts import Facts
from tools.netpolicy.finding import Finding
from tools.netpolicy.generate import policies
from tools.netpolicy.oracle import PodEnd, decide
from tools.netpolicy.world import Object, World

Audit = Callable[[World, Facts], list[Finding]]
AUDITS: dict[str, Audit] = {
    "wide": wide, "leaking": leaking, "missing": missing, "unisolated": unisolated, "dead": dead, "unable": unable
}  # fmt: skip
EVERY_POD: dict[str, Any] = {"namespaceSelector": {}, "podSelector": {}}
SERVERS = {"podSelector": {"matchLabels": {"kserve.io/component": "workload"}}}
TCP443 = [{"protocol": "TCP", "port": 443}]
# As many clusters have them: the brief's three, with a rule for the kubelet that is for everybody, and a way to the
# internet that leads to pods.
BRIEF = [
    policy("llm/default-deny-all", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}),
    policy("llm/allow-gateway-to-vllm", SERVERS | {"policyTypes": ["Ingress"], "ingress": [
        {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kserve"}},
                   "podSelector": {"matchLabels": GATEWAY}}], "ports": [{"protocol": "TCP", "port": 8000}]},
        {"from": [EVERY_POD], "ports": [{"protocol": "TCP", "port": 8000}]},
    ]}),
    policy("llm/allow-vllm-egress", SERVERS | {"policyTypes": ["Egress"], "egress": [
        {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
                 "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}], "ports": [{"protocol": "UDP", "port": 53}]},
        {"to": [{"namespaceSelector": {}}], "ports": TCP443},
        {"to": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"component": "apiserver"}}}],
         "ports": TCP443},
    ]}),
]  # fmt: skip
WITH_SOURCE = replace(APART, source=SHARED.source, dns=replace(SHARED.dns, resolvers=()))


def found(audit: Audit, facts: Facts, *more: Object, of: list[Object] | None = None) -> list[Finding]:
    return audit(world(facts, [*(policies(facts) if of is None else of), *more]), facts)


@pytest.mark.parametrize("facts", [SHARED, APART, LEAST], ids=["shared", "apart", "least"])
@pytest.mark.parametrize("audit", AUDITS.values(), ids=AUDITS)
def test_ours_pass(audit: Audit, facts: Facts) -> None:
    assert found(audit, facts) == []


def test_the_three_policies_of_many_clusters_are_flagged_with_the_right_explanation() -> None:
    (too_wide,) = found(wide, WITH_SOURCE, of=BRIEF)
    assert too_wide.where == "llm/allow-gateway-to-vllm ingress[1]"
    assert "any pod of any namespace" in too_wide.pods
    assert {"other/stranger", "monitoring/stranger"} <= set(too_wide.pods)
    assert "kserve/gateway" not in too_wide.pods
    assert "`namespaceSelector: {}` is every namespace" in too_wide.why
    assert "the kubelet" in too_wide.why or "its kubelet" in too_wide.why
    cannot = {each.where: each for each in found(unable, WITH_SOURCE, of=BRIEF)}
    assert cannot.keys() == {"llm/allow-vllm-egress egress[1]", "llm/allow-vllm-egress egress[2]"}
    internet = cannot["llm/allow-vllm-egress egress[1]"]
    assert "never an outside address: not model source at 203.0.113.99" in internet.seen
    (peer,) = yaml.safe_load(internet.corrected)["egress"][0]["to"]
    assert peer["ipBlock"]["cidr"] == "0.0.0.0/0"
    assert "169.254.0.0/16" in peer["ipBlock"]["except"]
    lost = {each.where: each for each in found(missing, WITH_SOURCE, of=BRIEF)}
    assert lost.keys() >= {"gateway to picker", "picker to API server", "picker to DNS", "servers to model source"}
    assert "gateway to servers" not in lost
    assert "the next restart does not" in lost["servers to model source"].why
    assert "500 (FailClose)" in lost["gateway to picker"].why
    nobody = [each.line for each in found(dead, WITH_SOURCE, of=BRIEF)]
    assert len(nobody) == 1
    assert "egress[2].to[0] (namespaceSelector {} and podSelector component=apiserver) matches no pod" in nobody[0]


WIDE = [
    ("every pod", {"from": [EVERY_POD], "ports": [{"port": 8000}]}, "any pod of any namespace", "every namespace"),
    ("every namespace", {"from": [{"namespaceSelector": {}}]}, "any pod of any namespace", "every namespace"),
    ("nobody named", {"ports": [{"port": 8000}]}, "every address outside", "without `from`"),
    ("nothing said", {}, "every address outside of the cluster", "without `from`"),
    ("the namespace", {"from": [{"podSelector": {}}]}, "any pod of llm", "match more pods"),
    ("a wide block", {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}, "llm/stranger", "more addresses than those"),
    ("everywhere", {"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}, "every address outside", "more addresses"),
    ("a label of others", {"from": [{"podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}]},
     "llm/dns-here", "match more pods"),
    ("a range of ports", {"from": [{"namespaceSelector": {}}], "ports": [{"port": 1, "endPort": 65535}]},
     "any pod of any namespace", "every namespace"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "whom", "how"), [row[1:] for row in WIDE], ids=[row[0] for row in WIDE])
@pytest.mark.parametrize("labels", [SERVER, PICKER], ids=["server", "picker"])
def test_a_rule_for_more_than_is_needed(labels: dict[str, str], rule: Object, whom: str, how: str) -> None:
    if labels is PICKER and rule.get("ports") == [{"port": 8000}]:
        rule = rule | {"ports": [{"port": 9002}]}
    extra = policy("llm/extra", {"podSelector": {"matchLabels": labels}, "ingress": [rule]})
    (only,) = found(wide, APART, extra)
    assert (only.where, only.policy) == ("llm/extra ingress[0]", "llm/extra")
    assert whom in ", ".join(only.pods)
    assert how in only.why
    assert "leave the rule out" in only.corrected


def test_a_rule_that_is_needed_for_somebody_is_corrected_and_not_left_out() -> None:
    changed = copy.deepcopy(policies(APART))
    rule = next(each for each in changed if each["metadata"]["name"].endswith("allow-gateway-to-vllm"))
    rule["spec"]["ingress"][0]["from"] = [{"namespaceSelector": {}}]
    (only,) = found(wide, APART, of=changed)
    right = yaml.safe_load(only.corrected)["ingress"]
    rule["spec"]["ingress"] = right
    assert found(wide, APART, of=changed) == []
    assert found(missing, APART, of=changed) == []


def test_rules_at_other_ports_and_for_other_pods_are_nobodys_business() -> None:
    other_port = policy("llm/a", {"podSelector": {"matchLabels": SERVER}, "ingress": [{"ports": [{"port": 22}]}]})
    other_pods = policy("llm/b", {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{}]})
    elsewhere = policy("other/c", {"ingress": [{}]})
    assert found(wide, APART, other_port, other_pods, elsewhere) == []


@pytest.mark.parametrize("rule", [{}, {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}, {"ports": [{"port": 80}]}])
def test_a_way_out_to_everywhere_leads_to_the_metadata_server(rule: Object) -> None:
    extra = policy("llm/out", {"podSelector": {"matchLabels": SERVER}, "policyTypes": ["Egress"], "egress": [rule]})
    (only,) = found(leaking, SHARED, extra)
    assert only.where == "llm/out egress[0]"
    assert "169.254.169.254" in only.seen


def test_each_needed_flow_is_missed_by_its_name() -> None:
    whole = policies(SHARED)
    told: dict[str, set[str]] = {}
    for number, each in enumerate(whole):
        left = whole[:number] + whole[number + 1 :]
        told[each["metadata"]["name"].removeprefix("vllm-gemma-")] = {
            one.where for one in found(missing, SHARED, of=left)
        }
    assert told == {
        "default-deny-all": set(),
        "allow-gateway-to-vllm": {"gateway to servers"},
        "allow-vllm-egress": {"servers to DNS", "servers to the node's resolver"},
        "allow-model-download": {"servers to model source"},
        "allow-istiod": {"servers to istiod"},
        "allow-gateway-to-picker": {"gateway to picker"},
        "allow-picker-to-vllm": {"picker to servers"},
        "allow-picker-egress": {
            "picker to servers", "picker to API server", "picker to API server's Service", "picker to DNS",
            "picker to the node's resolver",
        },
        "allow-monitoring-of-vllm": {"Prometheus to servers"},
        "allow-monitoring-of-picker": {"Prometheus to picker"},
        "allow-kv-events": {"servers to picker's events"},
        "allow-kv-events-to-picker": {"servers to picker's events"},
        "allow-gateway": {
            "clients to gateway", "load balancers' health checks to gateway", "gateway to servers", "gateway to DNS",
            "gateway to the node's resolver", "gateway to istiod",
        },
        "allow-gateway-to-ask": {"gateway to picker"},
        "allow-monitoring-of-gateway": {"Prometheus to gateway"},
    }  # fmt: skip


def test_a_missing_flow_names_what_stops_it_and_the_rule_that_lets_it_through() -> None:
    left = [each for each in policies(APART) if not each["metadata"]["name"].endswith("allow-gateway-to-picker")]
    (only,) = found(missing, APART, of=left)
    assert "(TCP 9002, kserve/gateway to llm/picker) is stopped: no ingress rule of llm/default-deny-all" in only.seen
    rule = yaml.safe_load(only.corrected)["ingress"]
    mended = policy("llm/mended", {"podSelector": {"matchLabels": dict(APART.pickers.labels)}, "ingress": rule})
    assert found(missing, APART, mended, of=left) == []


def test_the_nodes_resolver_is_not_covered_by_dns_pods() -> None:
    without = policies(replace(SHARED, dns=replace(SHARED.dns, resolvers=())))
    lost = [each for each in found(missing, SHARED, of=without) if each.where == "servers to the node's resolver"]
    assert "which no selector of DNS pods covers" in lost[0].why
    assert yaml.safe_load(lost[0].corrected)["egress"][0]["to"] == [{"ipBlock": {"cidr": "169.254.20.10/32"}}]


def test_the_tunnel_of_the_ambient_mesh_is_missed() -> None:
    ambient = replace(APART, ambient=True, sidecars=False)
    lost = [each for each in found(missing, ambient) if each.where == "gateway to servers' tunnel"]
    assert "TCP 15008" in lost[0].seen
    assert "HBONE" in lost[0].why


def test_a_policy_for_monitoring_only_closes_everything_else() -> None:
    scrape = policy("llm/scrape", {"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {
        "matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]}]})  # fmt: skip
    lost = {each.where: each for each in found(missing, APART, of=[scrape])}
    assert {"gateway to servers", "gateway to picker", "picker to servers"} <= lost.keys()
    assert all("for monitoring only" in each.why for each in lost.values())
    gateway = [each for each in found(missing, APART, of=BRIEF[:1]) if each.where == "gateway to servers"]
    assert "monitoring" not in gateway[0].why


@pytest.mark.parametrize(("types", "told"), [(["Ingress"], "for Egress"), (["Egress"], "for Ingress")])
def test_a_pod_that_is_isolated_in_one_direction_only(types: list[str], told: str) -> None:
    deny = policy("llm/deny", {"podSelector": {"matchLabels": PICKER}, "policyTypes": types})
    picker = [each for each in found(unisolated, APART, of=[deny]) if each.where == "picker llm/picker"]
    assert [told in each.seen for each in picker] == [True]
    assert len([each for each in found(unisolated, APART, of=[deny]) if each.where == "server llm/server"]) == 2


def test_a_selector_of_another_name_selects_nothing() -> None:
    renamed = policy("llm/old", {"podSelector": {"matchLabels": SERVER | {"app.kubernetes.io/name": "old"}}})
    strange = policy("llm/job", {"podSelector": {"matchLabels": {"job": "nightly"}}})
    (only,) = found(dead, APART, renamed, strange)
    assert only.where == "llm/old podSelector"
    assert "app.kubernetes.io/name=old" in only.seen
    assert "selects no pod of llm" in only.seen
    mended = policy("llm/old", yaml.safe_load(only.corrected))
    assert found(dead, APART, mended) == []


def test_a_peer_that_is_nobody_is_told_with_the_rule_that_was_meant() -> None:
    peer = {"namespaceSelector": {"matchLabels": {"name": "kserve"}}}
    rule = {"from": [peer], "ports": [{"port": 8000}]}
    extra = policy("llm/extra", {"podSelector": {"matchLabels": SERVER}, "ingress": [rule]})
    (only,) = found(dead, APART, extra)
    assert only.where == "llm/extra ingress[0].from[0]"
    assert yaml.safe_load(only.corrected)["ingress"][0]["from"][0]["namespaceSelector"] == {
        "matchLabels": {"kubernetes.io/metadata.name": "kserve"}
    }


def test_what_is_found_is_true_by_the_oracle() -> None:
    it = world(WITH_SOURCE, BRIEF)
    (only,) = wide(it, WITH_SOURCE)
    for name in only.pods:
        space, _, short = name.partition("/")
        if short:
            assert decide(it, PodEnd(space, short), PodEnd("llm", "server"), "TCP", 8000).ingress.allowed, name
