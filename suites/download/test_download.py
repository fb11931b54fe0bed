"""The model is downloaded before a server starts: all of it, in time, with the hub's token."""

from collections.abc import Sequence

import pytest

from fixtures.measure import Record
from suites.download.needs import HAS_TOKEN
from tools.cases.capabilities import READS_LOGS
from tools.cases.requirement import claimed
from tools.explain import bullets, check
from tools.faults import download as faults
from tools.faults import workload
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.convergence import NotConverged, Selection, converge
from tools.kube.download import DOWNLOADER, MODEL_PATH, Download, captured, download, failure, half
from tools.kube.kinds import POD
from tools.kube.llm_service import PART_OF, SERVER_CONTAINER, LlmService
from tools.profile import Profile
from tools.waiting.timeouts import seconds

# What KServe gets by a download of its own; pvc:// and oci:// are mounted.
_DOWNLOADED = ("hf://", "s3://")
_TOKEN = "HF_TOKEN"


@pytest.mark.conformance(
    name="download-precedes-the-server",
    level="core",
    fault=[
        faults.downloader_dropped.shows("has no init container storage-initializer"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
)
def test_download_precedes_the_server(service: LlmService) -> None:
    """Every server pod downloads the service's model (or mounts it) where the server reads it, before it starts."""
    uri = str(service.read()["spec"]["model"]["uri"])
    wrong = [f"{pod['metadata']['name']} {what}" for pod in service.servers() for what in _provision(pod, uri)]
    check(
        not wrong,
        f"server pods with {uri} at {MODEL_PATH}, read-only, fetched by {DOWNLOADER} if it is no volume",
        bullets(wrong),
        cause="the Deployment was changed by hand, or spec.storageInitializer.enabled is false: the server then starts "
        "without a model, or fetches it itself at every start",
        next_step=service.kubectl("get", "deployment", service.children["workload"][1], "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="download-succeeds",
    level="core",
    fault=[
        faults.token_only_on_server.shows("ended with 1", "authentication", "HF_TOKEN"),
        faults.licence_not_accepted.shows("403 Client Error", "authentication", "licence"),
        faults.memory_too_small.shows("OOMKilled", "memory limit 32Mi", "storageInitializer.memoryLimit"),
        faults.file_missing.shows("missing", "the hub has no such model, revision or file"),
        faults.host_unknown.shows("DNS", "does not resolve in the pod"),
        faults.host_unreachable.shows("network", "the host was not reached"),
        faults.authority_unknown.shows("certificate", "an authority that the image does not know"),
        faults.traffic_captured.shows("captured by the mesh", "use native sidecars"),
    ],
)
def test_downloads_succeed(service: LlmService) -> None:
    """No download of the service's pods has failed, not even once and then succeeded."""
    failed = [(found, why) for found in _downloads(service) if (why := failure(found))]
    limits = {found.memory_limit for found, _ in failed if found.memory_limit}
    check(
        not failed,
        f"downloads of {service.read()['spec']['model']['uri']} that end well at their first attempt",
        bullets([f"{found.state()}; memory limit {found.memory_limit or 'none'}" for found, _ in failed]),
        cause=" | ".join(dict.fromkeys(why.cause for _, why in failed)),
        next_step=_log_command(service, [found for found, _ in failed]),
        details=f"memory limits: {sorted(limits)}" if limits else "",
    )


@pytest.mark.conformance(
    name="download-ends-in-time",
    level="core",
    requires=[READS_LOGS],
    fault=faults.download_stalled.shows("stalled", "the same end of its log"),
)
def test_downloads_end_in_time(service: LlmService, record: Record) -> None:
    """Every download ends within its budget; one that goes on says something new meanwhile."""
    labels = f"{PART_OF},app.kubernetes.io/name={service.name}"
    before = {found.name: _log(service, found) for found in _downloads(service) if found.is_running}

    def decide(found: list[Object]) -> str:
        return "; ".join(each.state() for pod in found if (each := _current(pod)) and not each.is_done)

    selection, budget = Selection(POD, service.namespace, labels=labels), seconds("model-download")
    try:
        converge(service.kube, "downloads to end", selection, decide, budget=budget)
    except NotConverged as error:
        late = [each for pod in error.last if (each := _current(pod)) and not each.is_done]
        still = [each.name for each in late if each.is_running and _log(service, each) == before.get(each.name)]
        told = [f"{each.state()}{', with the same end of its log: stalled' * (each.name in still)}" for each in late]
        check(
            False,
            error.expected,
            bullets(told),
            cause="the hub or what is in between stopped sending and keeps the connection: huggingface_hub waits for "
            "ever for the next bytes"
            * bool(still)
            or "the download is slow, or fails again and again",
            next_step=_log_command(service, late),
        )
    times = [found.seconds for found in _downloads(service)]
    record("time of the slowest download", max(times, default=0.0), budget)


@pytest.mark.conformance(
    name="download-is-complete",
    level="core",
    requires=[READS_LOGS],
    fault=faults.half_a_model.shows("Returning existing local_dir", "half a model"),
)
def test_downloads_are_complete(service: LlmService) -> None:
    """No download took what an earlier, failed attempt had left for the whole model."""
    lines = [f"{found.name}: {line}" for found in _downloads(service) if (line := half(_log(service, found)))]
    check(
        not lines,
        "downloads that asked the hub what the model is made of",
        bullets(lines),
        cause="the hub did not answer when the container started again: huggingface_hub then takes the directory as "
        "it is and exits with 0, and the server gets half a model",
        next_step=service.kubectl("rollout", "restart", f"deployment/{service.children['workload'][1]}"),
    )


@pytest.mark.conformance(
    name="download-has-the-token",
    level="core",
    requires=[HAS_TOKEN],
    fault=[
        faults.token_only_on_server.shows("HF_TOKEN is in container main only"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
)
def test_token_reaches_the_download(service: LlmService, profile: Profile) -> None:
    """The hub's token, of the profile's Secret, is given to the container that downloads."""
    secret = profile.secrets.token
    assert secret is not None
    wanted = {"name": secret.name, "key": _TOKEN}
    found = [pod for pod in [*service.servers(), *service.picker_pods()] if download(pod)]
    wrong = [f"{pod['metadata']['name']}: {what}" for pod in found if (what := _lacks_token(pod, wanted))]
    check(
        bool(found) and not wrong,
        f"{DOWNLOADER} with {_TOKEN} of Secret {secret.name}",
        bullets(wrong or ["no pod downloads"]),
        cause="the environment of container main never reaches the download: KServe takes the token from a Secret with "
        f"the key {_TOKEN} that the pod's ServiceAccount lists in `secrets`",
        next_step=service.kubectl("get", "serviceaccounts", "-o", "custom-columns=NAME:.metadata.name,S:.secrets[*]"),
    )


@pytest.mark.conformance(
    name="download-has-a-network-in-the-mesh",
    level="core",
    requires=[claimed("sidecars")],
    fault=[
        faults.traffic_captured.shows("istio-init before storage-initializer"),
        workload.servers_stopped.shows("there is no server pod"),
    ],
    checks=["sidecars"],
)
def test_download_has_a_network_in_the_mesh(service: LlmService) -> None:
    """In pods with a sidecar the download begins after the sidecar (a native one), or before traffic is captured."""
    wrong = [f"{pod['metadata']['name']}: {how}" for pod in service.servers() if (how := captured(pod))]
    check(
        not wrong,
        "istio-proxy as a native sidecar before storage-initializer",
        bullets(wrong),
        cause="init container traffic is captured by the mesh: Istio redirects it to a sidecar that does not run yet",
        next_step="use native sidecars: "
        + service.kube.kubectl("-n", service.istiod.namespace, "set", "env", "deployment/istiod")
        + " ENABLE_NATIVE_SIDECARS=true",
    )


def _downloads(service: LlmService) -> list[Download]:
    """Of servers and picker, whose tokenizer gets the model's files in KServe 0.18 to 0.20."""
    found = [download(pod) for pod in [*service.servers(), *service.picker_pods()]]
    return [each for each in found if each is not None]


def _current(pod: Object) -> Download | None:
    return None if pods.is_leaving(pod) else download(pod)


def _provision(pod: Object, uri: str) -> list[str]:
    """What keeps the model from where the server reads it."""
    server = pods.container(pod, SERVER_CONTAINER) or {}
    mounts = {each["mountPath"]: each for each in server.get("volumeMounts", [])}
    here = mounts.get(MODEL_PATH)
    wrong = [] if here is not None else [f"mounts nothing at {MODEL_PATH}"]
    wrong += [f"may write to {MODEL_PATH}"] if here is not None and not here.get("readOnly") else []
    if not uri.startswith(_DOWNLOADED):
        return wrong
    found = download(pod)
    if found is None:
        return [*wrong, f"has no init container {DOWNLOADER}"]
    pairs = dict(zip(found.container["args"][::2], found.container["args"][1::2], strict=False))
    if pairs.get(uri) != MODEL_PATH:
        wrong.append(f"downloads {pairs} instead of {uri} to {MODEL_PATH}")
    own = {each["name"] for each in found.container.get("volumeMounts", []) if not each.get("readOnly")}
    if here is not None and here["name"] not in own:
        wrong.append(f"downloads to another volume than {here['name']}, which the server reads")
    return wrong


def _lacks_token(pod: Object, wanted: dict[str, str]) -> str:
    references = {
        each["name"]: [env.get("valueFrom", {}).get("secretKeyRef") for env in each.get("env", []) if _is_token(env)]
        for each in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
    }
    mine = [{key: each.get(key) for key in wanted} for each in references[DOWNLOADER] if each]
    if mine == [wanted]:
        return ""
    elsewhere = [name for name, found in references.items() if found and name != DOWNLOADER]
    return f"{DOWNLOADER} has {mine or 'none'}" + (
        f"; {_TOKEN} is in container {' and '.join(elsewhere)} only" if elsewhere and not mine else ""
    )


def _is_token(env: Object) -> bool:
    return bool(env["name"] == _TOKEN)


def _log(service: LlmService, found: Download) -> str:
    return service.kube.logs(found.name, service.namespace, DOWNLOADER)


def _log_command(service: LlmService, found: Sequence[Download]) -> str:
    return service.kubectl("logs", found[0].name, "-c", DOWNLOADER, "--previous") if found else ""
