"""Admission seen at work, by dry runs: a right service is taken, a wrong one is refused by KServe's own webhook."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tools.kube.client import Object
from tools.kube.errors import KubeError
from tools.kube.kinds import LLM_SERVICE, Kind
from tools.kube.platform import Platform
from tools.platform import callout, controllers, release, webhooks
from tools.platform.trouble import Trouble

PROBE = "llmisvc-conformance-dry-run"
_GROUP = "serving.kserve.io"
_CONTAINER = {"name": "main", "image": "registry.invalid/none"}
_RIGHT: Object = {"model": {"uri": "hf://an/example"}, "router": {"route": {}, "gateway": {}, "scheduler": {}}}
# The definition's schema takes it; only the webhook knows that workers need parallelism.
_WRONG: Object = _RIGHT | {"worker": {"containers": [_CONTAINER]}}
_REFUSAL = "parallelism"


@dataclass(frozen=True)
class Answer:
    """What the API server said to a dry run.

    Attributes:
        status: HTTP; 0 without an answer.
        message: its words; empty where it took the object.
        seconds: how long it took.
    """

    status: int
    message: str
    seconds: float


def ask(platform: Platform, version: str, spec: Object) -> Answer:
    """Create a service as a dry run, in the controller's namespace."""
    kind = Kind(f"{_GROUP}/{version}", LLM_SERVICE.kind, LLM_SERVICE.plural)
    namespace = platform.controller.namespace
    body = {
        "apiVersion": kind.api,
        "kind": kind.kind,
        "metadata": {"name": PROBE, "namespace": namespace},
        "spec": spec,
    }
    started = time.monotonic()
    try:
        platform.kube.request("POST", kind.path(namespace=namespace), {"dryRun": "All"}, body)
    except KubeError as error:
        return Answer(error.status, error.message, time.monotonic() - started)
    return Answer(201, "", time.monotonic() - started)


def trouble(platform: Platform) -> list[Trouble]:
    """What is wrong with the webhooks' answers, through every version; one cause is told once."""
    versions = release.serves(release.version(controllers.find(platform)))
    questions = [(version, refused) for version in versions for refused in (False, True)]

    def judged(question: tuple[str, bool]) -> Trouble | None:
        version, refused = question
        answer = ask(platform, version, _WRONG if refused else _RIGHT)
        return _judged(platform, answer, version, refused=refused)

    # Side by side: one that does not answer takes as long as the API server waits for it.
    with ThreadPoolExecutor(len(questions)) as pool:
        wrong = [trouble for trouble in pool.map(judged, questions) if trouble]
    return list({each.cause: each for each in reversed(wrong)}.values())


def explained(platform: Platform, error: KubeError, seconds: float) -> Trouble | None:
    """Why a write failed, if it failed because a webhook could not be asked."""
    if not callout.is_call(error.message):
        return None
    behind = webhooks.behind(platform, webhooks.read(platform))
    return callout.why(error.message, seconds, behind, platform.kube.kubectl())


def _judged(platform: Platform, answer: Answer, version: str, *, refused: bool) -> Trouble | None:
    show = platform.kube.kubectl("get", "validatingwebhookconfigurations", "-o", "yaml")
    if callout.is_call(answer.message):
        behind = webhooks.behind(platform, webhooks.read(platform))
        return callout.why(answer.message, answer.seconds, behind, platform.kube.kubectl())
    if not refused and answer.status != 201:
        cause = "a policy of the cluster refuses it, or controller and definitions are of different releases"
        return Trouble(f"a right service is refused in {version}: {answer.status}: {answer.message}", cause, show)
    if refused and answer.status == 201:
        cause = "the validating webhook is not asked: its configuration is missing, or its rules or selectors miss it"
        return Trouble(f"a wrong service (worker without parallelism) is taken in {version}", cause, show)
    if refused and _REFUSAL not in answer.message:
        cause = "something else refused it before KServe's webhook was asked"
        return Trouble(f"a wrong service is refused in {version}: {answer.message}", cause, show)
    return None
