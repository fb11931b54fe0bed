"""The webhooks of LLMInferenceServices: one Service, trusted, and answering."""

import pytest

from tools.cases.capabilities import DRY_RUN, PLATFORM, PLATFORM_SECRETS
from tools.faults import webhooks as faults
from tools.kube.platform import Platform
from tools.platform import admission, secrets, webhooks
from tools.platform.trouble import demand


@pytest.mark.conformance(
    name="install-webhooks-have-one-service",
    level="core",
    requires=[PLATFORM],
    fault=faults.webhook_entry_left_behind.shows("points at kserve/kserve-webhook-server-service", "stale entry"),
)
def test_webhooks_have_one_service(platform: Platform) -> None:
    """All webhooks and conversions of LLMInferenceServices and presets lead to one Service, which is there."""
    demand("one Service for all webhooks", webhooks.scattered(platform, webhooks.read(platform)))


@pytest.mark.conformance(
    name="install-webhooks-are-trusted",
    level="core",
    requires=[PLATFORM, PLATFORM_SECRETS],
    fault=faults.webhook_not_trusted.shows("did not issue the certificate", "ca-injector"),
)
def test_webhooks_are_trusted(platform: Platform) -> None:
    """The authority in every webhook's configuration has issued the certificate that is served."""
    demand("a caBundle that vouches for the certificate", secrets.distrust(platform, webhooks.read(platform)))


@pytest.mark.conformance(
    name="install-webhooks-answer",
    level="core",
    requires=[PLATFORM, DRY_RUN],
    fault=[
        faults.webhook_without_endpoints.shows("could not ask", "no endpoint is ready"),
        faults.webhook_not_asked.shows("a wrong service", "is taken in v1alpha1", "is not asked"),
        faults.webhook_not_trusted.shows("x509", "is not the authority of the certificate"),
    ],
)
def test_webhooks_answer(platform: Platform) -> None:
    """A right service is taken, and a wrong one is refused by KServe's webhook, in every version (dry runs)."""
    demand("dry runs that KServe's webhook answers", admission.trouble(platform))
