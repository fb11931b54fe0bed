"""Links and routes of a cluster: nodes meet in the fabric, the host reaches them through it, nothing leaves.

The fabric has no default route, and lets machines answer the host but not call it: a pod's packet cannot leave.
"""

import subprocess
from contextlib import suppress
from ipaddress import IPv4Network

from pyroute2 import IPRoute, NetNS
from pyroute2.netlink.exceptions import NetlinkError

from tools.cluster.local.addresses import METADATA
from tools.cluster.local.topology import Topology

_FABRIC_TO_HOST = "host"
_MACHINE_LINK = "eth0"


def host_networks() -> list[IPv4Network]:
    """Networks that this host routes, without default routes."""
    with IPRoute() as ip:
        found = [(route.get_attr("RTA_DST"), route["dst_len"]) for route in ip.get_routes(family=2)]
        return [IPv4Network((dst, length)) for dst, length in found if dst and length and not dst.startswith("127.")]


def connect(topology: Topology, fabric_pid: int, machine_pids: dict[str, int], nft: list[str]) -> None:
    """Make all links, addresses and routes.

    Args:
        topology: the cluster.
        fabric_pid: a process in the fabric's network namespace.
        machine_pids: for every machine, a process in its network namespace.
        nft: the nft program, with what must stand before it.
    """
    plan = topology.plan
    with NetNS(f"/proc/{fabric_pid}/ns/net", flags=0) as fabric:
        fabric.link("set", index=fabric.link_lookup(ifname="lo")[0], state="up")
        fabric.link("add", ifname="nodes", kind="bridge")
        bridge = fabric.link_lookup(ifname="nodes")[0]
        _address(fabric, bridge, plan.fabric)
        for standin in (plan.hub, plan.internet, plan.silent, METADATA):
            fabric.addr("add", index=bridge, address=str(standin), prefixlen=32)
        _link_host(topology, fabric_pid, fabric)
        for machine in topology.machines:
            pid = machine_pids[machine.name]
            fabric.link(
                "add",
                ifname=machine.name,
                kind="veth",
                peer={"ifname": _MACHINE_LINK, "net_ns_fd": f"/proc/{pid}/ns/net"},
            )
            port = fabric.link_lookup(ifname=machine.name)[0]
            fabric.link("set", index=port, master=bridge, state="up")
            _join(topology, machine.name, pid)
        for node in topology.nodes:
            fabric.route("add", dst=str(node.pods), gateway=str(node.address))
        # Service and load-balancer addresses exist in kube-proxy's rules only; any node serves them.
        for served in (plan.services, plan.load_balancers):
            fabric.route("add", dst=str(served), gateway=str(topology.nodes[0].address))
    _filter(topology, fabric_pid, nft)


def disconnect(topology: Topology) -> None:
    """Remove the host's link, and with it the host's routes.

    The kernel does so itself some time after the fabric's namespace has ended; a new cluster must not see it half gone.
    """
    with IPRoute() as host:
        for index in host.link_lookup(ifname=topology.host_link):
            with suppress(NetlinkError):  # the kernel was quicker
                host.link("del", index=index)


def _link_host(topology: Topology, fabric_pid: int, fabric: NetNS) -> None:
    plan = topology.plan
    with IPRoute() as host:
        peer = {"ifname": _FABRIC_TO_HOST, "net_ns_fd": f"/proc/{fabric_pid}/ns/net"}
        host.link("add", ifname=topology.host_link, kind="veth", peer=peer)
        _address(fabric, fabric.link_lookup(ifname=_FABRIC_TO_HOST)[0], plan.fabric_to_host)
        _address(host, host.link_lookup(ifname=topology.host_link)[0], plan.host)
        for reached in (plan.block, plan.load_balancers):
            host.route("add", dst=str(reached), gateway=str(plan.fabric_to_host.ip))


def _join(topology: Topology, name: str, pid: int) -> None:
    plan = topology.plan
    machine = next(found for found in topology.machines if found.name == name)
    with NetNS(f"/proc/{pid}/ns/net", flags=0) as ip:
        ip.link("set", index=ip.link_lookup(ifname="lo")[0], state="up")
        index = ip.link_lookup(ifname=_MACHINE_LINK)[0]
        ip.addr("add", index=index, address=str(machine.address), prefixlen=plan.nodes.prefixlen)
        ip.link("set", index=index, state="up")
        for peer in topology.nodes:
            if peer.name != name:
                ip.route("add", dst=str(peer.pods), gateway=str(peer.address))
        for far in (plan.host_link, plan.services, plan.load_balancers, METADATA):
            ip.route("add", dst=str(far), gateway=str(plan.fabric.ip))


def _address(ip: IPRoute, index: int, interface: object) -> None:
    address, _, length = str(interface).partition("/")
    ip.addr("add", index=index, address=address, prefixlen=int(length))
    ip.link("set", index=index, state="up")


def _filter(topology: Topology, fabric_pid: int, nft: list[str]) -> None:
    """Forbid calls to the host, and drop what is sent to the address that never answers."""
    rules = f"""
    table inet fabric {{
      chain input {{
        type filter hook input priority filter; policy accept;
        ip daddr {topology.plan.silent} drop
      }}
      chain forward {{
        type filter hook forward priority filter; policy accept;
        oifname "{_FABRIC_TO_HOST}" ct state established,related accept
        oifname "{_FABRIC_TO_HOST}" reject with icmpx admin-prohibited
      }}
    }}
    """
    subprocess.run(
        ["nsenter", f"--net=/proc/{fabric_pid}/ns/net", "--", *nft, "-f", "-"], input=rules, text=True, check=True
    )
