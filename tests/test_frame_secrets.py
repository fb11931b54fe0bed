"""A secret that is planted in a case, its requests, its failure and its cluster is in no file of the reports."""

import base64

import pytest

from tests.frame.checkout import Checkout, on
from tests.frame.cluster import CREDENTIAL, FakeCluster
from tools.outcomes import Outcome

pytest_plugins = ["pytester", "tests.frame.fixtures"]

TOKEN = "t0ken-9f8e7d6c5b4a-planted"
CASES = '''
import base64
import json

@case("pool-leaks")
def test_leaks(service, client, record):
    """It tells the token wherever one can tell anything."""
    token = os.environ["FRAME_TOKEN"]
    print(f"printed {token}")
    record(f"measured {token}", 1.0, 2.0, token)
    reply = client.complete(f"prompt with {token}")
    check(False, f"no {token}", f"{reply.summary} {token}", details=base64.b64encode(token.encode()).decode())

@case("pool-leaks-early")
def test_leaks_early(leaky):
    """It tells the token before it has begun."""

@pytest.fixture
def leaky(service):
    raise OSError(json.dumps({"authorization": f"Bearer {os.environ['FRAME_TOKEN']}"}))

@case("pool-leaks-kubeconfig")
def test_leaks_kubeconfig(service):
    """It tells what is in the kubeconfig."""
    raise OSError(service.kube.kubeconfig.read_text())
'''


def test_it_is_in_no_file(checkout: Checkout, fake_cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAME_TOKEN", TOKEN)
    checkout.suite("pool", CASES)
    session = checkout.session(*on(fake_cluster, checkout), "-m", "gpu", "--token-env=FRAME_TOKEN", "-n2")
    assert session.outcomes == {
        "pool-leaks": Outcome.FAILED,
        "pool-leaks-early": Outcome.BROKEN,
        "pool-leaks-kubeconfig": Outcome.BROKEN,
    }
    assert_hidden(session.output, "what the terminal shows")
    assert session.reports is not None
    files = [path for path in session.reports.rglob("*") if path.is_file()]
    assert len(files) > 20
    for path in files:
        assert_hidden(path.read_text(errors="replace"), path.name)
    # What was hidden at the last door is trouble; the case's own words are hidden before.
    assert "a secret was in run.json, and is hidden now" in session.output
    leaked = session.cases["pool-leaks"]
    assert leaked.message.startswith("expected no ***; observed HTTP 200")
    assert session.cases["pool-leaks-early"].message == '{"authorization": "Bearer ***"}'
    assert "token: ***" in session.cases["pool-leaks-kubeconfig"].details


def assert_hidden(text: str, where: str) -> None:
    for secret in (TOKEN, CREDENTIAL, base64.b64encode(TOKEN.encode()).decode(), TOKEN.encode().hex()):
        assert secret not in text, where
