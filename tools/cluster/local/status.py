"""What is running of a local cluster, and what is wrong with it, in words."""

from dataclasses import dataclass

from tools.cluster.local import bring_up, cgroups, registry


@dataclass(frozen=True)
class Report:
    """A cluster's state.

    Attributes:
        text: for a person, several lines.
        well: everything that was started is running.
    """

    text: str
    well: bool


def look(name: str) -> Report:
    """Describe the cluster with this name."""
    topology = registry.load(name)
    if topology is None:
        return Report(f"{name}: no such cluster; start it with `llmisvc-conformance up`", False)
    machines = bring_up.running(topology)
    deaths = [death for machine in machines.values() for death in machine.deaths()]
    expected = topology.machine_names
    gone = [each for each in expected if each not in machines]
    well = bring_up.is_ready(topology)
    memory = cgroups.memory_bytes(topology.cgroup) / 2**30
    rows = [
        f"{name}: {'ready' if well else 'NOT WELL'}, {memory:.2f} GiB of memory",
        f"  addresses  {topology.plan.block}, load balancers {topology.plan.load_balancers}",
    ]
    rows += [
        f"  {each:<10} {', '.join(machines[each].components()) or 'no components'}"
        for each in expected
        if each in machines
    ]
    rows += [f"  {each:<10} is gone: killed, or it never started" for each in gone]
    rows += [f"  {each.machine}: {each.component} ended with status {each.status}; log: {each.log}" for each in deaths]
    rows += [] if well else ["  next: llmisvc-conformance down, then llmisvc-conformance up"]
    return Report("\n".join(rows), well)
