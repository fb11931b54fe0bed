"""What the picker's choice is worth, on a service with two servers that nobody else uses."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise

import pytest

from fixtures.throwaway import Throwaway
from suites.pool.asking import asking_when_it_answers, reader
from tools.cases.capabilities import FORWARD
from tools.explain import Violation, bullets, check
from tools.faults import pickers_to_come as faults
from tools.kube.llm_service import LlmService
from tools.kube.port_forward import posted_to_pod
from tools.manifests import Document
from tools.metrics import picker, scrape
from tools.metrics.counting import moved
from tools.metrics.scrape import server_port
from tools.openai.client import Client
from tools.openai.content import expect_completion
from tools.openai.reply import Reply
from tools.profile import Profile
from tools.secret import Secret
from tools.waiting.eventually import eventually
from tools.waiting.patience import limit, unhurried
from tools.waiting.timeouts import seconds

# A prefix nobody has seen goes to either server, by chance: all of twenty to one is a chance of 1 in 500 000.
PREFIXES = 20
TIMES = 2
# Several blocks of 16 tokens, which the picker takes for 64 characters, and far from any model's longest prompt.
_LENGTH = 640
# To a server with a queue goes none while another has none: the queue's score is 1 against 0, all else being equal.
REQUESTS = 16
_OCCUPIED_BY = 6


@dataclass(frozen=True)
class Pair:
    """A service with two servers, each of which does one thing at a time.

    Attributes:
        service: where it is.
        client: of it.
        token: may read its picker's metrics.
    """

    service: LlmService
    client: Client
    token: Secret


@pytest.fixture(scope="module")
def pair(throwaway: Throwaway, profile: Profile) -> Iterator[Pair]:
    """The service, once it answers: two accelerators are dear, so the cases of this module share it."""
    with throwaway("pair", _one_at_a_time, replicas=2) as other, asking_when_it_answers(other, profile) as client:
        yield Pair(other, client, reader(other))


# It takes accelerators that other cases need, and counts what others would disturb.
@pytest.mark.alone
@pytest.mark.conformance(
    name="picker-keeps-prefixes-together",
    level="core",
    requires=[FORWARD],
    fault=faults.prefixes_not_scored.shows("went to 2 servers", "prefix-cache-scorer"),
    checks=["picker"],
)
def test_keeps_prefixes_together(pair: Pair) -> None:
    """Requests with the same long prefix go to the server that has it cached; different prefixes go to all servers."""
    counts = [_picks(pair)]
    for number in range(PREFIXES):
        _ask_with_prefix(pair, number)
        counts.append(_picks(pair))
    moves = [moved(before, after) for before, after in pairwise(counts)]
    chosen = [{pod for pod, count in each.items() if count} for each in moves]
    scattered, used = sum(len(servers) > 1 for servers in chosen), set().union(*chosen)
    wrong = [f"{scattered} of {PREFIXES} prefixes went to 2 servers"] if scattered else []
    wrong += [f"all prefixes went to {sorted(used) or 'no server'}"] if len(used) < len(counts[0]) else []
    check(
        not wrong,
        f"{PREFIXES} prefixes of {_LENGTH} characters, {TIMES} times each: one server for each, all used",
        bullets(wrong),
        cause="the picker does not score by prefixes (no prefix-cache-scorer, or one that is outweighed), or is"
        " not asked at all; where all go to one server, it sees only one, or has a score that never changes",
        next_step=pair.service.kubectl("get", "deployment", pair.service.children["picker"][1], "-o", "yaml"),
    )


# It takes accelerators that other cases need, and counts what others would disturb.
@pytest.mark.alone
@pytest.mark.conformance(
    name="picker-spares-busy-servers",
    level="core",
    requires=[FORWARD],
    fault=faults.queues_not_scored.shows("to the busy server", "queue-scorer"),
    checks=["picker"],
)
def test_spares_busy_servers(pair: Pair) -> None:
    """While one server has a queue and the other none, all requests go to the other."""
    busy = pair.service.servers()[0]["metadata"]["name"]
    ended, replies = threading.Event(), list[Reply]()

    def ask() -> None:
        while len(replies) < REQUESTS and not ended.is_set():
            replies.append(pair.client.complete(f"{len(replies)}: short", max_tokens=1))

    # One that goes to the busy server waits there until that is let go, which is after the counting.
    with ThreadPoolExecutor(1) as pool:
        with _occupied(pair, busy):
            before = _picks(pair)
            asked = pool.submit(ask)
            wait([asked], timeout=limit(seconds("request-read")).seconds)
            picked = moved(before, _picks(pair))
        ended.set()
        asked.result()
    check(
        picked[busy] == 0 and sum(picked.values()) == REQUESTS,
        f"{REQUESTS} requests to the server that has no queue",
        f"{picked[busy]:.0f} to the busy server, {busy}; picked {picked}",
        cause="the picker does not score by queues (no queue-scorer in its configuration, or outweighed), does not read"
        " the servers' metrics, or is not asked at all",
        next_step=pair.service.kubectl("get", "deployment", pair.service.children["picker"][1], "-o", "yaml"),
    )
    for reply in replies:
        expect_completion(reply, pair.client.model)


def _ask_with_prefix(pair: Pair, number: int) -> None:
    """Requests that begin alike, and unlike all others."""
    prefix = (f"Prefix {number} of {pair.service.namespace}. " * _LENGTH)[:_LENGTH]
    for count in range(TIMES):
        expect_completion(pair.client.complete(f"{prefix} Question {count}", max_tokens=1), pair.client.model)


def _picks(pair: Pair) -> dict[str, float]:
    """How often each server was picked."""
    told = scrape.pickers(pair.service, pair.token).values()
    names = [pod["metadata"]["name"] for pod in pair.service.servers()]
    return {name: sum(each.total(picker.PICKS, pod_name=name) for each in told) for name in names}


def _one_at_a_time(made: list[Document]) -> list[Document]:
    for document in made:
        if document["kind"] == "LLMInferenceService":
            for container in document["spec"]["template"]["containers"]:
                if container["name"] == "main":
                    container["args"] = [*container.get("args", []), "--max-num-seqs=1"]
    return made


@contextmanager
def _occupied(pair: Pair, name: str) -> Iterator[None]:
    """One server with a queue, as the picker sees it; it is asked directly, so that no picker has a say."""
    port = next(server_port(pod) for pod in pair.service.pods() if pod["metadata"]["name"] == name)
    asked = {"model": pair.client.model, "prompt": "Tell of the sea", "max_tokens": 1500, "stream": True}
    body = json.dumps(asked | {"ignore_eos": True})

    kube, namespace = pair.service.kube, pair.service.namespace

    def queued() -> None:
        told = scrape.pickers(pair.service, pair.token).values()
        seen = sum(sample.value for each in told for sample in each.find(picker.QUEUED) if _is_of(sample.labels, name))
        if seen < _OCCUPIED_BY - 1:
            raise Violation(f"the picker to see a queue of {_OCCUPIED_BY - 1} at {name}", f"it sees {seen:g}")

    with ExitStack() as stack:
        for _ in range(_OCCUPIED_BY):
            stack.enter_context(posted_to_pod(kube, namespace, name, port, "/v1/completions", body))
        with unhurried():
            eventually("the picker to see the queue", queued, budget=seconds("picker-gauge"), in_a_row=1)
        yield


def _is_of(labels: dict[str, str], name: str) -> bool:
    """Whether a sample is of a server: its name, or its name and rank."""
    return labels.get("model_server_pod", "").startswith(name)
