"""What makes deploying pointless is found before: cases that need a service are not run, and say why in a line."""

from collections.abc import Callable

import pytest

from tests.frame.checkout import Checkout, on
from tests.frame.cluster import FakeCluster
from tools.outcomes import Outcome
from tools.report.exit_codes import ExitCode

pytest_plugins = ["pytester", "tests.frame.fixtures"]

CASES = '''
from tools.platform import admission, presets, controllers
from tools.platform.trouble import demand

@case("install-presets")
def test_presets(platform):
    """Presets are where the controller looks for them."""
    demand("presets", presets.missing(platform, controllers.find(platform), presets.read(platform)))

@case("install-webhook")
def test_webhook(platform):
    """The webhook answers dry runs."""
    demand("answers", admission.trouble(platform))

@case("pool-first")
def test_first(service):
    """A promise about a service."""

@case("pool-second")
def test_second(throwaway):
    """A promise about another service."""

@case("pool-elsewhere", requires=[feature("leader-worker-set"), DISRUPT_CLUSTER])
def test_elsewhere(service):
    """A promise that cannot be looked at here at all."""
'''
SCHEDULER = "kserve-config-llm-scheduler"
UNREACHABLE = (
    'Internal error occurred: failed calling webhook "llminferenceservice.kserve-webhook-server.v1alpha2.validator":'
    ' failed to call webhook: Post "https://webhook.kserve.svc:443/validate?timeout=10s": no endpoints available'
    ' for service "webhook"'
)


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_cases_that_need_a_service_are_not_run(checkout: Checkout, fake_cluster: FakeCluster, workers: str) -> None:
    checkout.suite("install", CASES)
    fake_cluster.remove("llminferenceserviceconfigs", SCHEDULER)
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu", workers)
    assert session.outcomes == {
        "install-presets": Outcome.FAILED,
        "install-webhook": Outcome.PASSED,
        "pool-first": Outcome.NOT_RUN,
        "pool-second": Outcome.NOT_RUN,
        "pool-elsewhere": Outcome.NOT_SUPPORTED,
    }
    told = f"no service can be deployed: there is no LLMInferenceServiceConfig {SCHEDULER} in namespace kserve"
    for name in ("pool-first", "pool-second"):
        assert session.cases[name].message.startswith(told)
        assert "\n" not in session.cases[name].message
    assert session.status == ExitCode.PRODUCT_FAILURE
    assert "verdict: NOT RELEASABLE" in session.output
    assert f"  - {told.partition(': ')[2]}" in session.output
    assert [path for method, path in fake_cluster.asked if method == "PATCH" and "llminferenceservices" in path] == []
    assert session.record.trouble == ()


def test_the_webhook_is_asked_before_anything_is_deployed(checkout: Checkout, fake_cluster: FakeCluster) -> None:
    checkout.suite("install", CASES)
    fake_cluster.webhook = UNREACHABLE
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu", "-n0")
    assert session.outcomes["install-webhook"] is Outcome.FAILED
    assert "no pod stands behind Service" in session.cases["install-webhook"].details
    assert "could not ask llminferenceservice.kserve-webhook-server" in session.cases["pool-first"].message
    assert session.outcomes["pool-first"] is Outcome.NOT_RUN


@pytest.mark.parametrize(
    ("plural", "words"),
    [
        ("gatewayclasses", "there is no GatewayClass istio"),
        ("secrets", "system:serviceaccount:kserve:default may not get, list, watch, create, update, delete secrets"),
    ],
)
def test_without_install_cases_nothing_is_shown(
    checkout: Checkout, fake_cluster: FakeCluster, plural: str, words: str
) -> None:
    checkout.suite("install", CASES)
    fake_cluster.refused = {plural}
    fake_cluster.remove(plural, "istio")
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu", "-k", "pool-first", "-n0")
    assert session.outcomes == {"pool-first": Outcome.NOT_RUN}
    assert words in session.cases["pool-first"].message
    assert session.status == ExitCode.INCONCLUSIVE


def test_a_whole_installation_is_no_obstacle(checkout: Checkout, make_cluster: Callable[..., FakeCluster]) -> None:
    checkout.suite("install", CASES)
    session = checkout.session(*on(make_cluster(), checkout), "-m", "gpu", "-n0")
    assert session.outcomes["pool-first"] is Outcome.PASSED
    assert session.outcomes["install-webhook"] is Outcome.PASSED
    assert "no service can be deployed" not in session.output
