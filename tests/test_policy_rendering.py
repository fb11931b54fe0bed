"""Rules as the kernel is told them: one transaction, shared chains and sets."""

from ipaddress import IPv4Address, IPv4Network

from tools.cluster.local.policy.model import Allowance, NodeRules, PodRules, Ports, Protocol
from tools.cluster.local.policy.rendering import TABLE, render

RANGE = IPv4Network("10.1.0.0/24")
ANYBODY = (IPv4Network("0.0.0.0/0"),)
SOME = (IPv4Network("10.1.0.9/32"), IPv4Network("192.0.2.0/24"))


def pod(
    last: int, ingress: tuple[Allowance, ...] | None = None, egress: tuple[Allowance, ...] | None = None
) -> PodRules:
    return PodRules(f"x/p{last}", IPv4Address(f"10.1.0.{last}"), ingress, egress)


def lines(*pods: PodRules) -> list[str]:
    return [line.strip() for line in render(NodeRules(RANGE, pods)).splitlines()]


def test_the_whole_table_is_replaced_at_once() -> None:
    assert lines()[:3] == [f"table ip {TABLE}", f"delete table ip {TABLE}", f"table ip {TABLE} {{"]


def test_what_is_unknown_is_dropped_before_anything_is_let_through() -> None:
    found = lines(pod(2))
    chain = found[found.index("chain forward {") :]
    assert chain == [
        "chain forward {",
        "type filter hook forward priority filter; policy accept;",
        "ip saddr 10.1.0.0/24 fib saddr . iif oif missing drop",
        "ip saddr 10.1.0.0/24 ip saddr != @known drop",
        "ip daddr 10.1.0.0/24 ip daddr != @known drop",
        "ct state established,related accept",
        "ip saddr . ip daddr @itself accept",
        "ip saddr vmap @egress",
        "ip daddr vmap @ingress",
        "}",
        "}",
    ]
    assert "elements = { 10.1.0.2 }" in found


def test_pods_that_may_do_the_same_share_a_chain_and_equal_peers_a_set() -> None:
    web = Allowance(SOME, (Ports(Protocol.TCP, 80, 80), Ports(Protocol.TCP, 90, 99), Ports(Protocol.UDP, 0, 65535)))
    found = lines(pod(2, ingress=(web,)), pod(3, ingress=(web,)), pod(4, egress=(Allowance(SOME, None),)))
    assert "elements = { 10.1.0.2 : jump ingress-0, 10.1.0.3 : jump ingress-0 }" in found
    at = found.index("chain ingress-0 {")
    assert found[at + 1 : at + 5] == [
        "ip saddr @peers-0 tcp dport { 80, 90-99 } return",
        "ip saddr @peers-0 meta l4proto udp return",
        "drop",
        "}",
    ]
    at = found.index("chain egress-0 {")
    assert found[at + 1 : at + 3] == ["ip daddr @peers-0 return", "drop"]
    at = found.index("set peers-0 {")
    assert found[at + 1 : at + 4] == ["type ipv4_addr", "flags interval", "elements = { 10.1.0.9, 192.0.2.0/24 }"]
    assert "chain ingress-1 {" not in found


def test_everybody_needs_no_set_and_nobody_is_let_in_by_no_rule() -> None:
    found = lines(pod(2, ingress=(Allowance(ANYBODY, None),), egress=()))
    at = found.index("chain ingress-0 {")
    assert found[at + 1 : at + 3] == ["return", "drop"]
    at = found.index("chain egress-0 {")
    assert found[at + 1 : at + 3] == ["drop", "}"]
