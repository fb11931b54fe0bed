"""KServe's presets (well-known LLMInferenceServiceConfigs), where its controller looks for them."""

from collections.abc import Iterable

from tools.kube.client import Object
from tools.kube.kinds import LLM_CONFIG
from tools.kube.platform import Platform
from tools.platform import controllers, release
from tools.platform.conversion import in_version
from tools.platform.trouble import Trouble

_PREFIX = "LLM_INFERENCE_SERVICE_CONFIG_PREFIX"
_NAMESPACE = "POD_NAMESPACE"
_ALWAYS = (
    "template",
    "decode-template",
    "prefill-template",
    "worker-data-parallel",
    "decode-worker-data-parallel",
    "prefill-worker-data-parallel",
    "router-route",
    "scheduler",
)
_SINCE_0_20 = ("scheduler-latency-predictor", "tracing")


def names(kserve: str, prefix: str) -> list[str]:
    """Of the presets of a release, with the prefix that the controller puts before them."""
    # One whose release is not known is not held to what only the newest has.
    further = _SINCE_0_20 if kserve and release.has(kserve, "0.20") else ()
    return [f"{prefix}config-llm-{each}" for each in (*_ALWAYS, *further)]


def read(platform: Platform) -> list[Object]:
    """All there are, in all namespaces."""
    version = release.serves(release.version(controllers.find(platform)))[-1]
    return platform.kube.objects(in_version(LLM_CONFIG, version))


def missing(platform: Platform, deployment: Object | None, found: Iterable[Object]) -> list[Trouble]:
    """Presets that are not where the controller looks for them. Pure."""
    environment = release.environment(deployment)
    namespace = environment.get(_NAMESPACE, platform.controller.namespace)
    places = {(each["metadata"]["namespace"], each["metadata"]["name"]) for each in found}
    wanted = names(release.version(deployment), environment.get(_PREFIX, "kserve-"))
    return [
        _told(platform, name, namespace, sorted(at for at, each in places if each == name))
        for name in wanted
        if (namespace, name) not in places
    ]


def _told(platform: Platform, name: str, namespace: str, elsewhere: list[str]) -> Trouble:
    if elsewhere:
        cause = f"it is in {', '.join(elsewhere)}: the controller looks in {namespace}, and in the service's namespace"
    else:
        cause = (
            "the chart kserve-runtime-configs was not installed with kserve.llmisvcConfigs.enabled=true, or not whole"
        )
    return Trouble(
        f"there is no LLMInferenceServiceConfig {name} in namespace {namespace}",
        cause,
        platform.kube.kubectl("get", LLM_CONFIG.resource, "--all-namespaces"),
    )
