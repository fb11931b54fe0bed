"""What a node must enforce, from recorded objects."""

from ipaddress import IPv4Network

import pytest

from tests.policy_objects import Object, namespace, pod, policy
from tools.cluster.local.policy.blocks import addresses_of_block
from tools.cluster.local.policy.decision import decide
from tools.cluster.local.policy.model import Allowance, Node, PodRules, Ports, Protocol
from tools.cluster.local.policy.selectors import selects

NODE = Node("node-a", IPv4Network("10.1.0.0/24"))
SPACES = [namespace("x", {"team": "red"}), namespace("y")]
WEB = {"name": "web", "containerPort": 80}
EVERYBODY = (IPv4Network("0.0.0.0/0"),)


def of(policies: list[Object], pods: list[Object]) -> dict[str, PodRules]:
    """The rules of node-a's pods by name."""
    return {each.pod: each for each in decide(policies, pods, SPACES, NODE).pods}


def peers(*addresses: str) -> tuple[IPv4Network, ...]:
    return tuple(IPv4Network(each) for each in addresses)


def tcp(first: int, last: int = 0) -> Ports:
    return Ports(Protocol.TCP, first, last or first)


def ingress(**rule: object) -> Object:
    return policy("x/p", {"policyTypes": ["Ingress"], "ingress": [rule]})


def egress(**rule: object) -> Object:
    return policy("x/p", {"policyTypes": ["Egress"], "egress": [rule]})


def test_a_pod_that_no_policy_selects_is_not_isolated() -> None:
    found = of(
        [policy("y/p", {}), policy("x/q", {"podSelector": {"matchLabels": {"a": "b"}}})], [pod("x/a", "10.1.0.2")]
    )
    assert (found["x/a"].ingress, found["x/a"].egress) == (None, None)


@pytest.mark.parametrize(
    ("spec", "isolated"),
    [
        ({}, (True, False)),
        ({"ingress": [{}]}, (True, False)),
        ({"egress": [{}]}, (True, True)),
        ({"egress": []}, (True, False)),
        ({"policyTypes": ["Egress"]}, (False, True)),
        ({"policyTypes": ["Ingress", "Egress"]}, (True, True)),
        ({"policyTypes": [], "egress": [{}]}, (True, True)),
    ],
)
def test_directions_that_a_policy_does_not_name(spec: Object, isolated: tuple[bool, bool]) -> None:
    found = of([policy("x/p", spec)], [pod("x/a", "10.1.0.2")])["x/a"]
    assert (found.ingress is not None, found.egress is not None) == isolated


def test_only_pods_of_the_node_that_have_an_address_of_their_own_have_rules() -> None:
    found = of(
        [policy("x/p", {})],
        [
            pod("x/here", "10.1.0.2"),
            pod("x/there", "10.1.1.2", node="node-b"),
            pod("x/not-yet", ""),
            pod("x/host", "10.0.0.11", host_network=True),
            pod("x/done", "10.1.0.3", phase="Succeeded"),
            pod("x/failed", "10.1.0.4", phase="Failed"),
            pod("x/six", "fd00::2"),
        ],
    )
    assert list(found) == ["x/here"]


def test_an_address_is_the_younger_pods() -> None:
    old = pod("x/old", "10.1.0.2", created="2026-11-24T10:00:00Z")
    young = pod("x/young", "10.1.0.2", created="2026-11-24T10:00:01Z")
    for both in ([old, young], [young, old]):
        assert list(of([], both)) == ["x/young"]


def test_peers_by_selectors_are_pods_of_all_nodes_and_not_those_in_their_nodes_network() -> None:
    pods = [
        pod("x/a", "10.1.0.2"),
        pod("x/b", "10.1.1.3", node="node-b", labels={"b": "1"}),
        pod("y/b", "10.1.1.4", node="node-b", labels={"b": "1"}),
        pod("x/host", "10.0.0.11", labels={"b": "1"}, host_network=True),
    ]

    def let_in(*found: Object) -> tuple[IPv4Network, ...]:
        allowances = of([ingress(**{"from": list(found)})], pods)["x/a"].ingress
        assert allowances is not None
        return allowances[0].peers if allowances else ()

    by_pod = {"podSelector": {"matchLabels": {"b": "1"}}}
    by_space = {"namespaceSelector": {"matchLabels": {"team": "red"}}}
    assert let_in(by_pod) == peers("10.1.1.3")
    assert let_in(by_space) == peers("10.1.0.2", "10.1.1.3")
    assert let_in({"namespaceSelector": {}, **by_pod}) == peers("10.1.1.3", "10.1.1.4")
    assert let_in(by_pod, by_space) == peers("10.1.0.2", "10.1.1.3")
    assert let_in({"namespaceSelector": {}}) == peers("10.1.0.2", "10.1.1.3", "10.1.1.4")
    assert let_in({}) == ()  # what the API server refuses means nobody
    assert let_in({"ipBlock": {"cidr": "10.1.1.0/24", "except": ["10.1.1.128/25"]}}) == peers("10.1.1.0/25")


def test_a_namespace_that_is_not_known_yet_is_let_in_by_no_selector() -> None:
    pods = [pod("x/a", "10.1.0.2"), pod("new/b", "10.1.0.3")]
    assert of([ingress(**{"from": [{"namespaceSelector": {}}]})], pods)["x/a"].ingress == (
        Allowance(peers("10.1.0.2"), None),
    )


def test_no_peers_or_ports_is_all_of_them() -> None:
    pods = [pod("x/a", "10.1.0.2")]
    assert of([ingress()], pods)["x/a"].ingress == (Allowance(EVERYBODY, None),)
    assert of([ingress(**{"from": [], "ports": []})], pods)["x/a"].ingress == (Allowance(EVERYBODY, None),)
    assert of([egress()], pods)["x/a"].egress == (Allowance(EVERYBODY, None),)


def test_ports_by_number_range_and_protocol_are_joined() -> None:
    ports = [
        {"port": 80},
        {"port": 81, "endPort": 90},
        {"port": 85},
        {"port": 92},
        {"protocol": "UDP"},
        {"protocol": "SCTP", "port": 7},
    ]
    found = of([ingress(ports=ports)], [pod("x/a", "10.1.0.2")])["x/a"].ingress
    sctp, udp = Ports(Protocol.SCTP, 7, 7), Ports(Protocol.UDP, 0, 65535)
    assert found == (Allowance(EVERYBODY, (sctp, tcp(80, 90), tcp(92), udp)),)


def test_a_name_is_looked_up_on_the_pod_that_is_called() -> None:
    udp = {"name": "web", "containerPort": 53, "protocol": "UDP"}
    sidecar = pod("x/sidecar", "10.1.0.4")
    sidecar["spec"]["initContainers"] = [
        {"name": "stays", "restartPolicy": "Always", "ports": [{"name": "web", "containerPort": 90}]},
        {"name": "goes", "ports": [{"name": "web", "containerPort": 91}]},
    ]
    pods = [
        pod("x/a", "10.1.0.2", ports=[WEB, udp]),
        pod("x/b", "10.1.0.3", ports=[{**WEB, "containerPort": 81}]),
        sidecar,
    ]
    found = of([ingress(ports=[{"port": "web"}])], pods)
    assert found["x/a"].ingress == (Allowance(EVERYBODY, (tcp(80),)),)
    assert found["x/b"].ingress == (Allowance(EVERYBODY, (tcp(81),)),)
    assert found["x/sidecar"].ingress == (Allowance(EVERYBODY, (tcp(90),)),)
    out = of([egress(ports=[{"port": "web"}, {"port": 9}], to=[{"podSelector": {}}])], pods)["x/a"].egress
    assert out == (
        Allowance(peers("10.1.0.2/31", "10.1.0.4"), (tcp(9),)),
        Allowance(peers("10.1.0.2"), (tcp(80),)),
        Allowance(peers("10.1.0.3"), (tcp(81),)),
        Allowance(peers("10.1.0.4"), (tcp(90),)),
    )


def test_a_name_that_nobody_has_lets_nobody_in() -> None:
    found = of([ingress(ports=[{"port": "web"}])], [pod("x/a", "10.1.0.2")])["x/a"]
    assert found.ingress == ()


def test_policies_add_up_whatever_their_order() -> None:
    one, two = ingress(ports=[{"port": 80}]), ingress(ports=[{"port": 80}, {"port": 81}])
    pods = [pod("x/a", "10.1.0.2"), pod("x/b", "10.1.0.3")]
    assert decide([one, two], pods, SPACES, NODE) == decide([two, one], pods[::-1], SPACES[::-1], NODE)


@pytest.mark.parametrize(
    ("block", "left"),
    [
        ({"cidr": "10.0.0.0/30", "except": ["10.0.0.1/32"]}, peers("10.0.0.2/31", "10.0.0.0")),
        ({"cidr": "10.0.0.0/30", "except": ["10.0.0.0/29"]}, ()),
        ({"cidr": "10.0.0.0/30", "except": ["10.0.0.0/30"]}, ()),
        ({"cidr": "10.0.0.0/30", "except": ["10.0.0.0/32", "10.0.0.1/32"]}, peers("10.0.0.2/31")),
        ({"cidr": "10.0.0.0/30", "except": ["192.0.2.0/24"]}, peers("10.0.0.0/30")),
        ({"cidr": "fd00::/8"}, ()),
        ({"cidr": "10.0.0.9/30"}, peers("10.0.0.8/30")),
    ],
)
def test_what_is_left_of_a_block(block: Object, left: tuple[IPv4Network, ...]) -> None:
    assert tuple(addresses_of_block(block)) == left


@pytest.mark.parametrize(
    ("operator", "values", "selected"),
    [
        ("In", ["1", "2"], (True, False, False)),
        ("NotIn", ["1"], (False, True, True)),
        ("Exists", None, (True, True, False)),
        ("DoesNotExist", None, (False, False, True)),
    ],
)
def test_match_expressions(operator: str, values: list[str] | None, selected: tuple[bool, bool, bool]) -> None:
    selector = {"matchExpressions": [{"key": "k", "operator": operator, "values": values}]}
    assert tuple(selects(selector, labels) for labels in ({"k": "1"}, {"k": "3"}, {"other": "1"})) == selected


def test_labels_and_expressions_must_both_match() -> None:
    selector = {"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "k", "operator": "Exists"}]}
    assert [selects(selector, labels) for labels in ({"a": "1", "k": ""}, {"a": "1"}, {"k": ""})] == [
        True,
        False,
        False,
    ]


def test_an_operator_that_there_is_none_of_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="Gt"):
        selects({"matchExpressions": [{"key": "k", "operator": "Gt"}]}, {"k": "1"})
