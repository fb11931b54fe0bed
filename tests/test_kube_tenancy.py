"""Two runs on one cluster are kept apart, against a real HTTP server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.kube_server import Serve
from tools.errors import UserError
from tools.kube.tenancy import DURATION_SECONDS, Tenancy, seconds_left


def _lease(age_seconds: float) -> dict[str, Any]:
    renewed = datetime.now(UTC) - timedelta(seconds=age_seconds)
    spec = {
        "holderIdentity": "run x, process 1",
        "leaseDurationSeconds": DURATION_SECONDS,
        "renewTime": renewed.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    return {"metadata": {"name": "llmisvc-conformance", "resourceVersion": "4"}, "spec": spec}


def test_free_cluster_is_taken_and_given_back(serve: Serve) -> None:
    server, kube = serve(lambda method, *_: (404, {}) if method == "GET" else (200, {}))
    tenancy = Tenancy(kube, "run y")
    tenancy.take()
    tenancy.give_back()
    assert [asked[0] for asked in server.asked] == ["GET", "POST", "DELETE"]


def test_running_run_keeps_others_out(serve: Serve) -> None:
    server, kube = serve(lambda *_: (200, _lease(5)))
    with pytest.raises(UserError, match="run x, process 1 has it, for another 2"):
        Tenancy(kube, "run y").take()
    assert [asked[0] for asked in server.asked] == ["GET"]


def test_killed_runs_lease_is_taken_over_unless_changed_meanwhile(
    serve: Serve,
) -> None:
    versions: list[str] = []

    def answer(method: str, _path: str, _query: dict[str, str], body: Any) -> tuple[int, Any]:
        if method == "PATCH":
            versions.append(body["metadata"]["resourceVersion"])
        return 200, _lease(60)

    _, kube = serve(answer)
    tenancy = Tenancy(kube, "run y")
    tenancy.take()
    tenancy.give_back()
    assert versions == ["4"]


@pytest.mark.parametrize("there", [True, False])
def test_quicker_run_wins(serve: Serve, there: bool) -> None:
    def answer(method: str, *_: Any) -> tuple[int, Any]:
        if method == "GET":
            return (200, _lease(60)) if there else (404, {})
        return 409, {"message": "conflict"}

    _, kube = serve(answer)
    with pytest.raises(UserError, match="another run has just taken it"):
        Tenancy(kube, "run y").take()


def test_validity_counts_from_the_last_sign() -> None:
    assert 19 < seconds_left(_lease(10), datetime.now(UTC)) <= 20
