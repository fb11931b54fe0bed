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
from typing import Any

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


def claim_path(name: str) -> Path:
    """The lock of whoever starts, uses or removes a cluster."""
    return cluster_directory(name).with_suffix(".lock")


def names() -> list[str]:
    """All clusters that left files, running or not."""
    top = state_dir() / "clusters"
    return sorted(path.parent.name for path in top.glob("*/cluster.json")) if top.exists() else []


def save(topology: Topology) -> None:
    """Record a cluster before anything of it starts."""
    topology.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    plan = topology.plan
    row = {"id": topology.id, "block": str(plan.block), "load_balancers": str(plan.load_balancers)}
    whole = topology.directory / "cluster.json.new"
    whole.write_text(json.dumps(row))
    whole.rename(topology.directory / "cluster.json")


def load(name: str) -> Topology | None:
    """A recorded cluster, or None."""
    record = cluster_directory(name) / "cluster.json"
    if not record.exists():
        return None
    row = json.loads(record.read_text())
    plan = AddressPlan(IPv4Network(row["block"]), IPv4Network(row["load_balancers"]))
    return Topology(name, row["id"], plan, cluster_directory(name))


def forget(topology: Topology) -> None:
    """Remove a cluster's files."""
    shutil.rmtree(topology.directory)


def tidy() -> None:
    """Remove the directories of all clusters if there is nothing in them any more."""
    for directory in (state_dir() / "clusters", state_dir()):
        if directory.exists() and not any(directory.iterdir()):
            directory.rmdir()


def machine_spec(topology: Topology, name: str) -> MachineSpec:
    """How the machine with this name is started."""
    return MachineSpec(
        name=name,
        directory=str(topology.machine_directory(name)),
        logs=str(topology.logs(name)),
        cgroup=f"{topology.cgroup}/{name}",
    )


def note_ready(topology: Topology, phases: dict[str, float], stack: str) -> None:
    """Record that a cluster is complete, the phases' times in seconds since the start, and what it was made of."""
    row = {"phases": phases, "made_of": made_of(stack)}
    (topology.directory / "ready.json").write_text(json.dumps(row))


def note_keep(topology: Topology, keep: str) -> None:
    """Record how long a complete cluster is to live."""
    path = topology.directory / "ready.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"keep": keep}))


def record(topology: Topology) -> dict[str, Any] | None:
    """What `note_ready` recorded, or None while the cluster is not complete."""
    path = topology.directory / "ready.json"
    return json.loads(path.read_text()) if path.exists() else None


def made_of(stack: str) -> str:
    """What a cluster is made of now: the stack's name and a digest of the manifests that are installed."""
    digest = sha256()
    for path in sorted((CHECKOUT / "manifests" / "stack").rglob("*.yaml")):
        digest.update(path.read_bytes())
    return f"{stack} {digest.hexdigest()[:12]}"


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold an advisory lock on an existing directory or file: leaves nothing behind, and ends with the process."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
