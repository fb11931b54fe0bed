"""Rights are asked for one by one and told all at once. Against a real HTTP server."""

from typing import Any

import pytest
import yaml

from tests.kube_server import Answer, Serve
from tools.errors import UserError
from tools.kube.access import Access, missing, questions, require, review, roles, rules
from tools.kube.errors import KubeError

_GET = Access("get", "pods", namespace="ns")
_EXEC = Access("create", "pods", namespace="ns", subresource="exec")
_SERVICES = Access("create", "llminferenceservices", "serving.kserve.io", "ns")
_NODES = Access("list", "nodes")
_METRICS = Access("get", "/metrics")


def _only(*allowed: dict[str, str], reason: str = "") -> Answer:
    """An API server that allows these attributes."""

    def answer(_method: str, path: str, _query: dict[str, str], body: Any) -> tuple[int, Any]:
        if path.endswith("selfsubjectreviews"):
            return 201, {"status": {"userInfo": {"username": "system:serviceaccount:ns:auditor"}}}
        spec = body["spec"]
        given = spec.get("resourceAttributes") or spec["nonResourceAttributes"]
        return 201, {"status": {"allowed": given in allowed, "reason": "" if given in allowed else reason}}

    return answer


def test_each_right_is_asked_for_once(serve: Serve) -> None:
    server, kube = serve(_only({"verb": "get", "resource": "pods", "namespace": "ns"}))
    found = review(kube, [_GET, _EXEC, _GET])
    assert found.allowed == {_GET}
    assert set(found.denied) == {_EXEC}
    assert found.lacking([_EXEC, _GET]) == [_EXEC]
    asked = [path for method, path, _, _ in server.asked if path.endswith("selfsubjectaccessreviews")]
    assert len(asked) == 2


def test_questions_have_group_subresource_and_paths(serve: Serve) -> None:
    attributes = [
        {"verb": "create", "resource": "pods", "namespace": "ns", "subresource": "exec"},
        {"verb": "create", "resource": "llminferenceservices", "group": "serving.kserve.io", "namespace": "ns"},
        {"verb": "list", "resource": "nodes"},
        {"verb": "get", "path": "/metrics"},
    ]
    _, kube = serve(_only(*attributes))
    assert review(kube, [_EXEC, _SERVICES, _NODES, _METRICS]).denied == {}


def test_what_was_not_asked_for_is_not_allowed(serve: Serve) -> None:
    _, kube = serve(_only({"verb": "list", "resource": "nodes"}))
    assert review(kube, [_NODES]).lacking([_GET, _NODES]) == [_GET]


def test_error_of_the_authorizer_is_the_reason(serve: Serve) -> None:
    _, kube = serve(lambda *_: (201, {"status": {"allowed": False, "evaluationError": "webhook is down"}}))
    assert review(kube, [_GET]).denied == {_GET: "webhook is down"}


def test_user_who_may_not_even_ask(serve: Serve) -> None:
    _, kube = serve(lambda *_: (403, {"message": "no"}))
    with pytest.raises(KubeError, match="403"):
        review(kube, [_GET])


def test_all_that_is_missing_is_told_at_once(serve: Serve) -> None:
    _, kube = serve(_only(reason="the auditor only reads"))
    wanted = [_EXEC, _SERVICES, _NODES]
    with pytest.raises(UserError) as refused:
        require(kube, review(kube, wanted), wanted, "deploy a service")
    text = str(refused.value)
    assert "the rights to deploy a service" in text
    assert "system:serviceaccount:ns:auditor lacks 3 of them" in text
    assert "create pods/exec in ns" in text
    assert "the auditor only reads" in refused.value.cause
    assert "do kubectl --kubeconfig" in text
    assert "--context test auth can-i $verb pods --subresource=exec --namespace=ns; done" in text
    assert "for verb in create; do" in text
    assert "auth can-i $verb llminferenceservices.serving.kserve.io --namespace=ns; done" in text
    assert "auth can-i $verb nodes --all-namespaces; done" in text
    assert "kind: ClusterRole" in text
    assert "kind: Role" in text


def test_a_ready_role_is_named(serve: Serve) -> None:
    _, kube = serve(_only())
    with pytest.raises(UserError) as refused:
        require(kube, review(kube, [_NODES]), [_NODES], "read nodes", "manifests/rbac/reader.yaml")
    assert "granted by manifests/rbac/reader.yaml, or by the roles below" in refused.value.next_step


def test_nothing_is_said_when_nothing_is_missing(serve: Serve) -> None:
    _, kube = serve(_only({"verb": "list", "resource": "nodes"}))
    require(kube, review(kube, [_NODES]), [_NODES], "read nodes")


def test_verbs_of_a_resource_are_one_question(serve: Serve) -> None:
    _, kube = serve(_only())
    [line, path] = questions(kube, [Access("delete", "pods", namespace="ns"), _GET, _METRICS])[::-1]
    assert line.startswith("for verb in get delete; do ")
    assert path.endswith("auth can-i $verb /metrics; done")


def test_missing_rights_are_grouped_by_what_they_are_about() -> None:
    assert missing([_GET, Access("delete", "pods", namespace="ns"), _METRICS]) == (
        "    get /metrics\n    get, delete pods in ns"
    )


def test_roles_grant_what_is_wanted_and_no_more() -> None:
    found = roles([_GET, Access("get", "services", namespace="ns"), _EXEC, _NODES, _METRICS], "mine")
    assert found == [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "mine"},
            "rules": [
                {"nonResourceURLs": ["/metrics"], "verbs": ["get"]},
                {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]},
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": "mine", "namespace": "ns"},
            "rules": [
                {"apiGroups": [""], "resources": ["pods", "services"], "verbs": ["get"]},
                {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]},
            ],
        },
    ]
    assert yaml.safe_dump(found)


def test_rules_keep_verbs_of_different_resources_apart() -> None:
    found = rules([_GET, Access("list", "pods", namespace="ns"), Access("get", "events", namespace="ns")])
    assert found == [
        {"apiGroups": [""], "resources": ["events"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
    ]
