"""The audit log of the local cluster, read by its tests: questions are no writes, and every change has a writer."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.live.audit_log import unexplained, writes

POOLS = "inferencepools.inference.networking.k8s.io"


def event(verb: str, resource: str, **changes: Any) -> dict[str, Any]:
    """As the API server writes it down."""
    plain = {
        "verb": verb,
        "requestURI": f"/api/v1/namespaces/a/{resource}/b",
        "user": {"username": "kubernetes-super-admin"},
        "userAgent": "kubectl",
        "objectRef": {"resource": resource, "namespace": "a", "name": "b", "apiVersion": "v1"},
        "responseStatus": {"code": 200},
        "requestReceivedTimestamp": "2026-11-24T10:00:00.000002Z",
    }
    return plain | changes


def written(tmp_path: Path, *events: dict[str, Any], name: str = "audit.log") -> Path:
    path = tmp_path / name
    path.write_text("".join(json.dumps(each) + "\n" for each in events))
    return tmp_path / "audit.log"


def test_a_write_says_who_and_what(tmp_path: Path) -> None:
    about = {"resource": "inferencepools", "apiGroup": "inference.networking.k8s.io", "namespace": "a", "name": "b"}
    (found,) = writes(written(tmp_path, event("patch", "inferencepools", objectRef=about)))
    assert found.key == (POOLS, "a", "b")
    assert str(found) == "kubernetes-super-admin (kubectl): patch /api/v1/namespaces/a/inferencepools/b: 200"


@pytest.mark.parametrize(
    "asked",
    [
        event("create", "selfsubjectaccessreviews"),
        event("create", "tokenreviews"),
        event("create", "pods", requestURI="/api/v1/namespaces/a/pods?dryRun=All"),
        event("patch", "pods", requestURI="/api/v1/namespaces/a/pods/b?fieldManager=x&dryRun=All"),
    ],
)
def test_a_question_is_no_write(tmp_path: Path, asked: dict[str, Any]) -> None:
    assert writes(written(tmp_path, asked)) == []


def test_a_token_is_one(tmp_path: Path) -> None:
    uri = "/api/v1/namespaces/a/serviceaccounts/b/token?dry=no"
    assert len(writes(written(tmp_path, event("create", "serviceaccounts", requestURI=uri)))) == 1


def test_only_what_came_later_counts_and_a_full_file_is_read_too(tmp_path: Path) -> None:
    log = written(tmp_path, event("create", "pods"), name="audit-2026-11-24T10-00-01.000.log")
    early = event("delete", "pods", requestReceivedTimestamp="2026-11-24T09:59:59.999999Z")
    written(tmp_path, early, event("patch", "pods"))
    assert sorted(each.verb for each in writes(log)) == ["create", "delete", "patch"]
    assert sorted(each.verb for each in writes(log, "2026-11-24T10:00:00.000000Z")) == ["create", "patch"]


def test_every_change_needs_a_write_of_somebody_else(tmp_path: Path) -> None:
    before = {("pods", "a", "b"): "1", ("pods", "a", "gone"): "2", ("pods", "a", "still"): "3"}
    after = {("pods", "a", "b"): "4", ("pods", "a", "new"): "5", ("pods", "a", "still"): "3"}
    others = writes(
        written(tmp_path, event("patch", "pods"), event("patch", "pods", objectRef={"resource": "pods", "name": "new"}))
    )
    assert unexplained(before, after, others) == [("pods", "a", "gone"), ("pods", "a", "new")]
    refused = [event("patch", "pods", responseStatus={"code": 409})]
    assert ("pods", "a", "b") in unexplained(before, after, writes(written(tmp_path, *refused)))


def test_events_are_the_same_in_both_groups_and_expire(tmp_path: Path) -> None:
    about = {"resource": "events", "apiGroup": "events.k8s.io", "namespace": "a", "name": "new"}
    made = writes(written(tmp_path, event("create", "events", objectRef=about)))
    assert unexplained({("events", "a", "old"): "1"}, {("events", "a", "new"): "2"}, made) == []


def test_a_new_object_may_have_been_given_its_name(tmp_path: Path) -> None:
    made = writes(written(tmp_path, event("create", "events", objectRef={"resource": "events", "namespace": "a"})))
    assert unexplained({}, {("events", "a", "b.17"): "1"}, made) == []
