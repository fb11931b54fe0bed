"""The oracle against every clause of the API's text: each row is a clause, a policy, and what gets through."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.netpolicy_world import pod, policy, world
from tools.netpolicy.oracle import ITSELF, NO_POD, OWN_NODE, Address, End, NodeEnd, PodEnd, Rule, World, decide

SERVER, OTHER = PodEnd("llm", "server"), PodEnd("llm", "other")
WEB, BATCH = PodEnd("apps", "web"), PodEnd("apps", "batch")
NAMED = [{"name": "http", "containerPort": 8000}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]
PODS = [
    pod("llm/server", "10.0.1.1", labels={"app": "vllm", "tier": "model"}, node="one", ports=NAMED),
    pod("llm/other", "10.0.2.2", labels={"app": "other"}, node="two", ports=[{"name": "http", "containerPort": 9000}]),
    pod("apps/web", "10.0.2.3", labels={"app": "web"}, node="two"),
    pod("apps/batch", "10.0.1.4", labels={"app": "batch"}, node="one"),
    pod("monitoring/agent", labels={"app": "web"}, node="two", host=True),
]
ALL: dict[str, Any] = {}


def _through(
    spec: Mapping[str, Any], source: End, destination: End, port: int = 8000, protocol: str = "TCP", at: str = "llm"
) -> bool:
    return decide(world(policy(f"{at}/it", spec), pods=PODS), source, destination, protocol, port).allowed


def _from(*peers: Mapping[str, Any], ports: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    rule: dict[str, Any] = {"from": list(peers)} | ({"ports": ports} if ports is not None else {})
    return {"podSelector": {"matchLabels": {"app": "vllm"}}, "policyTypes": ["Ingress"], "ingress": [rule]}


def _to(*peers: Mapping[str, Any], ports: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    rule: dict[str, Any] = {"to": list(peers)} | ({"ports": ports} if ports is not None else {})
    return {"podSelector": {"matchLabels": {"app": "vllm"}}, "policyTypes": ["Egress"], "egress": [rule]}


def _expression(operator: str, *values: str, key: str = "app") -> dict[str, Any]:
    return {"podSelector": {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}}


def _peer(namespaces: Mapping[str, str] | None = None, pods: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {
        key: {"matchLabels": dict(labels)} if labels else {}
        for key, labels in (("namespaceSelector", namespaces), ("podSelector", pods))
        if labels is not None
    }


PEERS = [
    ("no peers at all: every source", _from(), WEB, True),
    ("peers null: every source", {"podSelector": ALL, "ingress": [{"from": None}]}, WEB, True),
    ("a rule without members: everything", {"podSelector": ALL, "ingress": [ALL]}, WEB, True),
    ("podSelector alone: pods of the policy's own namespace", _from(_peer(pods={"app": "web"})), WEB, False),
    ("podSelector alone takes its own", _from(_peer(pods={"app": "other"})), OTHER, True),
    ("an empty podSelector: all pods of the own namespace", _from(_peer(pods={})), OTHER, True),
    ("an empty podSelector: none of another", _from(_peer(pods={})), WEB, False),
    ("an empty namespaceSelector: every namespace's pods", _from(_peer(namespaces={})), WEB, True),
    ("namespaceSelector alone: all pods there", _from(_peer(namespaces={"team": "web"})), BATCH, True),
    ("namespaceSelector alone: none elsewhere", _from(_peer(namespaces={"team": "web"})), OTHER, False),
    ("both selectors in one peer: both must hold", _from(_peer({"team": "web"}, {"app": "web"})), WEB, True),
    ("both in one peer: right namespace, wrong pod", _from(_peer({"team": "web"}, {"app": "web"})), BATCH, False),
    ("both in one peer: right pod, wrong namespace", _from(_peer({"team": "ml"}, {"app": "web"})), WEB, False),
    ("two peers: either is enough, 1", _from(_peer({"team": "ml"}), _peer(pods={"app": "web"})), OTHER, True),
    ("two peers: either is enough, 2", _from(_peer({"team": "none"}), _peer({"team": "web"})), WEB, True),
    ("both empty: every pod there is", _from(_peer({}, {})), BATCH, True),
    ("several labels: all must match", _from(_peer({"team": "web", "kubernetes.io/metadata.name": "x"})), WEB, False),
    ("In", _from({"namespaceSelector": ALL, **_expression("In", "web", "x")}), WEB, True),
    ("In, not listed", _from({"namespaceSelector": ALL, **_expression("In", "x")}), WEB, False),
    ("NotIn", _from({"namespaceSelector": ALL, **_expression("NotIn", "x")}), WEB, True),
    ("NotIn, listed", _from({"namespaceSelector": ALL, **_expression("NotIn", "web")}), WEB, False),
    ("NotIn, no such label", _from({"namespaceSelector": ALL, **_expression("NotIn", "x", key="no")}), WEB, True),
    ("In, no such label", _from({"namespaceSelector": ALL, **_expression("In", "x", key="no")}), WEB, False),
    ("Exists", _from({"namespaceSelector": ALL, **_expression("Exists")}), WEB, True),
    ("Exists, absent", _from({"namespaceSelector": ALL, **_expression("Exists", key="no")}), WEB, False),
    ("DoesNotExist", _from({"namespaceSelector": ALL, **_expression("DoesNotExist", key="no")}), WEB, True),
    ("DoesNotExist, there", _from({"namespaceSelector": ALL, **_expression("DoesNotExist")}), WEB, False),
    ("ipBlock takes pods by their address", _from({"ipBlock": {"cidr": "10.0.2.0/24"}}), WEB, True),
    ("ipBlock, another network", _from({"ipBlock": {"cidr": "10.0.3.0/24"}}), WEB, False),
    ("except takes out", _from({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.2.0/24"]}}), WEB, False),
    ("except of others", _from({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.3.0/24"]}}), WEB, True),
    ("what one block excepts another may have", _from(
        {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.2.0/24"]}}, {"ipBlock": {"cidr": "10.0.2.3/32"}}
    ), WEB, True),
    ("an outside address by ipBlock", _from({"ipBlock": {"cidr": "203.0.113.0/24"}}), Address("203.0.113.9"), True),
    ("an outside address by no selector", _from(_peer({}, {})), Address("203.0.113.9"), False),
    ("an IPv6 address by no block of IPv4", _from({"ipBlock": {"cidr": "0.0.0.0/0"}}), Address("2001:db8::1"), False),
    ("an address that is a pod's is that pod", _from(_peer({"team": "web"})), Address("10.0.2.3"), True),
    ("a pod in the node's network is no pod to selectors", _from(_peer({}, {})), PodEnd("monitoring", "agent"), False),
    ("but the node to blocks", _from({"ipBlock": {"cidr": "172.16.0.2/32"}}), PodEnd("monitoring", "agent"), True),
    ("another node is a source like any other", _from(_peer({}, {})), NodeEnd("two"), False),
    ("another node by its address", _from({"ipBlock": {"cidr": "172.16.0.0/24"}}), NodeEnd("two"), True),
    ("the pod's own node needs no rule", _from(_peer({"team": "none"})), NodeEnd("one"), True),
    ("the own node by its address", _from(_peer({"team": "none"})), Address("172.16.0.1"), True),
    ("another node's address", _from(_peer({"team": "none"})), Address("172.16.0.2"), False),
    ("a pod reaches itself", _from(_peer({"team": "none"})), SERVER, True),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "source", "through"), [row[1:] for row in PEERS], ids=[row[0] for row in PEERS])
def test_who_is_let_in(spec: Mapping[str, Any], source: End, through: bool) -> None:
    assert _through(spec, source, SERVER) is through


EGRESS = [
    ("no peers: every destination", _to(), WEB, True),
    ("podSelector alone: own namespace", _to(_peer(pods={"app": "other"})), OTHER, True),
    ("podSelector alone: not another's", _to(_peer(pods={"app": "web"})), WEB, False),
    ("namespaceSelector", _to(_peer({"team": "web"})), WEB, True),
    ("every namespace is not the internet", _to(_peer(namespaces={})), Address("203.0.113.9"), False),
    ("the internet by ipBlock", _to({"ipBlock": {"cidr": "0.0.0.0/0"}}), Address("203.0.113.9"), True),
    ("but for what it excepts", _to({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["203.0.0.0/8"]}}),
     Address("203.0.113.9"), False),
    ("the own node needs no rule", _to(_peer({"team": "none"})), NodeEnd("one"), True),
    ("another does", _to(_peer({"team": "none"})), NodeEnd("two"), False),
    ("in another node's network: that node", _to(_peer({"team": "none"})), PodEnd("monitoring", "agent"), False),
    ("a pod reaches itself", _to(_peer({"team": "none"})), SERVER, True),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "to", "through"), [row[1:] for row in EGRESS], ids=[row[0] for row in EGRESS])
def test_where_it_gets_to(spec: Mapping[str, Any], to: End, through: bool) -> None:
    assert _through(spec, SERVER, to) is through


PORTS = [
    ("no ports: all", None, "TCP", 1, True),
    ("ports empty: all", [], "UDP", 65535, True),
    ("a number", [{"port": 8000}], "TCP", 8000, True),
    ("another number", [{"port": 8000}], "TCP", 8001, False),
    ("the protocol is TCP unless said", [{"port": 8000}], "UDP", 8000, False),
    ("a protocol", [{"port": 8000, "protocol": "UDP"}], "UDP", 8000, True),
    ("SCTP is one of its own", [{"port": 8000, "protocol": "SCTP"}], "TCP", 8000, False),
    ("SCTP", [{"port": 8000, "protocol": "SCTP"}], "SCTP", 8000, True),
    ("a protocol alone: all its ports", [{"protocol": "UDP"}], "UDP", 77, True),
    ("a protocol alone: none of another", [{"protocol": "UDP"}], "TCP", 77, False),
    ("nothing said: all ports of TCP", [ALL], "TCP", 77, True),
    ("nothing said: none of UDP", [ALL], "UDP", 77, False),
    ("endPort, first", [{"port": 8000, "endPort": 8010}], "TCP", 8000, True),
    ("endPort, last", [{"port": 8000, "endPort": 8010}], "TCP", 8010, True),
    ("endPort, beyond", [{"port": 8000, "endPort": 8010}], "TCP", 8011, False),
    ("endPort, before", [{"port": 8000, "endPort": 8010}], "TCP", 7999, False),
    ("endPort and protocol", [{"port": 8000, "endPort": 8010}], "UDP", 8005, False),
    ("a name", [{"port": "http"}], "TCP", 8000, True),
    ("a name is the port that it names", [{"port": "http"}], "TCP", 9000, False),
    ("a name and its protocol", [{"port": "dns", "protocol": "UDP"}], "UDP", 53, True),
    ("a name of another protocol", [{"port": "dns"}], "TCP", 53, False),
    ("a name that the pod has not", [{"port": "none"}], "TCP", 8000, False),
    ("several: one is enough", [{"port": 1}, {"port": 8000}], "TCP", 8000, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("ports", "protocol", "port", "through"), [row[1:] for row in PORTS], ids=[r[0] for r in PORTS]
)
def test_ports(ports: list[dict[str, Any]] | None, protocol: str, port: int, through: bool) -> None:
    assert _through(_from(_peer(namespaces={}), ports=ports), WEB, SERVER, port, protocol) is through
    assert _through(_from(_peer({"team": "none"}), ports=ports), WEB, SERVER, port, protocol) is False


def test_a_name_in_an_egress_rule_is_the_destinations() -> None:
    spec = _to(_peer(namespaces={}), ports=[{"port": "http"}])
    assert _through(spec, SERVER, OTHER, 9000)
    assert not _through(spec, SERVER, OTHER, 8000)
    assert not _through(_to(ports=[{"port": "http"}]), SERVER, Address("203.0.113.9"), 8000)


def test_a_native_sidecars_port_has_a_name_and_an_init_containers_has_none() -> None:
    def admitted(restart: dict[str, str]) -> bool:
        port = {"name": "metrics", "containerPort": 15020}
        made = pod("llm/server", "10.0.1.1", labels={"app": "vllm"}, init=[{"name": "i", "ports": [port], **restart}])
        it = world(policy("llm/it", _from(ports=[{"port": "metrics"}])), pods=[made, *PODS[1:]])
        return decide(it, WEB, SERVER, "TCP", 15020).allowed

    assert admitted({"restartPolicy": "Always"})
    assert not admitted({})


TYPES = [
    ("none said, no rules: ingress alone", {}, False, True),
    ("none said, ingress rules: ingress alone", {"ingress": []}, False, True),
    ("none said, egress rules: both", {"egress": [{"ports": [{"port": 1}]}]}, False, False),
    ("none said, an egress that has no rules: ingress alone", {"egress": []}, False, True),
    ("Ingress", {"policyTypes": ["Ingress"]}, False, True),
    ("Egress", {"policyTypes": ["Egress"]}, True, False),
    ("both", {"policyTypes": ["Ingress", "Egress"]}, False, False),
    ("Egress alone: ingress rules mean nothing", {"policyTypes": ["Egress"], "ingress": []}, True, False),
    ("Ingress alone: egress rules mean nothing", {"policyTypes": ["Ingress"], "egress": []}, False, True),
]


@pytest.mark.parametrize(("spec", "in_", "out"), [row[1:] for row in TYPES], ids=[row[0] for row in TYPES])
def test_what_a_policy_governs(spec: Mapping[str, Any], in_: bool, out: bool) -> None:
    assert (_through(spec, WEB, SERVER), _through(spec, SERVER, WEB)) == (in_, out)


SELECTED = [
    ("absent: all pods of the namespace", {}, False),
    ("empty: all pods of the namespace", {"podSelector": ALL}, False),
    ("by label", {"podSelector": {"matchLabels": {"app": "vllm"}}}, False),
    ("by another label", {"podSelector": {"matchLabels": {"app": "renamed"}}}, True),
    ("labels and expressions both", {"podSelector": {
        "matchLabels": {"app": "vllm"}, "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["model"]}]
    }}, True),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "through"), [row[1:] for row in SELECTED], ids=[row[0] for row in SELECTED])
def test_whom_a_policy_applies_to(spec: Mapping[str, Any], through: bool) -> None:
    assert _through(spec, WEB, SERVER) is through
    assert _through(spec, WEB, SERVER, at="apps"), "a policy applies to pods of its own namespace only"


def test_without_a_policy_everything_gets_through() -> None:
    decision = decide(world(pods=PODS), WEB, SERVER, "UDP", 1)
    assert decision.allowed
    assert (decision.ingress.isolated, decision.egress.isolated, decision.responsible) == (False, False, ())


def test_policies_add_up_and_the_responsible_rule_is_named() -> None:
    deny = policy("llm/deny", {"podSelector": ALL, "policyTypes": ["Ingress", "Egress"]})
    first = policy("llm/first", _from(_peer({"team": "none"})))
    second = policy("llm/second", {"podSelector": ALL, "ingress": [{"from": [_peer({"team": "no"})]}, {"from": []}]})
    decision = decide(world(deny, first, second, pods=PODS), WEB, SERVER, "TCP", 8000)
    assert decision.allowed
    assert decision.ingress.isolated_by == ("llm/deny", "llm/first", "llm/second")
    assert decision.ingress.admitted_by == (Rule("llm/second", "ingress", 1),)
    assert decision.responsible == ("llm/second ingress[1]",)
    denied = decide(world(deny, first, pods=PODS), WEB, SERVER, "TCP", 8000)
    assert (denied.allowed, denied.responsible) == (False, ("llm/deny", "llm/first"))


def test_both_ends_must_agree() -> None:
    in_, out = policy("llm/in", _from(_peer({"team": "web"}))), policy("apps/out", {"policyTypes": ["Egress"]})
    decision = decide(world(in_, out, pods=PODS), WEB, SERVER, "TCP", 8000)
    assert (decision.ingress.allowed, decision.egress.allowed, decision.allowed) == (True, False, False)
    assert decision.responsible == ("apps/out",)


def test_a_direction_is_not_opened_by_the_other() -> None:
    both = {"podSelector": ALL, "policyTypes": ["Ingress", "Egress"], "ingress": [ALL]}
    assert _through(both, WEB, SERVER)
    assert not _through(both, SERVER, WEB)


def test_what_policies_have_no_say_in_is_told() -> None:
    it = world(policy("llm/deny", {"policyTypes": ["Ingress", "Egress"]}), pods=PODS)
    exempt = {
        end: decide(it, end, SERVER, "TCP", 8000).ingress.exempt for end in (SERVER, NodeEnd("one"), NodeEnd("two"))
    }
    assert exempt == {SERVER: ITSELF, NodeEnd("one"): OWN_NODE, NodeEnd("two"): ""}
    assert decide(it, WEB, PodEnd("monitoring", "agent"), "TCP", 1).ingress.exempt == OWN_NODE
    assert decide(it, SERVER, PodEnd("monitoring", "agent"), "TCP", 1).ingress.exempt == NO_POD
    assert not decide(it, SERVER, PodEnd("monitoring", "agent"), "TCP", 1).allowed


def test_policies_do_not_apply_to_pods_in_the_nodes_network() -> None:
    deny = policy("monitoring/deny", {"policyTypes": ["Ingress", "Egress"]})
    it = world(deny, pods=PODS)
    assert decide(it, SERVER, PodEnd("monitoring", "agent"), "TCP", 1).allowed
    assert decide(it, PodEnd("monitoring", "agent"), SERVER, "TCP", 1).allowed


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_ended_is_nobody_and_its_address_another_may_have(phase: str) -> None:
    ended = pod("apps/job", "10.0.2.9", labels={"app": "web"}, phase=phase)
    it = world(policy("llm/it", _from(_peer({"team": "web"}))), pods=[*PODS, ended])
    assert not decide(it, Address("10.0.2.9"), SERVER, "TCP", 8000).allowed
    with pytest.raises(LookupError, match="there is no pod apps/job that has not ended"):
        decide(it, PodEnd("apps", "job"), SERVER, "TCP", 8000)


def test_a_pod_without_address_is_found_by_selectors_and_in_no_block() -> None:
    pending = pod("apps/new", labels={"app": "web"}, phase="Pending")
    for peer, through in ((_peer({"team": "web"}), True), ({"ipBlock": {"cidr": "0.0.0.0/0"}}, False)):
        it = world(policy("llm/it", _from(peer)), pods=[*PODS, pending])
        assert decide(it, PodEnd("apps", "new"), SERVER, "TCP", 8000).allowed is through


def test_the_address_of_the_destinations_family_counts() -> None:
    dual = pod("apps/dual", "10.0.2.8", labels={"app": "dual"})
    dual["status"]["podIPs"].append({"ip": "fd00::8"})
    six = policy("llm/it", {"policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": "fd00::/16"}}]}]})
    server = pod("llm/server", "fd00::1", labels={"app": "vllm"})
    assert decide(world(six, pods=[server, dual]), SERVER, PodEnd("apps", "dual"), "TCP", 1).allowed
    assert not decide(world(six, pods=[PODS[0], dual]), SERVER, PodEnd("apps", "dual"), "TCP", 1).allowed


def test_a_namespace_made_meanwhile_has_its_name_as_label() -> None:
    late = pod("late/web", "10.0.2.7", labels={"app": "web"}, node="two")
    for labels, through in (({"kubernetes.io/metadata.name": "late"}, True), ({"team": "web"}, False)):
        it = world(policy("llm/it", _from(_peer(labels))), pods=[*PODS, late])
        assert decide(it, PodEnd("late", "web"), SERVER, "TCP", 8000).allowed is through


def test_nodes_tell_addresses_that_no_pod_tells() -> None:
    node = {"metadata": {"name": "one"}, "status": {"addresses": [
        {"type": "Hostname", "address": "one"}, {"type": "ExternalIP", "address": "198.51.100.7"}
    ]}}  # fmt: skip
    deny = policy("llm/deny", {})
    assert decide(world(deny, pods=PODS, nodes=[node]), Address("198.51.100.7"), SERVER, "TCP", 1).allowed
    assert not decide(world(deny, pods=PODS), Address("198.51.100.7"), SERVER, "TCP", 1).allowed


@pytest.mark.parametrize(("protocol", "port"), [("ICMP", 1), ("tcp", 80), ("TCP", 0), ("TCP", 65536)])
def test_what_the_api_says_nothing_of_is_refused(protocol: str, port: int) -> None:
    with pytest.raises(ValueError, match="policies are about TCP, UDP, SCTP at 1 to 65535"):
        decide(world(pods=PODS), WEB, SERVER, protocol, port)


def test_an_unknown_operator_is_refused() -> None:
    with pytest.raises(ValueError, match="no operator 'Matches'"):
        _through(_from(_expression("Matches", "x")), OTHER, SERVER)


def test_answers_depend_on_no_order() -> None:
    policies = [
        policy("llm/a", _from(_peer({"team": "web"}))),
        policy("llm/b", {"policyTypes": ["Ingress", "Egress"]}),
        policy("llm/c", _to(_peer({"team": "web"}))),
    ]
    one, two = world(*policies, pods=PODS), world(*reversed(policies), pods=PODS[::-1])
    ends: list[End] = [SERVER, OTHER, WEB, BATCH, NodeEnd("one"), Address("203.0.113.9")]

    def table(it: World) -> list[object]:
        return [decide(it, a, b, "TCP", 8000) for a in ends for b in ends]

    assert table(one) == table(two)
