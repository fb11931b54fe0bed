"""Istio as the gateway of LLMInferenceServices."""

import pytest

from tools.cases.capabilities import PLATFORM
from tools.faults import programs as faults
from tools.kube.platform import Platform
from tools.platform import istio
from tools.platform.trouble import demand


@pytest.mark.conformance(
    name="install-gateway-class-is-accepted",
    level="core",
    requires=[PLATFORM],
    fault=faults.gateway_class_not_accepted.shows("Accepted=False (Unsupported", "no Gateway of it is programmed"),
    checks=["gateway"],
)
def test_gateway_class_is_accepted(platform: Platform) -> None:
    """The GatewayClass that the profile names is there, of the profile's controller, and accepted by it."""
    demand(f"GatewayClass {platform.gateway_class}, accepted", istio.class_trouble(platform))


@pytest.mark.conformance(
    name="install-inference-is-switched-on",
    level="core",
    requires=[PLATFORM],
    fault=faults.inference_switched_off.shows("ENABLE_GATEWAY_API_INFERENCE_EXTENSION is 'false'", "InvalidKind"),
    checks=["pool"],
)
def test_inference_is_switched_on(platform: Platform) -> None:
    """istiod, as it is to run and as it runs, has the switch on with which it understands InferencePools."""
    demand("istiod with its switch for InferencePools", istio.switch_trouble(platform))
