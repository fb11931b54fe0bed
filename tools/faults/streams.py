"""Faults of streamed answers on their way back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tools.faults.common import wait_for_answer, wait_until
from tools.faults.fault import fault
from tools.faults.hold import controller_held
from tools.kube.client import Object
from tools.kube.conditions import parents
from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.reply import Reply
from tools.probe.verdict import Verdict


@fault()
def streams_cut(service: LlmService) -> Iterator[None]:
    """The route gives an answer a fifth of a second: short ones come, streams end in the middle."""
    with _rules_changed(service, lambda rule: rule | {"timeouts": {"request": "200ms"}}):
        wait_for_answer(service, "streams are cut", _long_stream, lambda reply: reply.verdict is Verdict.RESET)
        yield


@fault()
def streams_relabelled(service: LlmService) -> Iterator[None]:
    """The route says of every answer that it is plain text."""
    modifier = {"set": [{"name": "content-type", "value": "text/plain"}]}
    added = {"type": "ResponseHeaderModifier", "responseHeaderModifier": modifier}
    with _rules_changed(service, lambda rule: rule | {"filters": [*rule.get("filters", []), added]}):
        wait_for_answer(service, "streams are plain text", _long_stream, _is_plain)
        yield


@contextmanager
def _rules_changed(service: LlmService, change: Callable[[Object], Object]) -> Iterator[None]:
    kind, name = service.children["route"]
    before = service.child("route")["spec"]["rules"]
    with controller_held(service):
        try:
            _put(service, [change(rule) for rule in before])
            yield
        finally:
            _put(service, before)
            wait_for_answer(service, "streams are whole again", _long_stream, _is_whole)
    wait_until(service, kind, name, "the route as before", lambda it: it["spec"]["rules"] == before)


def _put(service: LlmService, rules: list[Object]) -> None:
    kind, name = service.children["route"]
    patch = [{"op": "replace", "path": "/spec/rules", "value": rules}]
    generation = service.kube.patch(kind, name, service.namespace, patch, how="json")["metadata"]["generation"]
    wait_until(service, kind, name, "the gateway to take the route", lambda it: _taken(it, generation))


def _taken(route: Object, generation: int) -> bool:
    entries = [condition for _, at in parents(route) for condition in at.values()]
    return bool(entries) and all(condition.observed == generation for condition in entries)


def _long_stream(client: Client) -> Reply:
    return client.complete("Tell of the sea", max_tokens=64, stream=True)


def _is_plain(reply: Reply) -> bool:
    return reply.headers.get("content-type", "").startswith("text/plain")


def _is_whole(reply: Reply) -> bool:
    kind = reply.headers.get("content-type", "")
    return reply.status == 200 and kind.startswith("text/event-stream") and "[DONE]" in reply.body
