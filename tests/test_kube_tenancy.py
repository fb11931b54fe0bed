"""Two runs on one cluster are kept apart, against a real HTTP server."""

import platform
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.kube_server import Serve
from tools.errors import UserError
from tools.kube import tenancy as module
from tools.kube.errors import KubeError
from tools.kube.labels import RUN
from tools.kube.tenancy import DURATION_SECONDS, HOST, Tenancy, holder, seconds_left, told

_OTHER = "run x, process 1 of ann on there"


def _lease(age_seconds: float, host: str = "", who: str = _OTHER) -> dict[str, Any]:
    renewed = datetime.now(UTC) - timedelta(seconds=age_seconds)
    spec = {
        "holderIdentity": who,
        "leaseDurationSeconds": DURATION_SECONDS,
        "acquireTime": "2026-11-24T08:01:02.000003Z",
        "renewTime": renewed.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    meta = {"name": "llmisvc-conformance", "resourceVersion": "4", "annotations": {HOST: host} if host else {}}
    return {"metadata": meta, "spec": spec}


class _Store:
    """The API of one Lease, with versions that are checked; `None` is none."""

    def __init__(self, lease: dict[str, Any] | None = None) -> None:
        self.lease = lease
        self.renewed = threading.Event()
        self.created: dict[str, Any] = {}

    def __call__(self, method: str, _path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if method == "GET" and "fieldSelector" in query:
            items = [self.lease] if self.lease else []
            return (200, []) if "watch" in query else (200, {"metadata": {"resourceVersion": "4"}, "items": items})
        if method == "POST":
            self.created = body
            self.lease = body | {"metadata": body["metadata"] | {"resourceVersion": "1"}}
            return 201, self.lease
        if self.lease is None:
            return 404, {"message": "not found"}
        version = self.lease["metadata"]["resourceVersion"]
        if method == "DELETE":
            if body["preconditions"]["resourceVersion"] != version:
                return 409, {"message": "conflict"}
            self.lease = None
            return 200, {}
        if method == "PATCH":
            if body["metadata"]["resourceVersion"] != version:
                self.renewed.set()
                return 409, {"message": "conflict"}
            meta = self.lease["metadata"] | body["metadata"] | {"resourceVersion": str(int(version) + 1)}
            self.lease = {"metadata": meta, "spec": self.lease["spec"] | body["spec"]}
            self.renewed.set()
        return 200, self.lease


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RENEW_SECONDS", 0.02)
    monkeypatch.setattr(module, "_SIGN_SECONDS", 0.3)


def test_free_cluster_is_taken_and_given_back(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RENEW_SECONDS", 8.0)
    store = _Store()
    server, kube = serve(store)
    tenancy = Tenancy(kube, "run y", run="y", namespace="mine")
    tenancy.take()
    assert store.created["metadata"]["labels"] == {RUN: "y"}
    tenancy.give_back()
    assert [asked[0] for asked in server.asked] == ["GET", "POST", "DELETE"]
    assert {asked[1].split("/")[5] for asked in server.asked} == {"mine"}
    assert store.lease is None


def test_running_run_keeps_others_out_and_is_told(serve: Serve) -> None:
    server, kube = serve(_Store(_lease(5)))
    with pytest.raises(UserError) as refused:
        Tenancy(kube, "run y").take()
    assert f"{_OTHER} has it since 2026-11-24 08:01:02 UTC, for another 2" in refused.value.observed
    assert [asked[0] for asked in server.asked] == ["GET"]


def test_killed_runs_lease_is_taken_over(serve: Serve) -> None:
    store = _Store(_lease(60))
    _, kube = serve(store)
    tenancy = Tenancy(kube, "run y", run="y")
    tenancy.take()
    assert store.lease is not None
    assert store.lease["spec"]["holderIdentity"] == "run y"
    assert store.lease["metadata"]["labels"] == {RUN: "y"}
    tenancy.give_back()
    assert store.lease is None


def test_killed_run_elsewhere_is_watched_first_for_its_clock_may_be_wrong(serve: Serve) -> None:
    server, kube = serve(_Store(_lease(60, host="there")))
    tenancy = Tenancy(kube, "run y")
    tenancy.take()
    tenancy.give_back()
    assert any("watch" in asked[2] for asked in server.asked)


def test_killed_run_of_this_machine_is_not_watched(serve: Serve) -> None:
    server, kube = serve(_Store(_lease(60, host=platform.node())))
    tenancy = Tenancy(kube, "run y")
    tenancy.take()
    tenancy.give_back()
    assert not any("watch" in asked[2] for asked in server.asked)


def test_living_run_with_a_wrong_clock_keeps_its_cluster(serve: Serve) -> None:
    store = _Store(_lease(600, host="there"))

    def answer(method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if "watch" in query:
            again = _lease(590, host="there")
            return 200, [{"type": "MODIFIED", "object": again | {"metadata": again["metadata"]}}]
        return store(method, path, query, body)

    _, kube = serve(answer)
    with pytest.raises(UserError, match="and renews it; the clocks of this machine and of there differ"):
        Tenancy(kube, "run y").take()


@pytest.mark.parametrize("there", [True, False])
def test_quicker_run_wins(serve: Serve, there: bool) -> None:
    def answer(method: str, *_: Any) -> tuple[int, Any]:
        if method == "GET":
            return (200, _lease(60)) if there else (404, {})
        return 409, {"message": "conflict"}

    _, kube = serve(answer)
    with pytest.raises(UserError, match="another run has just taken it"):
        Tenancy(kube, "run y").take()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_user_who_may_not_write_leases_there(serve: Serve, method: str) -> None:
    def answer(asked: str, *_: Any) -> tuple[int, Any]:
        return (403, {"message": "leases is forbidden"}) if asked == method else (404, {})

    _, kube = serve(answer)
    with pytest.raises(UserError) as refused:
        Tenancy(kube, "run y").take()
    assert "403: leases is forbidden" in refused.value.observed
    assert "--lease-namespace" in refused.value.next_step


def test_namespace_that_is_not_there(serve: Serve) -> None:
    _, kube = serve(lambda *_: (404, {"message": 'namespaces "x" not found'}))
    with pytest.raises(UserError, match="the namespace is not there"):
        Tenancy(kube, "run y", namespace="x").take()


def test_api_server_that_fails_is_no_mistake_of_the_user(serve: Serve) -> None:
    _, kube = serve(lambda *_: (503, {"message": "etcd"}))
    with pytest.raises(KubeError, match="etcd"):
        Tenancy(kube, "run y").take()


def _until(tenancy: Tenancy) -> str:
    """What `lost` says when the renewal has ended, which it does at once when it is lost."""
    tenancy._renewal.join(timeout=5)
    return tenancy.lost


def test_lease_that_another_took_is_noticed_and_left_to_him(serve: Serve) -> None:
    store = _Store()
    _, kube = serve(store)
    tenancy = Tenancy(kube, "run y")
    tenancy.take()
    assert tenancy.lost == ""
    store.lease = _lease(0)
    assert _until(tenancy) == (
        f"the Lease default/llmisvc-conformance was taken from this run: {_OTHER} has it since 2026-11-24 08:01:02 UTC"
    )
    tenancy.give_back()
    assert store.lease is not None


def test_lease_that_was_deleted_is_noticed(serve: Serve) -> None:
    store = _Store()
    _, kube = serve(store)
    tenancy = Tenancy(kube, "run y")
    tenancy.take()
    store.lease = None
    assert _until(tenancy) == "the Lease default/llmisvc-conformance of this run was deleted"
    tenancy.give_back()


def test_lease_that_somebody_only_touched_is_kept(serve: Serve) -> None:
    store = _Store()
    _, kube = serve(store)
    tenancy = Tenancy(kube, "run y")
    tenancy.take()
    assert store.lease is not None
    store.lease = store.lease | {"metadata": store.lease["metadata"] | {"resourceVersion": "70"}}
    for _ in range(3):  # refused, read again, renewed
        store.renewed.clear()
        assert store.renewed.wait(timeout=5)
    assert tenancy.lost == ""
    tenancy.give_back()
    assert store.lease is None


def test_silent_api_server_does_not_end_a_run(serve: Serve) -> None:
    store = _Store()
    asked = threading.Semaphore(0)
    silent = threading.Event()

    def answer(method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if silent.is_set() and method == "PATCH":
            asked.release()
            return 503, {"message": "not now"}
        return store(method, path, query, body)

    _, kube = serve(answer)
    tenancy = Tenancy(kube, "run y")
    tenancy.take()
    silent.set()
    assert all(asked.acquire(timeout=5) for _ in range(2))
    assert tenancy.lost == ""
    tenancy.give_back()
    assert store.lease is None


def test_validity_counts_from_the_last_sign() -> None:
    assert 19 < seconds_left(_lease(10), datetime.now(UTC)) <= 20


@pytest.mark.parametrize("spec", [{}, {"renewTime": None}, {"renewTime": "yesterday"}])
def test_lease_without_a_sign_has_ended(spec: dict[str, Any]) -> None:
    lease = {"metadata": {}, "spec": spec}
    assert seconds_left(lease, datetime.now(UTC)) < 0
    assert told(lease) == "somebody without a name has it"


def test_holder_leads_to_a_person() -> None:
    assert f" on {platform.node()}" in holder("z")
    assert holder("z").startswith("run z, process ")
