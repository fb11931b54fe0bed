"""Detection: one survey of the cluster, and what each topic concludes from it."""

from tools.features import accelerators, apis, controllers, gateway, mesh, platform, policy, telemetry
from tools.features.feature import Feature, Settings
from tools.features.survey import Survey, survey
from tools.kube.client import Kube


def detect(kube: Kube, settings: Settings) -> tuple[Feature, ...]:
    """What a cluster has and lacks; reads only, and never raises for what it may not read.

    `network-policy-enforcement` and `idle-counters` need more than reads: see `canary` and `idle`.
    """
    return conclude(survey(kube, settings), settings)


def conclude(found: Survey, settings: Settings) -> tuple[Feature, ...]:
    """The features that a survey shows."""
    return (
        *platform.features(found),
        *apis.features(found),
        *controllers.features(found, settings),
        *gateway.features(found, settings),
        *mesh.features(found, settings),
        *policy.features(found),
        *accelerators.features(found, settings),
        *telemetry.features(found, settings),
    )
