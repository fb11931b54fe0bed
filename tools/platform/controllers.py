"""The controllers' Deployments: there, available, rolled out, with the right image and flags, and one of each."""

from collections import defaultdict
from collections.abc import Iterable

from tools.features.controllers import image
from tools.kube import pods
from tools.kube.client import Kube, Object
from tools.kube.kinds import DEPLOYMENT, POD
from tools.kube.llm_service import Place
from tools.kube.platform import Platform
from tools.platform import release
from tools.platform.trouble import Trouble

_OWN_IMAGE = "llmisvc-controller"
_OTHER_IMAGE = "kserve-controller"
# OpenShift AI's KServe has both controllers in one program, and this switch for the second.
_SWITCH = "ENABLE_LLMISVC_CONTROLLER"
_ELECT = "--leader-elect"


def find(platform: Platform) -> Object | None:
    """KServe's Deployment."""
    return platform.kube.find(DEPLOYMENT, platform.controller.name, platform.controller.namespace)


def available(platform: Platform) -> list[Trouble]:
    """What keeps a controller from working at all."""
    return [
        trouble
        for place, without in (
            (platform.controller, "services are stored, and nothing comes of them"),
            (platform.istiod, "no Gateway is programmed"),
        )
        for trouble in _available(platform.kube, place, without)
    ]


def rolled_out(platform: Platform) -> list[Trouble]:
    """What keeps a controller from running what its Deployment says now, with why its pods do not start."""
    wrong = []
    for place in (platform.controller, platform.istiod):
        found = platform.kube.find(DEPLOYMENT, place.name, place.namespace)
        if found is None or (told := _not_rolled_out(found)) == "":
            continue
        lines = [line for pod in of(platform.kube, found) for line in pods.trouble(pod)]
        wrong.append(
            Trouble(
                f"Deployment {place}: {told}",
                "; ".join(lines) or "its pods are not made or do not become ready (quota, admission, no node)",
                platform.kube.kubectl("-n", place.namespace, "describe", f"deployment/{place.name}"),
            )
        )
    return wrong


def of(kube: Kube, deployment: Object) -> list[Object]:
    """A Deployment's pods that are not on their way out."""
    labels = ",".join(f"{key}={value}" for key, value in deployment["spec"]["selector"]["matchLabels"].items())
    found = kube.objects(POD, deployment["metadata"]["namespace"], labels=labels)
    return [pod for pod in found if not pods.is_leaving(pod)]


def wrong_program(platform: Platform, found: Object | None) -> list[Trouble]:
    """A controller that is not the one for LLMInferenceServices, or may fight with its own replica."""
    if found is None:
        return []
    show = platform.kube.kubectl("-n", platform.controller.namespace, "get", f"deployment/{platform.controller.name}",
                                 "-o", "yaml")  # fmt: skip
    name = image(found).partition("@")[0].rpartition("/")[2].partition(":")[0]
    wrong = []
    switched = release.environment(found).get(_SWITCH, "").lower() == "true"
    if _OTHER_IMAGE in name and _OWN_IMAGE not in name and not switched:
        wrong.append(
            Trouble(
                f"Deployment {platform.controller} runs image {image(found)}",
                f"{name} is KServe's controller for InferenceServices, which knows no LLMInferenceService"
                f" (that is {_OWN_IMAGE}; in OpenShift AI's build {_SWITCH}=true)",
                show,
            )
        )
    elif not switched and _ELECT not in (flag.partition("=")[0] for flag in _arguments(found)):
        wrong.append(
            Trouble(
                f"Deployment {platform.controller} runs without {_ELECT}",
                "two replicas, or the old and the new one of an update, write to the same objects at once",
                show,
            )
        )
    return wrong


def rivals(platform: Platform, deployments: Iterable[Object]) -> list[Trouble]:
    """Further controllers that work on the same objects. Pure."""
    running = [each for each in deployments if each["spec"].get("replicas", 1) > 0]
    others = [each for each in running if _is_kserve(each) and _place(each) != platform.controller]
    wrong = [
        Trouble(
            f"Deployment {_place(each)} runs {image(each)}, beside {platform.controller}",
            "two controllers for LLMInferenceServices put back what the other one writes",
            platform.kube.kubectl("-n", each["metadata"]["namespace"], "get", "deployments"),
        )
        for each in others
    ]
    revisions: dict[str, list[Place]] = defaultdict(list)
    for each in running:
        labels = each["metadata"].get("labels") or {}
        if labels.get("app") == "istiod":
            revisions[labels.get("istio.io/rev", "default")].append(_place(each))
    wrong += [
        Trouble(
            f"Istio's revision {revision} has {len(places)} control planes: {', '.join(map(str, places))}",
            "both work on the same Gateways and routes, and overwrite each other's status",
            platform.kube.kubectl("get", "deployments", "--all-namespaces", "-l", "app=istiod"),
        )
        for revision, places in revisions.items()
        if len(places) > 1
    ]
    return wrong


def _available(kube: Kube, place: Place, without: str) -> list[Trouble]:
    found = kube.find(DEPLOYMENT, place.name, place.namespace)
    if found is None:
        named = [_place(each) for each in kube.objects(DEPLOYMENT, fields=f"metadata.name={place.name}")]
        elsewhere = f"it is {', '.join(map(str, named))}: name it in the profile" if named else "it is not installed"
        show = kube.kubectl("get", "deployments", "--all-namespaces")
        return [Trouble(f"there is no Deployment {place}", f"{elsewhere}; {without}", show)]
    there, wanted = found.get("status", {}).get("availableReplicas", 0), found["spec"].get("replicas", 1)
    if there:
        return []
    lines = [line for pod in of(kube, found) for line in pods.trouble(pod)]
    why = "; ".join(lines) or ("it is scaled to nothing" if not wanted else "it has no pod that is ready")
    show = kube.kubectl("-n", place.namespace, "describe", f"deployment/{place.name}")
    return [Trouble(f"{place.name} has {there} of {wanted} replicas available", f"{why}; {without}", show)]


def _not_rolled_out(found: Object) -> str:
    status, wanted = found.get("status", {}), found["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < found["metadata"]["generation"]:
        return "its last change was not looked at yet"
    counts = {name: status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas")}
    return "" if set(counts.values()) == {wanted} else f"{counts}, and {wanted} of each are expected"


def _arguments(found: Object) -> list[str]:
    containers = found["spec"]["template"]["spec"]["containers"]
    return [str(word) for each in containers for word in [*each.get("command", []), *each.get("args", [])]]


def _is_kserve(found: Object) -> bool:
    images = [each["image"] for each in found["spec"]["template"]["spec"]["containers"]]
    return any(_OWN_IMAGE in each.rpartition("/")[2] for each in images)


def _place(found: Object) -> Place:
    return Place(found["metadata"]["namespace"], found["metadata"]["name"])
