"""This machine as the place outside of an existing cluster: it connects by sockets of its own, and asks nothing."""

import os
import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from tools.netpolicy.world import Address
from tools.probe.verdict import Verdict
from tools.reach.cells import Target
from tools.reach.connect import TOGETHER

# Kubernetes sets it in every container.
_IN_A_POD = "KUBERNETES_SERVICE_HOST"


@dataclass(frozen=True)
class HereSource:
    """The machine that this process runs on.

    Attributes:
        address: that the cluster sees it by, as far as can be told from here; in between it may be translated.
    """

    address: str

    @property
    def name(self) -> str:
        """This machine, in words."""
        return f"this machine, {self.address}"

    @property
    def end(self) -> Address:
        """It is none of the cluster's pods or nodes."""
        return Address(self.address)

    def ask(self, targets: Sequence[Target], milliseconds: int) -> Mapping[Target, Verdict]:
        """Connect to all of them by TCP and hang up."""
        with ThreadPoolExecutor(TOGETHER) as pool:
            return dict(zip(targets, pool.map(partial(_connect, seconds=milliseconds / 1000), targets), strict=True))


def here(towards: str, environ: Mapping[str, str] = os.environ) -> HereSource | None:
    """This machine; None if it is a pod, which is not outside of its cluster.

    Args:
        towards: an address of the cluster.
        environ: the process's environment.
    """
    if in_a_pod(environ):
        return None
    family = socket.AF_INET6 if ":" in towards else socket.AF_INET
    # A datagram socket that is connected has the address of the way there, and sends nothing.
    with socket.socket(family, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect((towards, 9))
        except OSError:
            return HereSource("0.0.0.0")  # no way there, as each connection will tell
        return HereSource(str(asked.getsockname()[0]))


def in_a_pod(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this process runs in a pod, of whatever cluster."""
    return _IN_A_POD in environ


def _connect(target: Target, seconds: float) -> Verdict:
    if target.protocol != "TCP":
        return Verdict.PROBE_FAILED
    try:
        socket.create_connection((target.address, target.port), seconds).close()
    except TimeoutError:
        return Verdict.DROPPED
    except ConnectionRefusedError:
        return Verdict.REFUSED
    except ConnectionResetError:
        return Verdict.RESET
    except OSError:
        return Verdict.UNREACHABLE
    return Verdict.ALLOWED
