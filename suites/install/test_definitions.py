"""Kinds that KServe needs: defined, served, stored and converted, in versions that fit together."""

import pytest

from tools.cases.capabilities import DRY_RUN, PLATFORM
from tools.faults import definitions as faults
from tools.faults import programs
from tools.kube.llm_service import Place
from tools.kube.platform import Platform
from tools.platform import bundles, compatibility, controllers, conversion, definitions, release, versions
from tools.platform.trouble import demand

_PRESETS = "kserve-config-llm-"


@pytest.mark.conformance(
    name="install-kinds-are-served",
    level="core",
    requires=[PLATFORM],
    fault=[
        faults.old_version_not_served.shows("llminferenceservices.serving.kserve.io is served in v1alpha2, not in"),
        faults.old_pools_not_served.shows("inferencepools.inference.networking.x-k8s.io is served in no version"),
    ],
)
def test_kinds_are_served(platform: Platform) -> None:
    """Every kind that this release of KServe needs is established, and served in every version that it needs."""
    kserve, found = definitions.read(platform)
    demand(
        f"all definitions that KServe {kserve or '(of unknown release)'} needs, established and served",
        definitions.served_trouble(platform.kube, kserve, found),
    )


@pytest.mark.conformance(
    name="install-kinds-are-stored-as-served",
    level="core",
    requires=[PLATFORM],
    fault=faults.conversion_dropped.shows("with conversion strategy None", "fields that differ"),
)
def test_kinds_are_stored_as_served(platform: Platform) -> None:
    """Nothing is stored in a version that is not served, migration has ended, and versions are converted by KServe."""
    kserve, found = definitions.read(platform)
    demand(
        "objects stored in served versions only, KServe's own in one, with its conversion between versions",
        definitions.stored_trouble(platform.kube, kserve, found),
    )


@pytest.mark.conformance(
    name="install-objects-are-read-in-every-version",
    level="core",
    requires=[PLATFORM],
    fault=faults.conversion_without_trust.shows("cannot be listed in v1alpha1", "caBundle"),
)
def test_objects_are_read_in_every_version(platform: Platform) -> None:
    """Services and presets can be listed through every served version, and are the same ones."""
    served = release.serves(release.version(controllers.find(platform)))
    demand("the same services and presets in every version", conversion.unreadable(platform.kube, served))


@pytest.mark.conformance(
    name="install-objects-can-be-written-again",
    level="core",
    requires=[PLATFORM, DRY_RUN],
    fault=faults.schema_too_strict.shows("cannot be made again through v1alpha1", "baseRefs", "is stricter than"),
)
def test_objects_can_be_written_again(platform: Platform) -> None:
    """Every stored service and preset can be written back, and made anew, through every version, by dry runs."""
    kserve = release.version(controllers.find(platform))
    demand(
        "dry runs that take every stored object again, unchanged",
        conversion.one_way(platform.kube, kserve, Place(platform.controller.namespace, _PRESETS)),
    )


@pytest.mark.conformance(
    name="install-gateway-api-is-one-bundle",
    level="extended",
    requires=[PLATFORM],
    fault=faults.gateway_api_channels_mixed.shows("tlsroutes: experimental", "channels are mixed"),
)
def test_gateway_api_is_one_bundle(platform: Platform) -> None:
    """All definitions of the Gateway API are of one bundle version and one channel."""
    demand("one bundle of the Gateway API, in one channel", bundles.mixed(platform.kube, bundles.read(platform.kube)))


@pytest.mark.conformance(
    name="install-versions-fit-together",
    level="core",
    requires=[PLATFORM],
    fault=[
        faults.gateway_api_too_old.shows("Gateway API 1.2.1 under KServe", "built on Gateway API 1.4.1"),
        programs.istio_too_old.shows("Istio 1.27.1 understands InferencePool v1alpha2", "install Istio 1.28 or newer"),
    ],
)
def test_versions_fit_together(platform: Platform) -> None:
    """KServe, Gateway API, Inference Extension and Istio are of versions that work together."""
    demand("versions that work together", compatibility.misfits(versions.read(platform)))
