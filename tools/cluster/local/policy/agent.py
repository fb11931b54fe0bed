"""The policy agent of a node: makes what the kernel enforces equal to what the API server's objects say.

What is in the kernel stays there when the agent ends, and the first transaction of a new one is made of complete lists:
so there is no moment at which a policy is not enforced. A pod that the agent has not seen has no network.
"""

import argparse
import queue
import subprocess
import threading
from collections.abc import Callable
from ipaddress import IPv4Network
from pathlib import Path

from tools.cluster.local.policy.attachments import Attachments
from tools.cluster.local.policy.decision import decide
from tools.cluster.local.policy.door import Attach, Detach, open_door
from tools.cluster.local.policy.model import Node
from tools.cluster.local.policy.objects import FOLLOWED, Changed, Listed, Objects
from tools.cluster.local.policy.rendering import render
from tools.cluster.local.policy.watching import follow
from tools.errors import UserError
from tools.kube.client import Kube
from tools.kube.kinds import NAMESPACE, NETWORK_POLICY, POD, Kind

# What the agent is told: by the API server, by the CNI plugin, by a thread that cannot go on.
Told = Listed | Changed | Attach | Detach | BaseException
Transact = Callable[[str], None]


class Agent:
    """Takes what it is told, and brings the kernel up to date.

    Args:
        node: whose pods it is for.
        attachments: addresses that the CNI plugin told.
        transact: gives a transaction to the kernel; raises if it is refused.
    """

    def __init__(self, node: Node, attachments: Attachments, transact: Transact) -> None:
        self._node, self._attachments, self._transact = node, attachments, transact
        self._objects = Objects()
        self._waiting: list[Attach] = []
        self._in_force = ""

    def serve(self, told: "queue.SimpleQueue[Told]") -> None:
        """Go on until a thread cannot.

        All that has been told by now goes into one transaction, so a burst makes few: while one is made, more is told.
        """
        while True:
            self.take(told.get())
            while not told.empty():
                self.take(told.get())
            self.settle()

    def take(self, told: Told) -> None:
        """Note what was told, changing nothing yet."""
        match told:
            case BaseException():
                raise told
            case Attach():
                self._attachments.add(told.attachment)
                self._waiting.append(told)
            case Detach():
                self._attachments.remove(told.container)
                self._waiting = [each for each in self._waiting if each.attachment.container != told.container]
            case _:
                self._objects.take(told)

    def settle(self) -> bool:
        """Enforce what is known, once it is complete; tell whether the kernel had to be changed."""
        if not self._objects.complete:
            return False
        pods = self._attachments.over(self._objects.of(POD))
        rules = decide(self._objects.of(NETWORK_POLICY), pods, self._objects.of(NAMESPACE), self._node)
        transaction = render(rules)
        changed = transaction != self._in_force
        if changed:
            self._transact(transaction)
            self._in_force = transaction
        known = {(each.pod, str(each.address)) for each in rules.pods}
        self._waiting = [each for each in self._waiting if not _began(each, known)]
        return changed


def _began(attach: Attach, known: set[tuple[str, str]]) -> bool:
    each = attach.attachment
    if (f"{each.namespace}/{each.name}", each.address) not in known:
        return False  # its pod has not been seen yet
    attach.in_force.set()
    return True


def nft(command: list[str]) -> Transact:
    """Transactions by the nft program, in the network namespace that the command is run in."""

    def transact(transaction: str) -> None:
        done = subprocess.run([*command, "-f", "-"], input=transaction, text=True, capture_output=True)
        if done.returncode:
            raise UserError(
                "the kernel to take the rules of the network policies",
                f"{done.stderr.strip()[-1500:]}\nof:\n{transaction}",
                cause="a rule that this kernel or nft does not know; those in force before still are",
                next_step="llmisvc-conformance status",
            )

    return transact


def main() -> None:
    """Entry point: `python -m tools.cluster.local.policy.agent … -- NFT…`."""
    parser = argparse.ArgumentParser()
    for name in ("kubeconfig", "context", "node", "pods", "socket", "attachments"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("nft", nargs="+")
    given = parser.parse_args()
    told: queue.SimpleQueue[Told] = queue.SimpleQueue()
    kube = Kube(Path(given.kubeconfig), given.context)
    agent = Agent(Node(given.node, IPv4Network(given.pods)), Attachments(Path(given.attachments)), nft(given.nft))

    def watch(kind: Kind) -> None:
        try:
            follow(kube, kind, told.put)
        except BaseException as error:
            told.put(error)

    for kind in FOLLOWED:
        threading.Thread(target=watch, args=[kind], name=f"watch {kind.plural}", daemon=True).start()
    open_door(Path(given.socket), told.put)
    agent.serve(told)


if __name__ == "__main__":
    main()
