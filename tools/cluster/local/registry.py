"""Clusters that this user has: a directory each, with what `down` needs to remove everything."""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from ipaddress import IPv4Network
from pathlib import Path

from tools.cluster.local.addresses import AddressPlan
from tools.cluster.local.machine_spec import MachineSpec
from tools.cluster.local.topology import Topology
from tools.errors import UserError
from tools.paths import CHECKOUT, state_dir

_NAME = re.compile(r"[a-z][-a-z0-9]{0,39}")


def default_name() -> str:
    """A name per checkout, so that two clones have two clusters."""
    return "c" + sha256(str(CHECKOUT).encode()).hexdigest()[:6]


def cluster_directory(name: str) -> Path:
    """Where a cluster's files are.

    Raises:
        UserError: the name cannot be one; it becomes part of paths and of the pod network's name.
    """
    if not _NAME.fullmatch(name):
        raise UserError("a cluster's name of 1 to 40 lower-case letters, digits and dashes, a letter first", repr(name))
    return state_dir() / "clusters" / name


def names() -> list[str]:
    """All clusters that left files, running or not."""
    top = state_dir() / "clusters"
    return sorted(path.parent.name for path in top.glob("*/cluster.json")) if top.exists() else []


def save(topology: Topology) -> None:
    """Record a cluster before anything of it starts."""
    topology.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    row = {"block": str(topology.plan.block), "load_balancers": str(topology.plan.load_balancers)}
    (topology.directory / "cluster.json").write_text(json.dumps(row))


def load(name: str) -> Topology | None:
    """A recorded cluster, or None."""
    record = cluster_directory(name) / "cluster.json"
    if not record.exists():
        return None
    row = json.loads(record.read_text())
    plan = AddressPlan(IPv4Network(row["block"]), IPv4Network(row["load_balancers"]))
    return Topology(name, plan, cluster_directory(name))


def forget(topology: Topology) -> None:
    """Remove a cluster's files."""
    shutil.rmtree(topology.directory, ignore_errors=False)


def cgroup_root(plan: AddressPlan) -> str:
    """Resource group of all of a cluster, unique on this machine because its address block is."""
    return f"llmisvc-{plan.block.network_address.packed[1]}"


def machine_spec(topology: Topology, name: str) -> MachineSpec:
    """How the machine with this name is started."""
    return MachineSpec(
        name=name,
        directory=str(topology.machine_directory(name)),
        logs=str(topology.directory / "logs" / name),
        cgroup=f"{cgroup_root(topology.plan)}/{name}",
    )


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold an advisory lock on an existing directory or file: leaves nothing behind, and ends with the process."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
