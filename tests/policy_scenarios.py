"""What Kubernetes' own tests of NetworkPolicy ask (test/e2e/network/netpol), as a table of policies and expectations.

Written from what those tests describe, for nine pods: a, b and c in the namespaces x, y and z. Each serves TCP 80, 81,
82 and UDP 80; the port `web` is 80 on every a and 81 on every b.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.policy_objects import Object, policy
from tests.stack.policy_bench import PLACED
from tests.stack.probes import Cell

Expected = Callable[[Cell], bool]
_X = "x/server"
_A = {"podSelector": {"matchLabels": {"pod": "a"}}}
_Y = {"namespaceSelector": {"matchLabels": {"ns": "y"}}}


@dataclass(frozen=True)
class Scenario:
    """One state of the cluster and what is then let through.

    Attributes:
        name: what it is about.
        policies: all that there are.
        allowed: whether a connection is let through, where it is not between a pod and its own node.
        pods: other labels of pods, by `namespace/name`.
        namespaces: other labels of namespaces, by name.
    """

    name: str
    policies: tuple[Object, ...]
    allowed: Expected
    pods: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def _space(name: str) -> str:
    return name.partition("/")[0] if "/" in name else ""


def _ingress(*rules: Object, select: Object | None = None, where: str = _X) -> Object:
    return policy(where, {"podSelector": select or {}, "policyTypes": ["Ingress"], "ingress": list(rules)})


def _egress(*rules: Object, select: Object | None = None, where: str = _X) -> Object:
    return policy(where, {"podSelector": select or {}, "policyTypes": ["Egress"], "egress": list(rules)})


def _into_x(condition: Expected) -> Expected:
    """Only connections into namespace x are restricted, to these."""
    return lambda cell: _space(cell.target) != "x" or condition(cell)


def _into_a(condition: Expected) -> Expected:
    """Only connections to x/a are restricted, to these."""
    return lambda cell: cell.target != "x/a" or condition(cell)


def _from_a(condition: Expected) -> Expected:
    """Only what x/a sends is restricted, to this."""
    return lambda cell: cell.source != "x/a" or condition(cell)


def _address_in(cell: Cell, start: str) -> bool:
    return cell.address.startswith(start)


_SELECT_A = {"matchLabels": {"pod": "a"}}
_TCP_80 = {"ports": [{"port": 80}]}
_DENY_X = policy(_X, {"policyTypes": ["Ingress", "Egress"]})

SCENARIOS = (
    Scenario("no policy", (), lambda _: True),
    Scenario("default-deny ingress", (_ingress(),), _into_x(lambda _: False)),
    Scenario("default-deny egress", (_egress(),), lambda c: _space(c.source) != "x"),
    Scenario("default-deny all", (_DENY_X,), lambda c: "x" not in (_space(c.source), _space(c.target))),
    Scenario("a policy without types and rules is about ingress alone", (policy(_X, {}),), _into_x(lambda _: False)),
    Scenario(
        "a policy without types but with egress is about both",
        (policy(_X, {"egress": [{"to": [_Y]}]}),),
        lambda c: _space(c.target) != "x" and (_space(c.source) != "x" or _space(c.target) == "y"),
    ),
    Scenario("allow all ingress", (_ingress({}),), lambda _: True),
    Scenario("allow all egress", (_egress({}),), lambda _: True),
    Scenario(
        "an allow-all policy adds to a default-deny one",
        (_ingress(), _ingress({}, where="x/all"), _egress(where="x/e"), _egress({}, where="x/e-all")),
        lambda _: True,
    ),
    Scenario(
        "from pods of the server's namespace by podSelector",
        (_ingress({"from": [_A]}, select=_SELECT_A),),
        _into_a(lambda _: False),  # x/a is the only pod a in x, and does not ask itself here
    ),
    Scenario(
        "from pods by podSelector with match expressions",
        (
            _ingress(
                {"from": [{"podSelector": {"matchExpressions": [{"key": "pod", "operator": "In", "values": ["b"]}]}}]},
                select=_SELECT_A,
            ),
        ),
        _into_a(lambda c: c.source == "x/b"),
    ),
    Scenario(
        "to pods by a selector with match expressions",
        (_ingress(select={"matchExpressions": [{"key": "pod", "operator": "NotIn", "values": ["a", "b"]}]}),),
        lambda c: c.target != "x/c",
    ),
    Scenario(
        "Exists selects, DoesNotExist does not",
        (
            _ingress(select={"matchExpressions": [{"key": "pod", "operator": "Exists"}]}),
            _ingress(select={"matchExpressions": [{"key": "pod", "operator": "DoesNotExist"}]}, where="y/none"),
        ),
        _into_x(lambda _: False),
    ),
    Scenario(
        "from a different namespace only",
        (_ingress({"from": [_Y]}, select=_SELECT_A),),
        _into_a(lambda c: _space(c.source) == "y"),
    ),
    Scenario(
        "from a namespace by the label of its name",
        (
            _ingress(
                {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "z"}}}]},
                select=_SELECT_A,
            ),
        ),
        _into_a(lambda c: _space(c.source) == "z"),
    ),
    Scenario(
        "from namespaces with match expressions",
        (
            _ingress(
                {
                    "from": [
                        {
                            "namespaceSelector": {
                                "matchExpressions": [{"key": "ns", "operator": "NotIn", "values": ["x"]}]
                            }
                        }
                    ]
                },
                select=_SELECT_A,
            ),
        ),
        _into_a(lambda c: _space(c.source) in ("y", "z")),
    ),
    Scenario(
        "podSelector and namespaceSelector in one peer: both",
        (_ingress({"from": [{**_Y, **_A}]}, select=_SELECT_A),),
        _into_a(lambda c: c.source == "y/a"),
    ),
    Scenario(
        "podSelector and namespaceSelector as two peers: either",
        (_ingress({"from": [_Y, {"podSelector": {"matchLabels": {"pod": "b"}}}]}, select=_SELECT_A),),
        _into_a(lambda c: _space(c.source) == "y" or c.source == "x/b"),
    ),
    Scenario(
        "namespaceSelector {}: every pod, and nobody else",
        (_ingress({"from": [{"namespaceSelector": {}}]}, select=_SELECT_A),),
        _into_a(lambda c: c.source in PLACED),
    ),
    Scenario(
        "podSelector {}: the own namespace",
        (_ingress({"from": [{"podSelector": {}}]}, select=_SELECT_A),),
        _into_a(lambda c: _space(c.source) == "x"),
    ),
    Scenario(
        "by port",
        (_ingress({"from": [_Y], **_TCP_80}, select=_SELECT_A),),
        _into_a(lambda c: _space(c.source) == "y" and (c.protocol, c.port) == ("TCP", 80)),
    ),
    Scenario(
        "several ports in several policies add up",
        (
            _ingress({"from": [_Y], **_TCP_80}, select=_SELECT_A),
            _ingress({"from": [_Y], "ports": [{"port": 82}, {"port": 80, "protocol": "UDP"}]}, where="x/more"),
        ),
        lambda c: (
            _space(c.target) != "x"
            or (_space(c.source) == "y" and (c.protocol, c.port) in {("TCP", 82), ("UDP", 80)})
            or (c.target == "x/a" and _space(c.source) == "y" and (c.protocol, c.port) == ("TCP", 80))
        ),
    ),
    Scenario(
        "a port is not joined with another rule's peers",
        (
            _ingress(
                {"from": [_Y], **_TCP_80},
                {"from": [{"namespaceSelector": {"matchLabels": {"ns": "z"}}}], "ports": [{"port": 81}]},
            ),
        ),
        _into_x(lambda c: (_space(c.source), c.protocol, c.port) in {("y", "TCP", 80), ("z", "TCP", 81)}),
    ),
    Scenario(
        "a named port on ingress is what the server means by it",
        (_ingress({"ports": [{"port": "web"}]}),),
        _into_x(lambda c: (c.target, c.protocol, c.port) in {("x/a", "TCP", 80), ("x/b", "TCP", 81)}),
    ),
    Scenario(
        "a named port from a namespace",
        (_ingress({"from": [_Y], "ports": [{"port": "web"}]}, select=_SELECT_A),),
        _into_a(lambda c: _space(c.source) == "y" and (c.protocol, c.port) == ("TCP", 80)),
    ),
    Scenario(
        "a named port on egress is what each server means by it",
        (_egress({"ports": [{"port": "web"}]}, select=_SELECT_A),),
        _from_a(lambda c: c.protocol == "TCP" and (c.target[-2:], c.port) in {("/a", 80), ("/b", 81)}),
    ),
    Scenario(
        "a name that is a TCP port does not mean UDP",
        (_ingress({"ports": [{"port": "web", "protocol": "UDP"}]}),),
        _into_x(lambda _: False),
    ),
    Scenario(
        "a range of ports",
        (_ingress({"ports": [{"port": 81, "endPort": 90}]}),),
        _into_x(lambda c: c.protocol == "TCP" and c.port in (81, 82)),
    ),
    Scenario(
        "a range of ports on egress",
        (_egress({"ports": [{"port": 79, "endPort": 81}]}, select=_SELECT_A),),
        _from_a(lambda c: c.protocol == "TCP" and c.port in (80, 81)),
    ),
    Scenario(
        "UDP alone",
        (_ingress({"ports": [{"port": 80, "protocol": "UDP"}]}),),
        _into_x(lambda c: c.protocol == "UDP"),
    ),
    Scenario(
        "every port of a protocol",
        (_ingress({"ports": [{"protocol": "TCP"}]}),),
        _into_x(lambda c: c.protocol == "TCP"),
    ),
    Scenario(
        "SCTP is not taken for TCP or UDP",
        (_ingress({"ports": [{"port": 80, "protocol": "SCTP"}, {"protocol": "SCTP"}]}),),
        _into_x(lambda _: False),
    ),
    Scenario(
        "egress to a server in a different namespace",
        (_egress({"to": [{**_Y, **_A}]}, select=_SELECT_A),),
        _from_a(lambda c: c.target == "y/a"),
    ),
    Scenario(
        "ingress and egress together",
        (
            _ingress({"from": [_Y], **_TCP_80}, select=_SELECT_A),
            _egress({"to": [{"podSelector": {"matchLabels": {"pod": "b"}}}]}, select=_SELECT_A, where="x/out"),
        ),
        lambda c: (
            (c.target != "x/a" or (_space(c.source) == "y" and (c.protocol, c.port) == ("TCP", 80)))
            and (c.source != "x/a" or c.target == "x/b")
        ),
    ),
    Scenario(
        "both sides must allow, each by its own policy",
        (_egress({"to": [_Y]}, select=_SELECT_A), _ingress({"from": [_Y]}, where="y/server")),
        lambda c: (
            (c.source != "x/a" or _space(c.target) == "y") and (_space(c.target) != "y" or _space(c.source) == "y")
        ),
    ),
    Scenario(
        "ingress denied and egress allowed are independent",
        (_ingress(select=_SELECT_A), _egress({}, select=_SELECT_A, where="x/out")),
        _into_a(lambda _: False),
    ),
    Scenario(
        "egress to a block",
        (_egress({"to": [{"ipBlock": {"cidr": "10.9.64.0/24"}}]}, select=_SELECT_A),),
        _from_a(lambda c: _address_in(c, "10.9.64.")),
    ),
    Scenario(
        "egress to a block with an exception",
        (_egress({"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.9.64.0/24", "192.0.2.0/24"]}}]},
                 select=_SELECT_A),),
        _from_a(lambda c: not _address_in(c, "10.9.64.") and not _address_in(c, "192.0.2.")),
    ),
    Scenario(
        "an exception of one policy does not forbid what another allows",
        (
            _egress({"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["192.0.2.0/24"]}}]}, select=_SELECT_A),
            _egress({"to": [{"ipBlock": {"cidr": "192.0.2.10/32"}}]}, select=_SELECT_A, where="x/also"),
        ),
        lambda _: True,
    ),
    Scenario(
        "ingress from outside by a block with an exception",
        (_ingress({"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.9.0.0/16", "192.0.2.8/30"]}}]}),),
        _into_x(lambda c: c.origin == "198.51.100.7"),
    ),
    Scenario(
        "another node is an address like any other",
        (_ingress({"from": [{"ipBlock": {"cidr": "10.9.0.12/32"}}]}),),
        _into_x(lambda c: c.source == "node-b"),
    ),
    Scenario(
        "a pod's new label counts",
        (_ingress({"from": [{"podSelector": {"matchLabels": {"friend": "yes"}}}]}, select=_SELECT_A),),
        _into_a(lambda c: c.source == "x/c"),
        pods={"x/c": {"pod": "c", "friend": "yes"}},
    ),
    Scenario(
        "a pod that is given the label is isolated, one that loses it is not any more",
        (_ingress(select={"matchLabels": {"pod": "a"}}),),
        lambda c: c.target != "x/b",
        pods={"x/a": {"pod": "was-a"}, "x/b": {"pod": "a"}},
    ),
    Scenario(
        "a namespace's new label counts",
        (_ingress({"from": [{"namespaceSelector": {"matchLabels": {"ns": "y2"}}}]}, select=_SELECT_A),),
        _into_a(lambda c: _space(c.source) == "y"),
        namespaces={"y": {"ns": "y2"}},
    ),
    Scenario(
        "a namespace that has lost its label",
        (_ingress({"from": [_Y]}, select=_SELECT_A),),
        _into_a(lambda _: False),
        namespaces={"y": {}},
    ),
    Scenario(
        "a policy in another namespace is not about these pods",
        (_ingress(where="z/other", select={"matchLabels": {"pod": "none"}}),),
        lambda _: True,
    ),
)  # fmt: skip
