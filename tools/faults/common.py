"""What faults have in common: scaling, probing, putting back."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tools.explain import Violation, check
from tools.kube.client import Kube, Object
from tools.kube.convergence import Decide, Selection, converge, gone
from tools.kube.kinds import DEPLOYMENT, LLM_SERVICE, NAMESPACE, POD, Kind
from tools.kube.labels import made_for
from tools.kube.llm_service import LlmService, Place, not_ready
from tools.openai.client import Client
from tools.openai.reply import Reply
from tools.waiting.eventually import IN_A_ROW, eventually
from tools.waiting.timeouts import seconds


@contextmanager
def scaled(kube: Kube, namespace: str, deployment: str, replicas: int) -> Iterator[None]:
    """A Deployment with another number of replicas; ends when it has its own number again, ready."""
    before = kube.get(DEPLOYMENT, deployment, namespace)["spec"].get("replicas", 1)
    try:
        scale(kube, namespace, deployment, replicas)
        yield
    finally:
        scale(kube, namespace, deployment, before)


def scale(kube: Kube, namespace: str, deployment: str, replicas: int) -> None:
    """Set a Deployment's replicas and wait until as many are ready and no other pod is left."""
    found = kube.patch(DEPLOYMENT, deployment, namespace, {"spec": {"replicas": replicas}})
    what = f"Deployment {deployment} to have {replicas} ready pods"
    converge(kube, what, Selection(DEPLOYMENT, namespace, deployment), _has(replicas), budget=seconds("fault-recovery"))
    if replicas == 0:
        labels = ",".join(f"{key}={value}" for key, value in found["spec"]["selector"]["matchLabels"].items())
        converge(
            kube,
            f"pods of {deployment} to be gone",
            Selection(POD, namespace, labels=labels),
            gone,
            budget=seconds("fault-recovery"),
        )


def wait_until_available(kube: Kube, place: Place) -> None:
    """Wait until a Deployment runs what it says, with all its replicas and no older pod."""

    def decide(found: list[Object]) -> str:
        return _has(found[0]["spec"].get("replicas", 1))(found) if found else "it is not there"

    chosen = Selection(DEPLOYMENT, place.namespace, place.name)
    converge(kube, f"Deployment {place} to be rolled out", chosen, decide, budget=seconds("fault-recovery"))


def wait_ready(service: LlmService) -> None:
    """Wait until a service is Ready as it is now."""

    def decide(found: list[Object]) -> str:
        return "; ".join(not_ready(found[0])) if found else "it is not there"

    chosen = Selection(LLM_SERVICE, service.namespace, service.name)
    converge(service.kube, f"{service.name} to be Ready again", chosen, decide, budget=seconds("fault-recovery"))


def wait_until(service: LlmService, kind: Kind, name: str, what: str, holds: Callable[[Object], bool]) -> None:
    """Wait until an object in a service's namespace is as it should be."""

    def decide(found: list[Object]) -> str:
        return "" if found and holds(found[0]) else f"not so: {found[0].get('status') if found else 'it is not there'}"

    converge(service.kube, what, Selection(kind, service.namespace, name), decide, budget=seconds("fault-recovery"))


def wait_for_answer(
    service: LlmService,
    what: str,
    ask: Callable[[Client], Reply],
    wanted: Callable[[Reply], bool],
    in_a_row: int = IN_A_ROW,
) -> None:
    """Wait until the gateway's answers show that a fault is in effect, several times in a row."""
    client = service.connection.client(service.url, "llmisvc-conformance (fault)")

    def shows() -> None:
        reply = ask(client)
        check(wanted(reply), f"the fault in effect: {what}", reply.summary)

    try:
        eventually(what, shows, budget=seconds("fault-effect"), in_a_row=in_a_row)
    finally:
        client.close()


def answers(service: LlmService, ask: Callable[[Client], Reply], wanted: Callable[[Reply], bool]) -> Callable[[], None]:
    """What shows that a fault is in effect, by one answer of the gateway over a connection of its own."""

    def shows() -> None:
        client = service.connection.client(service.url, "llmisvc-conformance (fault)")
        try:
            reply = ask(client)
        finally:
            client.close()
        if not wanted(reply):
            raise Violation("the fault in effect", reply.summary)

    return shows


def fault_labels(service: LlmService, fault: str) -> dict[str, str]:
    """Labels of what a fault makes beside a service, by which it is found again whatever becomes of this process."""
    return made_for(service.kube.get(NAMESPACE, service.namespace), fault)


def gateway_root(client: Client) -> str:
    """URL of the gateway that a client's service is behind."""
    parts = urlsplit(client.base_url)
    return f"{parts.scheme}://{parts.netloc}"


def recreatable(found: Object) -> Object:
    """An object as it can be created again: without what only the API server may say; owners are kept."""
    again = copy.deepcopy(found)
    again.pop("status", None)
    for key in ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"):
        again["metadata"].pop(key, None)
    return again


def _has(replicas: int) -> Decide:
    def decide(found: list[Object]) -> str:
        status, generation = found[0].get("status", {}), found[0]["metadata"]["generation"]
        fresh = status.get("observedGeneration") == generation
        counts = {key: status.get(key, 0) for key in ("replicas", "readyReplicas", "availableReplicas")}
        return "" if fresh and set(counts.values()) == {replicas} else f"{counts}"

    return decide
