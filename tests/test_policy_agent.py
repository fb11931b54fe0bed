"""The policy agent: what it is told, when it changes the kernel, and what a pod's start waits for."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from tests.kube_server import Serve
from tests.policy_objects import Object, namespace, pod, policy
from tools.cluster.local.policy import agent as agent_module
from tools.cluster.local.policy import plugin
from tools.cluster.local.policy.agent import Agent, Told, nft
from tools.cluster.local.policy.attachments import Attachment, Attachments
from tools.cluster.local.policy.door import Attach, Detach, Door, open_door
from tools.cluster.local.policy.model import Node
from tools.cluster.local.policy.objects import Changed, Listed
from tools.cluster.local.policy.watching import follow
from tools.errors import UserError
from tools.kube.kinds import NAMESPACE, NETWORK_POLICY, POD

NODE = Node("node-a", IPv4Network("10.1.0.0/24"))


class World:
    """An agent whose transactions are kept."""

    def __init__(self, directory: Path) -> None:
        self.transactions: list[str] = []
        self.directory = directory
        self.agent = Agent(NODE, Attachments(directory), self.transactions.append)

    def lists(self, *pods: Object) -> None:
        """All three lists."""
        for kind, items in ((NETWORK_POLICY, ()), (POD, pods), (NAMESPACE, (namespace("x"),))):
            self.agent.take(Listed(kind, tuple(items)))
        self.agent.settle()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "attachments")


def attachment(name: str, address: str, container: str = "c1", uid: str = "") -> Attachment:
    return Attachment("x", name, uid or f"uid-of-x-{name}", container, address)


def waiting(name: str, address: str, container: str = "c1") -> Attach:
    return Attach(attachment(name, address, container))


def test_nothing_is_changed_before_every_list_is_there(world: World) -> None:
    world.agent.take(Listed(POD, (pod("x/a", "10.1.0.2"),)))
    world.agent.take(Listed(NETWORK_POLICY, ()))
    assert not world.agent.settle()
    assert world.transactions == []
    world.agent.take(Listed(NAMESPACE, (namespace("x"),)))
    assert world.agent.settle()
    assert len(world.transactions) == 1


def test_equal_rules_are_not_given_to_the_kernel_again(world: World) -> None:
    world.lists(pod("x/a", "10.1.0.2"))
    changed = pod("x/a", "10.1.0.2", labels={"new": "label"})
    world.agent.take(Changed(POD, "MODIFIED", changed))
    assert not world.agent.settle()
    world.agent.take(Changed(NETWORK_POLICY, "ADDED", policy("x/p", {})))
    assert world.agent.settle()
    world.agent.take(Changed(NETWORK_POLICY, "DELETED", policy("x/p", {})))
    assert world.agent.settle()
    assert world.transactions[0] == world.transactions[2] != world.transactions[1]


def test_a_list_replaces_what_was_known(world: World) -> None:
    world.lists(pod("x/a", "10.1.0.2"))
    world.agent.take(Listed(POD, (pod("x/b", "10.1.0.3"),)))
    world.agent.settle()
    assert "10.1.0.2" not in world.transactions[-1]
    assert "10.1.0.3" in world.transactions[-1]


def test_a_burst_is_one_transaction(tmp_path: Path) -> None:
    told: queue.SimpleQueue[Told] = queue.SimpleQueue()
    transactions: list[str] = []
    for kind, items in ((NETWORK_POLICY, ()), (NAMESPACE, (namespace("x"),)), (POD, ())):
        told.put(Listed(kind, items))
    for last in range(2, 50):
        told.put(Changed(POD, "ADDED", pod(f"x/p{last}", f"10.1.0.{last}")))

    def transact(transaction: str) -> None:
        transactions.append(transaction)
        told.put(RuntimeError("the end"))

    with pytest.raises(RuntimeError, match="the end"):
        Agent(NODE, Attachments(tmp_path), transact).serve(told)
    assert len(transactions) == 1
    assert "10.1.0.49" in transactions[0]


def test_a_pod_begins_when_its_rules_are_in_the_kernel(world: World) -> None:
    world.lists()
    asked = waiting("a", "10.1.0.2")
    world.agent.take(asked)
    world.agent.settle()
    assert not asked.in_force.is_set()  # the API server has not told of the pod yet
    world.agent.take(Changed(POD, "ADDED", pod("x/a", "")))
    assert world.agent.settle()
    assert asked.in_force.is_set()
    assert "10.1.0.2" in world.transactions[-1]


def test_a_pod_does_not_begin_when_the_kernel_refuses(tmp_path: Path) -> None:
    def refuse(_: str) -> None:
        raise UserError("the kernel to take rules", "no")

    agent = Agent(NODE, Attachments(tmp_path), refuse)
    asked = waiting("a", "10.1.0.2")
    agent.take(asked)
    for kind, items in ((NETWORK_POLICY, ()), (NAMESPACE, ()), (POD, (pod("x/a", ""),))):
        agent.take(Listed(kind, tuple(items)))
    with pytest.raises(UserError):
        agent.settle()
    assert not asked.in_force.is_set()


def test_who_starts_again_knows_addresses_that_the_api_server_has_not_got(world: World) -> None:
    world.lists(pod("x/a", ""))
    world.agent.take(waiting("a", "10.1.0.2"))
    world.agent.settle()
    again = World(world.directory)
    again.lists(pod("x/a", ""))
    assert again.transactions == world.transactions[-1:]


def test_a_sandbox_that_is_gone_is_forgotten_for_good(world: World) -> None:
    world.lists(pod("x/a", ""))
    world.agent.take(waiting("a", "10.1.0.2"))
    world.agent.settle()
    world.agent.take(Detach("c1"))
    world.agent.settle()
    assert "10.1.0.2" not in world.transactions[-1]
    assert list(Attachments(world.directory).over([pod("x/a", "")])) == [
        pod("x/a", "") | {"status": {"phase": "Running"}}
    ]


def test_what_the_plugin_told_is_believed_before_the_api_server(tmp_path: Path) -> None:
    known = Attachments(tmp_path)
    known.add(attachment("new", "10.1.0.2"))
    found = known.over([pod("x/old", "10.1.0.2"), pod("x/new", "10.1.0.9"), pod("x/other", "10.1.0.3")])
    assert [each["status"].get("podIP") for each in found] == [None, "10.1.0.2", "10.1.0.3"]


def test_another_pod_of_the_same_name_has_not_its_predecessors_address(tmp_path: Path) -> None:
    known = Attachments(tmp_path)
    known.add(attachment("a", "10.1.0.2", uid="before"))
    assert known.over([pod("x/a", "")])[0]["status"] == {"phase": "Running"}


def test_a_new_sandbox_of_a_pod_takes_the_place_of_the_old(tmp_path: Path) -> None:
    known = Attachments(tmp_path)
    known.add(attachment("a", "10.1.0.2", "old"))
    known.add(attachment("a", "10.1.0.3", "new"))
    known.remove("old")  # late
    for each in (known, Attachments(tmp_path)):
        assert each.over([pod("x/a", "")])[0]["status"]["podIP"] == "10.1.0.3"


def test_nft_tells_what_the_kernel_refused() -> None:
    with pytest.raises(UserError, match=r"no such thing(.|\n)*the rules"):
        nft(["sh", "-c", "echo no such thing >&2; exit 1"])("the rules")


@pytest.fixture
def door(tmp_path: Path) -> Iterator[tuple[Path, "queue.SimpleQueue[Attach | Detach]"]]:
    told: queue.SimpleQueue[Attach | Detach] = queue.SimpleQueue()
    path = tmp_path / "s"
    path.touch()  # an agent that was killed leaves its socket
    opened: Door = open_door(path, told.put, seconds=0.2)
    yield path, told
    opened.shutdown()
    opened.server_close()


def call(path: Path, command: str, **config: Any) -> subprocess.CompletedProcess[str]:
    """The plugin as the runtime calls it."""
    environment = {
        **os.environ,
        "CNI_COMMAND": command,
        "CNI_CONTAINERID": "c1",
        "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=x;K8S_POD_NAME=a;K8S_POD_UID=u",
    }
    given = {"cniVersion": "1.0.0", "socket": str(path), **config}
    return subprocess.run(
        [sys.executable, "-I", "-S", plugin.__file__],
        input=json.dumps(given),
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )


RESULT = {"cniVersion": "1.0.0", "ips": [{"address": "10.1.0.2/24"}]}


def test_the_plugin_waits_for_the_agent_and_hands_on_what_it_was_given(
    door: tuple[Path, "queue.SimpleQueue[Attach | Detach]"],
) -> None:
    path, told = door
    seen: list[Attach | Detach] = []

    def serve() -> None:
        asked = told.get()
        seen.append(asked)
        assert isinstance(asked, Attach)
        asked.in_force.set()

    thread = threading.Thread(target=serve)
    thread.start()
    done = call(path, "ADD", prevResult=RESULT)
    thread.join()
    assert (done.returncode, json.loads(done.stdout)) == (0, RESULT)
    assert isinstance(seen[0], Attach)
    assert seen[0].attachment == Attachment("x", "a", "u", "c1", "10.1.0.2")
    assert call(path, "DEL").returncode == 0
    assert told.get() == Detach("c1")


def test_a_pod_that_the_agent_does_not_see_does_not_start(door: tuple[Path, object]) -> None:
    done = call(door[0], "ADD", prevResult=RESULT)
    error = json.loads(done.stdout)
    assert (done.returncode, error["code"]) == (1, 11)
    assert "pod x/a were not in force" in error["msg"]


def test_without_an_agent_pods_go_and_none_comes(tmp_path: Path) -> None:
    nobody = tmp_path / "nobody"
    done = call(nobody, "ADD", prevResult=RESULT)
    assert done.returncode == 1
    assert "FileNotFoundError" in json.loads(done.stdout)["msg"]
    assert call(nobody, "DEL").returncode == 0
    assert call(nobody, "CHECK").returncode == 0
    assert "1.0.0" in json.loads(call(nobody, "VERSION").stdout)["supportedVersions"]


def test_a_door_answers_what_it_does_not_understand(door: tuple[Path, object]) -> None:
    done = call(door[0], "ADD", prevResult={"ips": [{"address": "10.1.0.2/24"}]}, socket=str(door[0]))
    assert done.returncode == 1
    assert "error" in agent_answer(door[0], {"do": "attach", "attachment": {"no": "such"}})


def agent_answer(path: Path, message: Object) -> Object:
    with pytest.raises(ValueError, match="not understood") as refused:
        plugin._ask(str(path), message)
    return {"error": str(refused.value)}


def test_a_watch_whose_version_is_forgotten_begins_with_a_list_again(serve: Serve) -> None:
    lists = iter([("5", [pod("x/a", "10.1.0.2")]), ("9", [pod("x/b", "10.1.0.3")])])

    def answer(_: str, __: str, query: dict[str, str], ___: Any) -> tuple[int, Any]:
        if "watch" not in query:
            version, items = next(lists)
            return 200, {"items": items, "metadata": {"resourceVersion": version}}
        if query["resourceVersion"] == "5":
            gone = {"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}
            return 200, [{"type": "DELETED", "object": pod("x/a", "10.1.0.2")}, gone]
        return 200, [{"type": "BOOKMARK", "object": {}}, {"type": "ADDED", "object": pod("x/c", "10.1.0.4")}]

    server, kube = serve(answer)
    told: list[str] = []

    class Enough(Exception):
        pass

    def tell(each: Listed | Changed) -> None:
        items = each.items if isinstance(each, Listed) else (each.item,)
        told.append(" ".join([getattr(each, "event", "LIST"), *(item["metadata"]["name"] for item in items)]))
        if len(told) == 4:
            raise Enough

    with pytest.raises(Enough):
        follow(kube, POD, tell)
    assert told == ["LIST a", "DELETED a", "LIST b", "ADDED c"]
    assert [query["resourceVersion"] for _, _, query, _ in server.asked if "watch" in query] == ["5", "9"]


def test_an_api_server_that_refuses_is_asked_again(serve: Serve) -> None:
    refusals = iter([403, 500])

    def answer(*_: Any) -> tuple[int, Any]:
        if status := next(refusals, None):
            return status, {"message": "not yet"}
        return 200, {"items": [], "metadata": {"resourceVersion": "1"}}

    class Enough(Exception):
        pass

    def tell(each: Listed | Changed) -> None:
        assert each == Listed(POD, ())
        raise Enough

    _, kube = serve(answer)
    with pytest.raises(Enough):
        follow(kube, POD, tell)


def test_the_agent_module_is_what_a_node_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", agent_module.__name__, "--help"], text=True, capture_output=True, check=True
    )
    assert "--attachments" in done.stdout
