"""How long a NetworkPolicy takes from the API write to its effect on the local cluster; promised: 500 ms at most (p99).

    llmisvc-conformance up; python -m benchmarks.policies [--rounds 100]; llmisvc-conformance down

A pod of the other node sends a datagram each half of a millisecond; none is answered, so each is judged
as the first of a connection. A default-deny policy is made: its time is from before the request until the last datagram
that arrived. It is deleted: from before the request until the first one that arrives. The rules of the whole node are
replaced each time, with what else the cluster has running.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import time

from tests.live.datagrams import Stream
from tests.live.policy_world import PolicyWorld, policy_world
from tests.policy_generated import NAMESPACES
from tests.policy_objects import policy
from tools.cluster.local import registry
from tools.errors import UserError
from tools.kube.kinds import NAMESPACE, NETWORK_POLICY
from tools.paths import CHECKOUT
from tools.stack import locate_stack

_PROMISED = 0.5
_QUIET_SECONDS = 0.5
_DENY = policy("x/deny", {"podSelector": {"matchLabels": {"pod": "a"}}, "policyTypes": ["Ingress"]})


def main() -> int:
    """Measure, print a line of JSON; 1 if the promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100, help="policies made and deleted")
    rounds = parser.parse_args().rounds
    topology = registry.load(registry.default_name())
    if topology is None:
        raise UserError("a running local cluster", "there is none", next_step="llmisvc-conformance up")
    with policy_world(topology, locate_stack().image_names["agnhost"]) as world:
        try:
            made, deleted = _measure(world, rounds)
        finally:
            for name in NAMESPACES:
                world.kube.delete(NAMESPACE, name)
    kept = all(_p99(each) <= _PROMISED for each in (made, deleted))
    print(json.dumps({"enforced": _figures(made), "lifted": _figures(deleted), "promise kept": kept, **_machine()}))
    return 0 if kept else 1


def _measure(world: PolicyWorld, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds until each policy was enforced, and until its removal had its effect."""
    source = next(each for each, (at, _) in world.pods.items() if at != world.pods["x/a"][0])
    stream = Stream(world.spaces[source], world.spaces["x/a"], 9)
    made, deleted = [], []
    stream.start()
    try:
        for _ in range(rounds):
            _until_arrives(stream, time.monotonic())
            before = time.monotonic()
            world.kube.create(_DENY)
            made.append(_until_quiet(stream) - before)
            before = time.monotonic()
            world.kube.delete(NETWORK_POLICY, "deny", "x")
            deleted.append(_until_arrives(stream, before) - before)
    finally:
        stream.stop()
    return made, deleted


def _until_quiet(stream: Stream) -> float:
    """When the last datagram arrived."""
    while time.monotonic() - stream.arrived[-1] < _QUIET_SECONDS:
        time.sleep(0.02)
    return stream.arrived[-1]


def _until_arrives(stream: Stream, after: float) -> float:
    """When the first datagram arrived after a time."""
    while not stream.arrived or stream.arrived[-1] <= after:
        time.sleep(0.002)
    return next(at for at in stream.arrived if at > after)


def _p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[98]


def _figures(seconds: list[float]) -> dict[str, float]:
    named = {"median": statistics.median(seconds), "p99": _p99(seconds), "longest": max(seconds)}
    return {f"{name} ms": round(value * 1000, 1) for name, value in named.items()} | {"rounds": len(seconds)}


def _machine() -> dict[str, object]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=CHECKOUT)
    return {"cores": os.cpu_count(), "load": os.getloadavg()[0], "kernel": platform.release(),
            "commit": commit.stdout.strip()}  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
