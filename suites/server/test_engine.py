"""The engine behind the API: it makes tokens, and they are a model's."""

import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from fixtures.measure import Record
from suites.server import inside
from tools.cases.capabilities import FORWARD, TRAFFIC
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import server as faults
from tools.faults import workload
from tools.kube.errors import KubeError
from tools.kube.llm_service import LlmService
from tools.metrics import scrape, vllm
from tools.openai import sanity
from tools.openai.client import Client
from tools.openai.content import expect_chat, expect_completion
from tools.openai.expect import expect_status
from tools.openai.fingerprint import SERVER
from tools.openai.reply import Reply
from tools.profile import Profile
from tools.profile.budgets import budget
from tools.waiting.timeouts import seconds

_PROMPTS = ("Tell of the sea.", "What is a bridge for?", "List some fruit.")
_TOKENS = 40
_FEW = 16
# Of a prompt: buckets for which engines compile. The shortest context of a released profile has 2048.
_SHAPES = (16, 128, 512, 1024)


@pytest.mark.conformance(
    name="server-engine-is-alive",
    level="core",
    requires=[FORWARD, TRAFFIC],
    fault=[
        faults.engine_hangs.shows("/health 200", "no token", "the engine hangs"),
        faults.engine_fails.shows("/health 200", "500"),
        faults.ready_too_soon.shows("/health 200", "503"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
)
def test_engine_is_alive(service: LlmService, record: Record) -> None:
    """Every server whose /health is 200 makes a token within its budget: health alone is no sign of an engine."""
    wrong, before = [], _generated(service)
    allowed = seconds("first-token")
    for pod in service.servers():
        name, health = pod["metadata"]["name"], inside.get(service, pod, "/health").status
        started = time.monotonic()
        try:
            reply = inside.complete(service, pod, service.connection.model, within=allowed)
        except KubeError as error:
            wrong.append(f"{name}: /health {health}, and no token within {allowed:g} s ({error.message})")
            continue
        record("time to one token, inside of the pod", time.monotonic() - started, allowed)
        if reply.status != 200:
            wrong.append(f"{name}: /health {health}, and one token is {reply.status}: {reply.body[:120]!r}")
    check(
        not wrong,
        "a token from every server",
        bullets(wrong),
        cause=_cause(service, before) if wrong else "",
        next_step=service.kubectl("logs", f"deployment/{service.children['workload'][1]}", "-c", "main", "--tail=50"),
    )


@pytest.mark.conformance(
    name="server-first-answers-of-each-shape",
    level="core",
    fault=[
        faults.server_slow.shows("the second", "slower than"),
        faults.ready_too_soon.shows("HTTP 503", "not loaded yet"),
        workload.servers_stopped.shows("HTTP 503"),
    ],
    checks=["gateway"],
)
def test_first_answers_of_each_shape(client: Client, profile: Profile, record: Record) -> None:
    """The first request of each length and kind is answered within the start-up budget, and the next soon."""
    allowed = budget("answers", profile)
    slow = []
    for what, ask in _shapes(client):
        first, second = ask(), ask()
        for each in (first, second):
            expect_status(each, 200, f"an answer to {what}", by=SERVER)
        record(f"time to the first answer to {what}", first.seconds, allowed, f"{second.seconds:.2f} s the second")
        if first.seconds > allowed:
            slow.append(f"{what}: the first took {first.seconds:.1f} s, slower than {allowed:g} s")
        if second.seconds > (limit := seconds("warm-answer")):
            slow.append(f"{what}: the second took {second.seconds:.2f} s, slower than {limit:g} s")
        if slow:
            break  # each further shape would take as long, and tell no more
    check(
        not slow,
        f"the first answer of each shape within {allowed:g} s, and each further one at once",
        bullets(slow),
        cause="the engine compiles when a shape comes first, or each time (XLA, CUDA graphs): warm it up before Ready;"
        " or it is slow or busy",
        next_step=client.complete(max_tokens=1).request.curl,
    )


@pytest.mark.conformance(
    name="server-tokens-make-sense",
    level="core",
    fault=[
        faults.tokens_garbled.shows("'!'", "no letter", "NaN"),
        faults.errors_inside.shows("an error inside a 200"),
    ],
    checks=["gateway"],
)
def test_tokens_make_sense(client: Client) -> None:
    """Answers are text that a model can have written, and different prompts get different ones."""
    replies = [client.chat(prompt, max_tokens=_TOKENS, temperature=0, seed=5) for prompt in _PROMPTS]
    texts = []
    for each in replies:
        expect_chat(each, client.model)
        texts.append(each.json["choices"][0]["message"]["content"])
    wrong = [
        f"{prompt!r}: {line}" for prompt, text in zip(_PROMPTS, texts, strict=True) for line in sanity.trouble(text)
    ]
    wrong += [f"all answers are the same: {texts[0][:80]!r}"] if sanity.alike(texts) else []
    check(
        not wrong,
        "text with words in it, that depends on the prompt",
        bullets(wrong),
        cause="numbers overflow (NaN) in a format that the accelerator or the model does not take: --dtype,"
        " --kv-cache-dtype; or weights are damaged, or of another model than the tokenizer",
        next_step=replies[0].request.curl,
    )


@pytest.mark.conformance(
    name="server-gives-golden-answers",
    level="core",
    requires=[claimed("golden-answers")],
    fault=[
        faults.tokens_garbled.shows("'!!!!!!!!'"),
        faults.errors_inside.shows("an error inside a 200"),
    ],
    checks=["golden-answers"],
)
def test_gives_golden_answers(client: Client, profile: Profile) -> None:
    """The model goes on with the profile's texts as it says: weights, tokenizer and format are the same."""
    wrong, last = [], ""
    for each in profile.golden:
        reply = client.complete(each.prompt, max_tokens=_FEW // 2, temperature=0, seed=0)
        expect_completion(reply, client.model)
        text, last = reply.json["choices"][0]["text"], reply.request.curl
        wrong += [] if text.startswith(each.answer) else [f"{each.prompt!r}: {text!r}, not {each.answer!r} first"]
    check(
        not wrong,
        f"the {len(profile.golden)} golden answers of profile {profile.name}",
        bullets(wrong),
        cause="other weights, another tokenizer, quantisation or format than when the profile was written; or numbers"
        " that overflow",
        next_step=last,
    )


def _shapes(client: Client) -> Iterator[tuple[str, Callable[[], Reply]]]:
    for tokens in _SHAPES:
        prompt = "word " * (tokens - 8)
        yield f"{tokens} tokens", partial(client.complete, prompt, max_tokens=_FEW)
    yield "a chat", partial(client.chat, max_tokens=_FEW)
    yield "a stream", partial(client.chat, max_tokens=_FEW, stream=True)
    yield "two answers", partial(client.complete, max_tokens=_FEW, n=2)


def _generated(service: LlmService) -> float:
    """Tokens that the servers have counted."""
    return sum(each.total(vllm.GENERATED_TOKENS) for each in scrape.servers(service).values())


def _cause(service: LlmService, before: float) -> str:
    found = scrape.servers(service).values()
    running, waiting = (sum(each.total(names) for each in found) for names in (vllm.RUNNING, vllm.WAITING))
    if _generated(service) > before:
        return "tokens were counted meanwhile, so the engine works: it is slow, or busy with others"
    return (
        f"no token was counted meanwhile, {running:g} requests run and {waiting:g} wait: the engine hangs, fails or has"
        " not started, behind an API that is well. Restart the pod; a liveness probe on /health will not"
    )
