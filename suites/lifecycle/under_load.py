"""Load on services that cases change, the changes themselves, and what is told when requests fail under them."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tools.evidence.envoy import access_lines
from tools.explain import Violation, bullets
from tools.kube import gateways, pods
from tools.kube.client import Object
from tools.kube.convergence import Converged, Selection, converge
from tools.kube.errors import KubeError
from tools.kube.kinds import EVENT, LLM_SERVICE, POD
from tools.kube.llm_service import PART_OF, SERVER_CONTAINER, LlmService, not_ready
from tools.load import blame, timeline
from tools.load.blame import Blame
from tools.load.engine import Load, Traffic, expect_in_time, running
from tools.load.record import NANOSECONDS, RequestRecord
from tools.load.timeline import Mark
from tools.load.transport import Question
from tools.manifests import Document
from tools.profile import Profile
from tools.profile.budgets import budget
from tools.waiting.patience import unhurried
from tools.waiting.timeouts import seconds

# Streams that take some seconds and follow each other: whichever server leaves has some.
_LONG = Question({"prompt": "Tell a long story.", "max_tokens": 60, "ignore_eos": True}, streamed=True)
LOAD = Load(rate=6, question=Question({"prompt": "The gate opens", "max_tokens": 2}), streams=3, long_question=_LONG)
# Of the simulator, so that a stream takes three seconds and next to nothing of this machine.
_PACE = "--itl-ms="
_SLOW = f"{_PACE}50"
# As many after a change show that it has settled.
_AFTERWARDS = 12
_SHOWN = 3
_LINES = 4000
_EVENTS = 10


@contextmanager
def loaded(service: LlmService, load: Load = LOAD) -> Iterator[Traffic]:
    """Requests and streams to a service, while entered.

    Raises:
        TooBusy: this machine could not send them in time.
    """
    with running(service.connection, service.url, agent(service), load) as traffic:
        yield traffic
    expect_in_time(traffic.records)


def slowly(made: list[Document]) -> list[Document]:
    """The same service, with tokens that come one after the other where the server is the simulator."""
    for document in made:
        if document["kind"] == "LLMInferenceService":
            (main,) = (each for each in document["spec"]["template"]["containers"] if each["name"] == SERVER_CONTAINER)
            main["args"] = [_SLOW if each.startswith(_PACE) else each for each in main.get("args", [])]
    return made


def agent(service: LlmService) -> str:
    """What the requests call themselves, in access logs."""
    return f"llmisvc-conformance (load, {service.namespace})"


def want(service: LlmService, replicas: int) -> None:
    """Ask for so many servers."""
    service.kube.patch(LLM_SERVICE, service.name, service.namespace, {"spec": {"replicas": replicas}})


def await_servers(service: LlmService, profile: Profile, replicas: int, *, without: Sequence[str] = ()) -> Converged:
    """Wait until so many servers are ready, no other is left, and none of some names.

    Args:
        service: whose.
        profile: promises how long a server's start may take.
        replicas: how many.
        without: names of pods that are to be gone.
    """

    def decide(found: list[Object]) -> str:
        ready = [pod for pod in found if pods.is_ready(pod)]
        left = [pod["metadata"]["name"] for pod in found if pod["metadata"]["name"] in without]
        fine = len(ready) == len(found) == replicas and not left
        return "" if fine else "; ".join(pods.line(pod) for pod in found) or "no server pod"

    labels = f"{PART_OF},app.kubernetes.io/name={service.name},kserve.io/component=workload"
    # A new server starts, and an old one has its grace.
    allowed = budget("service-ready", profile) + seconds("pods-removed")
    with unhurried():
        what = f"{replicas} servers, ready, and no other"
        return converge(service.kube, what, Selection(POD, service.namespace, labels=labels), decide, budget=allowed)


def await_ready(service: LlmService, profile: Profile) -> Converged:
    """Wait until the service is Ready as it is now."""

    def decide(found: list[Object]) -> str:
        return "; ".join(not_ready(found[0])) if found else "it is not there"

    chosen = Selection(LLM_SERVICE, service.namespace, service.name)
    with unhurried():
        return converge(
            service.kube, f"{service.name} to be Ready", chosen, decide, budget=budget("service-ready", profile)
        )


def settle(traffic: Traffic, mark: Mark) -> None:
    """Wait until some requests that were sent after a mark have ended, well or not."""
    traffic.await_records(
        lambda found: sum(each.sent_ns >= mark.at_ns for each in found) >= _AFTERWARDS, seconds("request-whole")
    )


def expect_failed_only(
    service: LlmService,
    traffic: Traffic,
    what: str,
    cause: str,
    excused: Sequence[RequestRecord],
    leaving: Collection[str] = (),
) -> None:
    """No request and no stream failed but those that are excused.

    Args:
        service: whose.
        traffic: that was sent.
        what: the end of "every request to be answered whole …".
        cause: the probable cause.
        excused: that may have failed.
        leaving: names of server pods that left meanwhile.

    Raises:
        Violation: some did; the text blames gateway, picker or pod for each, and has the timeline.
    """
    failed = [each for each in traffic.failed if each not in excused]
    if not failed:
        return
    found = blamed(service, failed, leaving)
    total, began = len(traffic.records), traffic.slices[0].start.at_ns
    shown = [f"sent at {(each.record.sent_ns - began) / NANOSECONDS:.1f} s: {each}" for each in found[:_SHOWN]]
    raise Violation(
        f"every request to be answered whole {what}",
        f"{len(failed)} of {total} failed, {blame.tally(found)}; the first: {bullets(shown)}",
        cause=cause,
        next_step=service.kubectl("get", "pods,events", "--sort-by=.metadata.creationTimestamp"),
        details="\n\n".join(
            [
                timeline.text(traffic.slices),
                *_servers(service),
                *_events(service),
                f"request:        {failed[0].request.curl}",
            ]
        ),
    )


def blamed(service: LlmService, failed: Sequence[RequestRecord], leaving: Collection[str]) -> list[Blame]:
    """Who broke each, by the gateway's access log where it may be read."""
    lines = _access_log(service, [each.user_agent for each in failed])
    return [blame.attribute(each, lines.get(each.user_agent), leaving) for each in failed]


def _access_log(service: LlmService, agents: Collection[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for pod in gateways.proxies(service.kube, service.gateway):
        try:
            log = service.kube.logs(pod["metadata"]["name"], service.gateway.namespace, gateways.PROXY, lines=_LINES)
        except KubeError:
            continue  # only to tell more; the answers' own fingerprints tell without it
        lines = access_lines(log, set(agents), ())
        found |= {str(line.fields["user_agent"]): line.fields for line in lines if line.fields}
    return found


def _servers(service: LlmService) -> list[str]:
    """The server pods that are there, and those that go."""
    return ["\n".join(f"{pods.line(pod)}, {pod['status'].get('podIP', 'no address')}" for pod in service.servers())]


def _events(service: LlmService) -> list[str]:
    """The last warnings of the service's namespace, which goes with the case; as one text, if there are any."""
    found = [each for each in service.kube.objects(EVENT, service.namespace) if each.get("type") == "Warning"]
    found.sort(key=lambda each: str(each.get("lastTimestamp") or each.get("eventTime") or ""))
    return ["\n".join(pods.event_line(each)[:200] for each in found[-_EVENTS:])] if found else []
