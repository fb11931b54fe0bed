"""A service's route changed and put back, with KServe's controller kept from it."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tools.faults.common import wait_for_answer, wait_until
from tools.faults.hold import controller_held
from tools.kube.client import Object
from tools.kube.conditions import parents
from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.reply import Reply
from tools.route.expected import Rule

# Changes a copy of the route in place.
Change = Callable[[Object], None]
Ask = Callable[[Client], Reply]


@contextmanager
def route_changed(
    service: LlmService, change: Change, *, ask: Ask = Client.complete, shows: Callable[[Reply], bool] | None = None
) -> Iterator[None]:
    """The route with another specification or other annotations, taken by the gateway's controller.

    Args:
        service: whose route.
        change: what is changed.
        ask: what is asked to see that the gateway has the change, and afterwards has it not: its controller says
            that it has looked at a route before the gateway has it.
        shows: what the answer is then like, and is not otherwise; none where no request can tell.
    """
    kind, name = service.children["route"]
    before = service.child("route")
    after = copy.deepcopy(before)
    change(after)
    with controller_held(service):
        try:
            found = service.kube.patch(kind, name, service.namespace, _replacing(after), how="json")
            generation = found["metadata"]["generation"]
            wait_until(service, kind, name, "the gateway to look at the route", lambda it: _not_stale(it, generation))
            if shows is not None:
                wait_for_answer(service, "answers as the fault makes them", ask, shows)
            yield
        finally:
            found = service.kube.patch(kind, name, service.namespace, _replacing(before), how="json")
            generation = found["metadata"]["generation"]
            wait_until(service, kind, name, "the route as before", lambda it: looked_at(it, generation))
            if shows is not None:
                wait_for_answer(service, "answers as before the fault", ask, lambda reply: not shows(reply))
            wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


def each_rule(change: Callable[[Rule], None]) -> Change:
    """Change every rule."""

    def all_of(route: Object) -> None:
        for rule in route["spec"]["rules"]:
            change(rule)

    return all_of


def is_pools(rule: Rule) -> bool:
    """Whether a rule leads to a pool."""
    return any(each.get("kind") == "InferencePool" for each in rule.get("backendRefs") or [])


def paths(rule: Rule) -> list[str]:
    """The paths that a rule matches."""
    return [each.get("path", {}).get("value", "/") for each in rule.get("matches") or []]


def looked_at(route: Object, generation: int) -> bool:
    """Whether the gateway's controller has said something of this generation, be it good or bad."""
    detached = not route["spec"].get("parentRefs")
    return (bool(parents(route)) or detached) and _not_stale(route, generation)


def _not_stale(route: Object, generation: int) -> bool:
    """Whether nothing is said of another generation. A route that asks for a Gateway which is not there has no word."""
    return all(condition.observed == generation for _, at in parents(route) for condition in at.values())


def _replacing(route: Object) -> list[Object]:
    annotations = route["metadata"].get("annotations", {})
    # Adding replaces what is there.
    return [
        {"op": "replace", "path": "/spec", "value": route["spec"]},
        {"op": "add", "path": "/metadata/annotations", "value": annotations},
    ]
