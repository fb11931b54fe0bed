"""Does the table of connections find policies that are wrong in one thing? On a local cluster; a line of JSON for each.

    llmisvc-conformance up
    pytest -m gpu -k becomes_ready --cleanup=never                 # its end names the service
    python -m benchmarks.mutations NAMESPACE/NAME [--seed 6] [--sample 30]

The service's own policies are changed in one thing (`tests/reach_mutations.py`): a rule, a peer, a port, a selector.
Of the changes that change any connection by the oracle, a sample is put on the cluster, one after another, and the
whole table is measured. A line has the policy and its change, the cells that the oracle says are now otherwise, and
those that the probe finds not as promised. The last line has machine, date and commit. Promised: all but one of 30.
"""

import argparse
import json
import os
import platform
import random
import subprocess
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from tests.reach_mutations import Mutation, flows, mutations
from tools.cluster.local import registry
from tools.errors import UserError
from tools.faults.common import recreatable
from tools.faults.policy_change import put
from tools.kube.client import Kube, Object
from tools.kube.doors import outside_of
from tools.kube.kinds import NAMESPACE, NETWORK_POLICY
from tools.kube.labels import of_run
from tools.kube.llm_service import LlmService, Place
from tools.kube.target import locate
from tools.netpolicy.reading import read
from tools.netpolicy.world import World, is_alive
from tools.openai.connection import Connection
from tools.paths import CHECKOUT
from tools.profile import load_profile
from tools.reach.netns import networks_of
from tools.reach.reach import Reach
from tools.reach.table import Table
from tools.reach.word import word

_MISSED = 1
# A policy is in force within half a second (benchmarks/policies.py); the table is measured until it shows, or so long.
_SECONDS = 6.0
_IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.63"


def main() -> int:
    """Measure, print; 1 if more mutations survive than may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("service", metavar="NAMESPACE/NAME")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--sample", type=int, default=30)
    given = parser.parse_args()
    service = _service(given.service)
    reach = Reach(service, networks_of(service.kube))
    reach.probers.make(_IMAGE, of_run(service.kube.get(NAMESPACE, service.namespace)))
    right = [recreatable(each) for each in service.kube.objects(NETWORK_POLICY, service.namespace)]
    survivors = []
    try:
        for each in _sample(service, right, given.seed, given.sample):
            row = _tried(reach, right, each)
            print(json.dumps(row), flush=True)
            survivors += [] if row["found"] else [each.name]
    finally:
        put(service, right)
    told = {"seed": given.seed, "mutations": given.sample, "found": given.sample - len(survivors)}
    print(json.dumps({**told, "survivors": survivors, **_machine()}))
    return int(len(survivors) > _MISSED)


def _tried(reach: Reach, right: list[Object], mutation: Mutation) -> dict[str, object]:
    before = _settled(reach, wrong=False)
    assert not before.wrong(), before.drawn()
    world = _with(read(reach.service).world, reach.service, mutation.policies)
    changed = [
        f"{each.cell[0]} to {each.cell[1]}"
        for each in before.rows
        if word(world, each.end, each.target).open is not each.word.open
    ]
    started = time.monotonic()
    put(reach.service, list(mutation.policies))
    after = _settled(reach, wrong=True)
    seconds = time.monotonic() - started
    put(reach.service, right)
    found = [f"{after.mark(each)} {each.cell[0]} to {each.cell[1]}" for each in after.wrong()]
    policy, _, change = mutation.name.partition(": ")
    return {
        "policy": policy, "change": change, "changed by the oracle": changed, "found": found,
        "seconds": round(seconds, 1),
    }  # fmt: skip


def _settled(reach: Reach, *, wrong: bool) -> Table:
    """The table as soon as it has something wrong or nothing, or the last one in time."""
    ends = time.monotonic() + _SECONDS
    while True:
        table = reach.table()
        if bool(table.wrong()) is wrong or time.monotonic() > ends:
            return table


def _sample(service: LlmService, right: Sequence[Object], seed: int, size: int) -> Iterator[Mutation]:
    """Mutations that change any connection, in an order that the seed gives."""
    found = read(service)
    doors = [each.address for each in vars(outside_of(service.kube)).values()]
    addresses = [*found.facts.api_server, *doors, *([found.facts.source.example] if found.facts.source else [])]
    own = _with(found.world, service, right)
    before = flows(own, service.namespace, addresses)
    everything = list(mutations(right))
    random.Random(seed).shuffle(everything)
    for each in everything:
        if size and flows(_with(own, service, each.policies), service.namespace, addresses) != before:
            size -= 1
            yield each


def _with(world: World, service: LlmService, policies: Sequence[Object]) -> World:
    others = [each for each in world.policies if each["metadata"]["namespace"] != service.namespace]
    alive = [each for each in world.pods if is_alive(each)]
    return World(world.namespaces, alive, [*others, *policies], world.nodes)


def _service(given: str) -> LlmService:
    topology = registry.load(registry.default_name())
    if topology is None:
        raise UserError("a running local cluster", "there is none", next_step="llmisvc-conformance up")
    namespace, _, name = given.partition("/")
    kube = Kube(topology.kubeconfig, f"kubernetes-super-admin@{topology.name}")
    return locate(kube, Place(namespace, name), load_profile("local-gpu"), Connection(""))


def _machine() -> dict[str, object]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=CHECKOUT)
    return {"date": f"{datetime.now(UTC):%Y-%m-%d}", "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
            "system": platform.platform(), "commit": commit.stdout.strip()}  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
