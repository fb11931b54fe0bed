"""Promises of downloads that need a service of their own: made for the case, removed with it."""

from collections.abc import Callable

import pytest

from fixtures.measure import Record
from fixtures.throwaway import Throwaway
from suites.download.needs import HAS_TOKEN
from tools.explain import Violation, bullets, check
from tools.faults import controller_writes
from tools.faults import download as faults
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.conditions import conditions
from tools.kube.convergence import Converged, NotConverged, Selection, converge
from tools.kube.download import DOWNLOADER, MODEL_PATH, Download, Reason, download, failure
from tools.kube.kinds import DEPLOYMENT, LLM_SERVICE, POD
from tools.kube.llm_service import PART_OF, SERVER_CONTAINER, LlmService
from tools.manifests import Document
from tools.waiting.timeouts import seconds

_CLAIM = "no-such-claim"


@pytest.mark.conformance(
    name="download-of-gated-model-needs-token",
    level="core",
    requires=[HAS_TOKEN],
    fault=faults.gate_open.shows("was not refused"),
)
def test_gated_model_needs_its_token(service: LlmService, throwaway: Throwaway) -> None:
    """Without its token the gated model is refused, and the failed pod says so: 401, what was missing, and where."""
    # Where the picker downloads as well (KServe 0.18 to 0.20), no accelerator is needed to see it.
    replicas = 0 if any(map(download, service.picker_pods())) else 1
    with throwaway("gated", _without_token, replicas=replicas, ready=False) as other:
        seen = _downloads_until(other, "the download of a gated model to end", lambda found: _has_ended(found))
        check(
            seen is not None and (why := failure(seen)) is not None and why.reason is Reason.AUTHENTICATION,
            "the download of a gated model without a token to be refused with 401",
            f"{seen.state() if seen else 'no download was seen'}: it was not refused for lack of a token",
            cause="the model is not gated, a token reaches the download by another way, or the failure does not tell",
            next_step=other.kubectl("logs", seen.name if seen else "POD", "-c", DOWNLOADER),
        )


@pytest.mark.conformance(
    name="download-again-after-a-restart",
    level="core",
    fault=faults.download_stalled.shows("to be Ready", "storage-initializer"),
)
def test_restart_downloads_again(throwaway: Throwaway, record: Record) -> None:
    """A server that is deleted comes back by itself, downloads the model again, and is Ready."""
    with throwaway("restart", replicas=1, ready=False) as other:
        first = _server_ready(other, "a further server to be Ready", set())
        names = {pod["metadata"]["name"] for pod in first.objects}
        for name in names:
            other.kube.delete(POD, name, other.namespace)
        again = _server_ready(other, "a server to be Ready in place of the deleted one", names)
        record("time until a deleted server is Ready again", again.seconds, again.budget)


@pytest.mark.conformance(
    name="download-scheme-that-is-unknown-is-told",
    level="core",
    fault=controller_writes.controller_mute.shows("says nothing of it"),
)
def test_unknown_scheme_is_told(throwaway: Throwaway) -> None:
    """A model URI with a scheme that KServe does not know is told in the service's conditions, with the URI."""
    uri = "ftp://models.example/gemma"
    with throwaway("scheme", _with_uri(uri), ready=False) as other:

        def decide(found: list[Object]) -> str:
            told = [str(each) for each in conditions(found[0]).values() if uri in each.message] if found else []
            return "" if any("unsupported schema" in each for each in told) else "the service says nothing of it"

        _await(other, LLM_SERVICE.resource, "a condition that names the URI with its unsupported scheme", decide)


@pytest.mark.conformance(
    name="download-is-spared-by-a-volume",
    level="extended",
    fault=controller_writes.controller_mute.shows("there is no Deployment"),
)
def test_volume_is_mounted(throwaway: Throwaway) -> None:
    """A model by pvc:// is mounted where the server reads it, read-only, from its path in the claim, not downloaded."""
    with throwaway("pvc", _with_uri(f"pvc://{_CLAIM}/models/gemma"), ready=False) as other:
        name = other.children["workload"][1]

        def decide(found: list[Object]) -> str:
            if not found:
                return "there is no Deployment"
            return "; ".join(_volume_trouble(found[0]["spec"]["template"]))

        _await(other, f"deployment/{name}", f"claim {_CLAIM} at {MODEL_PATH} of the server", decide)


def _await(other: LlmService, subject: str, what: str, decide: Callable[[list[Object]], str]) -> None:
    kind, name = (LLM_SERVICE, other.name) if "/" not in subject else (DEPLOYMENT, subject.partition("/")[2])
    selection = Selection(kind, other.namespace, name)
    try:
        converge(other.kube, what, selection, decide, budget=seconds("throwaway-ready"))
    except NotConverged as error:
        raise Violation(
            what,
            error.lacking,
            cause="the controller does not run, cannot reconcile the service, or this version words it otherwise",
            next_step=other.kubectl("describe", *subject.split("/") if "/" in subject else (subject, other.name)),
        ) from None


def _server_ready(other: LlmService, what: str, old: set[str]) -> Converged:
    def decide(found: list[Object]) -> str:
        new = [pod for pod in found if pod["metadata"]["name"] not in old and not pods.is_leaving(pod)]
        states = [each.state() if (each := download(pod)) else pods.line(pod) for pod in new]
        if new and all(map(pods.is_ready, new)):
            return ""
        return "; ".join(states) or f"no pod yet, and so no {DOWNLOADER}"

    labels = f"{PART_OF},app.kubernetes.io/name={other.name},kserve.io/component=workload"
    selection = Selection(POD, other.namespace, labels=labels)
    try:
        return converge(other.kube, what, selection, decide, budget=seconds("service-ready"))
    except NotConverged as error:
        trouble = [line for pod in error.last for line in pods.trouble(pod)]
        raise Violation(
            what,
            bullets([error.lacking, *trouble]),
            cause="the hub that served the first download does not serve the next one"
            if old
            else "the hub does not serve the download, or there is no accelerator left for a further server",
            next_step=other.kubectl("describe", "pods"),
        ) from None


def _downloads_until(other: LlmService, what: str, ends: Callable[[Download], bool]) -> Download | None:
    """The first download of a service's pods that is as it is waited for; else the last that was seen."""

    def decide(found: list[Object]) -> str:
        known = [each for pod in found if (each := download(pod))]
        return "" if any(map(ends, known)) else "; ".join(each.state() for each in known) or "no pod downloads yet"

    selection = Selection(POD, other.namespace, labels=f"{PART_OF},app.kubernetes.io/name={other.name}")
    try:
        found = converge(other.kube, what, selection, decide, budget=seconds("throwaway-ready")).objects
    except NotConverged as error:
        found = error.last
    known = [each for pod in found if (each := download(pod))]
    return next(filter(ends, known), known[0] if known else None)


def _has_ended(found: Download) -> bool:
    return found.is_done or found.last_end is not None


def _without_token(made: list[Document]) -> list[Document]:
    for document in made:
        if document["kind"] == "ServiceAccount":
            document.pop("secrets", None)
    return made


def _with_uri(uri: str) -> Callable[[list[Document]], list[Document]]:
    def change(made: list[Document]) -> list[Document]:
        for document in made:
            if document["kind"] == "LLMInferenceService":
                document["spec"]["model"]["uri"] = uri
        return made

    return change


def _volume_trouble(template: Object) -> list[str]:
    spec = template["spec"]
    server = next(each for each in spec["containers"] if each["name"] == SERVER_CONTAINER)
    mounts = [each for each in server.get("volumeMounts", []) if each["mountPath"] == MODEL_PATH]
    claims = {
        each["name"]: each["persistentVolumeClaim"]
        for each in spec.get("volumes", [])
        if "persistentVolumeClaim" in each
    }
    if len(mounts) != 1 or mounts[0]["name"] not in claims:
        return [f"{SERVER_CONTAINER} has {mounts or 'nothing'} at {MODEL_PATH}, and the claims are {claims}"]
    mount, claim = mounts[0], claims[mounts[0]["name"]]
    wrong = [] if claim["claimName"] == _CLAIM else [f"the claim is {claim['claimName']}"]
    wrong += [] if mount.get("readOnly") else ["it may be written to"]
    wrong += [] if mount.get("subPath") == "models/gemma" else [f"the path in it is {mount.get('subPath')!r}"]
    names = [each["name"] for each in spec.get("initContainers", [])]
    return [*wrong, *([f"init container {DOWNLOADER} would download"] if DOWNLOADER in names else [])]
