"""What the controllers are told: presets, inferenceservice-config, certificates."""

import pytest

from tools.cases.capabilities import PLATFORM, PLATFORM_SECRETS, REVIEWS
from tools.faults import settings as faults
from tools.kube.kinds import DEPLOYMENT
from tools.kube.platform import Platform
from tools.platform import configuration, controllers, literals, presets, secrets
from tools.platform.trouble import Trouble, demand


@pytest.mark.conformance(
    name="install-presets-are-there",
    level="core",
    requires=[PLATFORM],
    fault=faults.preset_removed.shows(
        "there is no LLMInferenceServiceConfig kserve-config-llm-prefill-worker-data-parallel", "kserve-runtime-configs"
    ),
)
def test_presets_are_there(platform: Platform) -> None:
    """Every preset of this release is in the namespace in which the controller looks for it."""
    found = presets.read(platform)
    demand("all presets", presets.missing(platform, controllers.find(platform), found))


@pytest.mark.conformance(
    name="install-nothing-is-left-literal",
    level="core",
    requires=[PLATFORM],
    fault=faults.placeholder_left.shows("key logger: ${BROKER_HOST}", "was not filled in"),
)
def test_nothing_is_left_literal(platform: Platform) -> None:
    """No placeholder of a script or chart is left in inferenceservice-config, presets and the controllers."""
    found = [("ConfigMap", line) for line in literals.in_config(configuration.read(platform) or {})]
    found += [
        (f"LLMInferenceServiceConfig {each['metadata']['name']}", line)
        for each in presets.read(platform)
        if each["metadata"]["namespace"] == platform.controller.namespace
        for line in literals.in_preset(each)
    ]
    for place in (platform.controller, platform.istiod):
        deployment = platform.kube.find(DEPLOYMENT, place.name, place.namespace)
        found += [(f"Deployment {place}", line) for line in literals.in_deployment(deployment)] if deployment else []
    cause = "a variable was not filled in where the chart or manifest was rendered, or the container lacks it"
    show = platform.kube.kubectl("-n", platform.controller.namespace, "get", "configmaps,deployments", "-o", "yaml")
    demand("no placeholders", [Trouble(f"{what}, {line}", cause, show) for what, line in found])


@pytest.mark.conformance(
    name="install-configuration-can-be-read",
    level="core",
    requires=[PLATFORM],
    fault=faults.configuration_unreadable.shows("inferenceservice-config, key explainers"),
)
def test_configuration_can_be_read(platform: Platform) -> None:
    """Every value of ConfigMap inferenceservice-config can be read, and the controller finds what it must have."""
    demand("values that can be read", configuration.unreadable(platform, configuration.read(platform)))


@pytest.mark.conformance(
    name="install-ingress-gateway-is-there",
    level="core",
    requires=[PLATFORM],
    fault=faults.ingress_gateway_mistyped.shows("names Gateway kserve/kserve-ingres-gateway, which is not there"),
    checks=["gateway"],
)
def test_ingress_gateway_is_there(platform: Platform) -> None:
    """The Gateway that inferenceservice-config names for services without one is there, and programmed."""
    demand("a Gateway that is programmed", configuration.without_gateway(platform, configuration.read(platform)))


@pytest.mark.conformance(
    name="install-ca-bundle-reaches-services",
    level="extended",
    requires=[PLATFORM, REVIEWS],
    fault=faults.ca_bundle_named.shows("may not create, update configmaps", "global-ca-bundle"),
)
def test_ca_bundle_reaches_services(platform: Platform) -> None:
    """If inferenceservice-config names a CA bundle, it is there, and the controller may and did copy it to services."""
    found = configuration.read(platform)
    demand("no CA bundle, or one that every service has", configuration.without_authority(platform, found))


@pytest.mark.conformance(
    name="install-certificates-are-valid",
    level="core",
    requires=[PLATFORM, PLATFORM_SECRETS],
    fault=[
        faults.certificate_expiring.shows("llmisvc-conformance-expiring expires on", "was not renewed"),
        faults.certificate_not_issued.shows("IssuerNotReady", "llmisvc-webhook-server-cert is not there"),
    ],
)
def test_certificates_are_valid(platform: Platform) -> None:
    """Certificates of webhooks, Gateway and Istio have their key and names, are issued, and do not end soon."""
    demand("certificates that are valid, and renewed in time", secrets.trouble(platform))
