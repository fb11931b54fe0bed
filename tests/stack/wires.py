"""Network namespaces with pods, wired as the local cluster's: each pod by one link to its node, nodes by a fabric.

A namespace lives as long as this process holds it open: nothing is left behind, whatever ends the process.
"""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.stack import Stack

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)
_GATEWAY = "169.254.1.1"


@dataclass(frozen=True)
class Namespace:
    """A network namespace of this process.

    Attributes:
        descriptor: holds it open.
        addresses: what its sockets may send from and be reached at, the first one by default.
    """

    descriptor: int
    addresses: tuple[str, ...]

    @property
    def path(self) -> str:
        """Where other processes find it."""
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be in it: sockets made here stay in it."""
        back = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _enter(self.descriptor)
        try:
            yield
        finally:
            _enter(back)
            os.close(back)

    def command(self, stack: Stack, *words: str) -> list[str]:
        """A command of the stack's tools that runs inside."""
        environment = [f"{key}={value}" for key, value in stack.host_env().items()]
        return ["nsenter", f"--net={self.path}", "--", "env", *environment, *words]


@dataclass(frozen=True)
class Wires:
    """All namespaces by name: the fabric, the nodes, the pods."""

    spaces: dict[str, Namespace]

    def close(self) -> None:
        """Let them go."""
        for each in self.spaces.values():
            os.close(each.descriptor)


def wire(stack: Stack, fabric: tuple[str, ...], nodes: dict[str, str], pods: dict[str, tuple[str, str]]) -> Wires:
    """Make all links, addresses and routes.

    Args:
        stack: for its `ip`.
        fabric: addresses of the fabric, the first on the nodes' /24.
        nodes: node to its address.
        pods: pod to its node and address.
    """
    spaces = {"fabric": _new(fabric)}
    spaces |= {name: _new((address,)) for name, address in nodes.items()}
    spaces |= {name: _new((address,)) for name, (_, address) in pods.items()}
    steps: dict[str, list[str]] = {name: ["link set lo up"] for name in spaces}
    steps["fabric"] += ["link add nodes type bridge", "link set nodes up", f"addr add {fabric[0]}/24 dev nodes"]
    steps["fabric"] += [f"addr add {address}/32 dev lo" for address in fabric[1:]]
    for index, (node, address) in enumerate(nodes.items()):
        steps["fabric"] += [f"link add n{index} type veth peer name eth0 netns {spaces[node].path}"]
        steps["fabric"] += [f"link set n{index} master nodes up"]
        steps[node] += [f"addr add {address}/24 dev eth0", "link set eth0 up", f"route add default via {fabric[0]}"]
    for index, (pod, (node, address)) in enumerate(pods.items()):
        steps["fabric"] += [f"route add {address}/32 via {nodes[node]}"]
        steps[node] += [f"link add p{index} type veth peer name eth0 netns {spaces[pod].path}"]
        steps[node] += [f"addr add {_GATEWAY}/32 dev p{index}", f"link set p{index} up"]
        steps[node] += [f"route add {address}/32 dev p{index}"]
        steps[pod] += [f"addr add {address}/32 dev eth0", "link set eth0 up", f"route add {_GATEWAY}/32 dev eth0"]
        steps[pod] += [f"route add default via {_GATEWAY} dev eth0"]
    wires = Wires(spaces)
    for name in ["fabric", *nodes, *pods]:  # a link is made from the side nearer to the fabric
        with spaces[name].entered():
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        command = spaces[name].command(stack, "ip", "-batch", "-")
        subprocess.run(command, input="\n".join(steps[name]), text=True, check=True)
    return wires


def _new(addresses: tuple[str, ...]) -> Namespace:
    back = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    _check(_LIBC.unshare(_CLONE_NEWNET))
    made = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    _enter(back)
    os.close(back)
    return Namespace(made, addresses)


def _enter(descriptor: int) -> None:
    _check(_LIBC.setns(descriptor, _CLONE_NEWNET))


def _check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
