"""The controllers: there, the right ones, one of each, well, and allowed to do their work."""

from datetime import UTC, datetime

import pytest

from tools.cases.capabilities import PLATFORM, PLATFORM_SECRETS, REVIEWS
from tools.faults import controllers as stopped
from tools.faults import programs as faults
from tools.kube.kinds import CRD, DEPLOYMENT
from tools.kube.platform import Platform
from tools.platform import controllers, crashes, images, leases, monitoring, rights
from tools.platform.trouble import Trouble, demand


@pytest.mark.conformance(
    name="install-controllers-are-available",
    level="core",
    requires=[PLATFORM],
    fault=stopped.kserve_stopped.shows("llmisvc-controller-manager has 0 of 0", "scaled to nothing"),
)
def test_controllers_are_available(platform: Platform) -> None:
    """KServe's controller and istiod are where the profile says, each with a replica that is available."""
    demand("both controllers, each with a replica that is available", controllers.available(platform))


@pytest.mark.conformance(
    name="install-controllers-are-rolled-out",
    level="core",
    requires=[PLATFORM],
    fault=faults.controller_of_another_program.shows("'updatedReplicas'", "ImagePull"),
)
def test_controllers_are_rolled_out(platform: Platform) -> None:
    """Both controllers run what their Deployments say now, with all their replicas."""
    demand("controllers whose last change is rolled out", controllers.rolled_out(platform))


@pytest.mark.conformance(
    name="install-controller-is-the-right-program",
    level="core",
    requires=[PLATFORM],
    fault=[
        faults.controller_of_another_program.shows("runs image docker.io/kserve/kserve-controller", "knows no LLMInf"),
        faults.leader_election_off.shows("runs without --leader-elect"),
    ],
)
def test_controller_is_the_right_program(platform: Platform) -> None:
    """KServe's Deployment runs the controller for LLMInferenceServices, with leader election."""
    found = controllers.find(platform)
    demand("the controller for LLMInferenceServices, with leader election", controllers.wrong_program(platform, found))


@pytest.mark.conformance(
    name="install-controllers-stay-up",
    level="core",
    requires=[PLATFORM],
    fault=faults.controller_crashes.shows("CrashLoopBackOff", "exit code 2"),
)
def test_controllers_stay_up(platform: Platform) -> None:
    """No container of the controllers has ended by itself in the last hour, or keeps doing so."""
    wrong = []
    for place in (platform.controller, platform.istiod):
        found = platform.kube.find(DEPLOYMENT, place.name, place.namespace)
        cause = "a flag that it does not know, a Secret that is not there, too little memory: its last log tells"
        show = platform.kube.kubectl("-n", place.namespace, "logs", f"deployment/{place.name}", "--previous")
        lines = crashes.crashed(controllers.of(platform.kube, found), datetime.now(UTC)) if found else []
        wrong += [Trouble(line, cause, show) for line in lines]
    demand("containers that stay up", wrong)


@pytest.mark.conformance(
    name="install-controllers-are-alone",
    level="core",
    requires=[PLATFORM],
    fault=faults.second_controller.shows("beside kserve/llmisvc-controller-manager", "put back what the other"),
)
def test_controllers_are_alone(platform: Platform) -> None:
    """There is one controller for LLMInferenceServices in the cluster, and one istiod for each revision."""
    demand("one controller of each kind", controllers.rivals(platform, platform.kube.objects(DEPLOYMENT)))


@pytest.mark.conformance(
    name="install-leaders-are-alive",
    level="core",
    requires=[PLATFORM],
    fault=stopped.kserve_stopped.shows("Lease llminferenceservice-kserve-controller-manager", "there is no such pod"),
)
def test_leaders_are_alive(platform: Platform) -> None:
    """The Lease of each controller is held by a pod that is there, and renewed."""
    demand("Leases that living pods hold", leases.trouble(platform))


@pytest.mark.conformance(
    name="install-controller-may-do-its-work",
    level="core",
    requires=[PLATFORM, REVIEWS],
    fault=faults.controller_may_less.shows("may not create, update, delete httproutes", "may not create, update, delete"
                                           " secrets", "ClusterRole"),
)  # fmt: skip
def test_controller_may_do_its_work(platform: Platform) -> None:
    """The controller's account has every right that its release needs, on every kind that it reads or makes."""
    demand("all rights that the controller needs", rights.trouble(platform))


@pytest.mark.conformance(
    name="install-images-are-there",
    level="core",
    requires=[PLATFORM, PLATFORM_SECRETS],
    fault=[
        faults.controller_of_another_program.shows("kserve-controller:v0.15.2: "),
        faults.pull_secret_missing.shows("no-such-secret is not there", "ServiceAccount"),
    ],
)
def test_images_are_there(platform: Platform) -> None:
    """No pod of the installation waits for its image, and every pull Secret that is named can be used."""
    namespaces = (platform.controller.namespace, platform.istiod.namespace)
    demand("pods that have their images, and pull Secrets that are there", images.trouble(platform, namespaces))


@pytest.mark.conformance(
    name="install-monitoring-is-not-assumed",
    level="extended",
    requires=[PLATFORM],
    fault=faults.monitoring_demanded.shows("LLMISVC_MONITORING_DISABLED is false", "servicemonitors"),
)
def test_monitoring_is_not_assumed(platform: Platform) -> None:
    """A controller that makes ServiceMonitors has their definition, or is told not to make any."""
    missing = [name for name in monitoring.KINDS if platform.kube.find(CRD, name) is None]
    line = monitoring.trouble(controllers.find(platform), missing)
    cause = "Prometheus' operator is not installed, and the controller fails on what it cannot make"
    place = platform.controller
    step = ("set", "env", f"deployment/{place.name}", "LLMISVC_MONITORING_DISABLED=true")
    show = platform.kube.kubectl("-n", place.namespace, *step)
    demand("monitors only where their kinds are defined", [Trouble(line, cause, show)] if line else [])
