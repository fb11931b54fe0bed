"""A packet filter in a pod's own network on the local cluster, as a sidecar's init container makes one."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tools.kube.client import Object
from tools.kube.llm_service import LlmService
from tools.reach.netns import networks_of
from tools.stack import locate_stack

_TABLE = "inet llmisvc-conformance"


@contextmanager
def filtered(service: LlmService, pod: Object, rules: str) -> Iterator[None]:
    """Rules in a table of their own while entered; the table ends with the pod in any case.

    Args:
        service: on the local cluster.
        pod: whose network.
        rules: chains, as nft has them.

    Raises:
        LookupError: it is not the local cluster, and nobody gets into a pod's network.
    """
    networks = networks_of(service.kube)
    if networks is None:
        raise LookupError("only on the local cluster can a packet filter be put into a pod's network")
    pid = networks.pid(pod)
    try:
        _nft(pid, f"table {_TABLE} {{\n{rules}\n}}\n")
        yield
    finally:
        _nft(pid, f"table {_TABLE} {{\n}}\ndelete table {_TABLE}\n")


def _nft(pid: int, rules: str) -> None:
    environment = [f"{key}={value}" for key, value in locate_stack().host_env().items()]
    command = ["nsenter", f"--net=/proc/{pid}/ns/net", "--", "env", *environment, "nft", "-f", "-"]
    subprocess.run(command, input=rules, text=True, check=True, capture_output=True)
