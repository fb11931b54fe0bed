"""What runs left is found whatever it is, removed in order, and what stays is told. Against a real HTTP server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.kube_server import Serve
from tools import cli
from tools.cleanup import clean, command, keeps, leftovers, remove
from tools.errors import UserError
from tools.kube.errors import KubeError
from tools.kube.labels import CASE, RUN
from tools.kube.leftovers import look
from tools.settings import Cleanup
from tools.waiting import timeouts

_RUN, _OTHER = "1124-080102-ab", "1124-090102-cd"
_READ = ["get", "list", "watch"]
_ALL = [*_READ, "create", "delete", "patch"]
# By group: plural, kind, whether namespaced, verbs.
_KINDS: dict[str, list[tuple[str, str, bool, list[str]]]] = {
    "v1": [
        ("namespaces", "Namespace", False, _ALL),
        ("pods", "Pod", True, _ALL),
        ("pods/exec", "PodExecOptions", True, ["create"]),
        ("services", "Service", True, _ALL),
        ("endpoints", "Endpoints", True, _ALL),
        ("componentstatuses", "ComponentStatus", False, _READ),
    ],
    "rbac.authorization.k8s.io/v1": [
        ("clusterroles", "ClusterRole", False, _ALL),
        ("clusterrolebindings", "ClusterRoleBinding", False, _ALL),
    ],
    "gateway.networking.k8s.io/v1": [("gateways", "Gateway", True, _ALL)],
    "admissionregistration.k8s.io/v1": [
        ("validatingadmissionpolicies", "ValidatingAdmissionPolicy", False, _ALL),
        ("validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", False, _ALL),
    ],
    "coordination.k8s.io/v1": [("leases", "Lease", True, _ALL)],
}


class _Cluster:
    """Objects by plural; deletions are remembered, and remove the object unless its name is among `stay`."""

    def __init__(self, stay: tuple[str, ...] = (), refuse: dict[str, int] | None = None, **objects: Any) -> None:
        self.objects: dict[str, list[dict[str, Any]]] = objects
        self.stay, self.refuse = stay, refuse or {}
        self.deleted: list[str] = []

    def __call__(self, method: str, path: str, query: dict[str, str], _body: Any) -> tuple[int, Any]:
        if path == "/apis":
            versions = [{"preferredVersion": {"groupVersion": each}} for each in _KINDS if each != "v1"]
            return 200, {"groups": versions}
        parts = path.strip("/").split("/")
        api = "/".join(parts[1:3]) if parts[0] == "apis" else "v1"
        rest = parts[3:] if parts[0] == "apis" else parts[2:]
        if status := self.refuse.get(rest[-1] if rest else api):
            return status, {"message": "refused"}
        if not rest:
            rows = [dict(zip(("name", "kind", "namespaced", "verbs"), row, strict=True)) for row in _KINDS[api]]
            return 200, {"resources": rows}
        if method == "DELETE":
            return self._delete(*rest[-2:])
        if "watch" in query:
            return 200, []
        plural = rest[-1]
        items = self.objects.get(plural, [])
        if len(rest) == 3 and rest[0] == "namespaces":
            items = [each for each in items if each["metadata"].get("namespace") == rest[1]]
        return 200, {"metadata": {"resourceVersion": "1"}, "items": [each for each in items if _fits(each, query)]}

    def _delete(self, plural: str, name: str) -> tuple[int, Any]:
        self.deleted.append(f"{plural}/{name}")
        if name not in self.stay:
            self.objects[plural] = [each for each in self.objects[plural] if each["metadata"]["name"] != name]
        return 200, {}


def _fits(found: dict[str, Any], query: dict[str, str]) -> bool:
    """Label and field selectors, as far as they are used."""
    labels = found["metadata"].get("labels", {})
    key, _, value = query.get("labelSelector", "").partition("=")
    wanted_name = query.get("fieldSelector", "").partition("=")[2]
    return (not key or (key in labels and value in ("", labels[key]))) and wanted_name in (
        "",
        found["metadata"]["name"],
    )


def _object(name: str, run: str = _RUN, namespace: str = "", **more: Any) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name, "uid": f"uid of {name}", "resourceVersion": "1"}
    meta |= {"labels": {RUN: run}} if run else {}
    meta |= {"namespace": namespace} if namespace else {}
    return {"metadata": meta | more.pop("metadata", {}), **more}


def _lease(age: float, run: str = _RUN) -> dict[str, Any]:
    renewed = (datetime.now(UTC) - timedelta(seconds=age)).isoformat()
    spec = {"holderIdentity": f"run {run} of ann", "leaseDurationSeconds": 30, "renewTime": renewed}
    return _object("llmisvc-conformance", run, "default", spec=spec)


def _names(found: Any) -> list[str]:
    return [f"{each.kind.kind} {each.name}" for each in found]


@pytest.fixture
def _impatient() -> Iterator[None]:
    before = timeouts.overridden()
    timeouts.override({"namespace-removed": 0.2, "service-removed": 0.2})
    yield
    timeouts.override(before)


def test_everything_with_the_label_is_found_in_the_order_of_its_removal(serve: Serve) -> None:
    cluster = _Cluster(
        namespaces=[_object("llmisvc-1"), _object("team", run="")],
        clusterroles=[_object("role"), _object("cluster-admin", run="")],
        clusterrolebindings=[_object("binding")],
        gateways=[_object("gw", namespace="team", metadata={"labels": {RUN: _RUN, CASE: "gateway-listens"}})],
        validatingadmissionpolicies=[_object("policy")],
        validatingadmissionpolicybindings=[_object("policy-binding")],
        leases=[_lease(age=60)],
    )
    _, kube = serve(cluster)
    found = leftovers(kube, _RUN)
    assert _names(found) == [
        "ValidatingAdmissionPolicyBinding policy-binding",
        "ValidatingAdmissionPolicy policy",
        "Namespace llmisvc-1",
        "ClusterRole role",
        "ClusterRoleBinding binding",
        "Gateway gw",
        "Lease llmisvc-conformance",
    ]
    assert str(found[5]) == f"Gateway gw in team (run {_RUN}, case gateway-listens)"


def test_only_the_runs_own_or_those_of_all(serve: Serve) -> None:
    cluster = _Cluster(namespaces=[_object("a"), _object("b", run=_OTHER)], leases=[_lease(60, run=_OTHER)])
    _, kube = serve(cluster)
    assert _names(leftovers(kube, _RUN)) == ["Namespace a"]
    assert _names(leftovers(kube, _OTHER)) == ["Namespace b", "Lease llmisvc-conformance"]
    assert len(leftovers(kube, None)) == 3


def test_what_goes_with_something_else_is_not_listed(serve: Serve) -> None:
    owned = {"ownerReferences": [{"uid": "uid of gw"}]}
    foreign = {"ownerReferences": [{"uid": "uid of something else"}]}
    cluster = _Cluster(
        namespaces=[_object("own")],
        pods=[_object("inside", namespace="own"), _object("of-another", namespace="team", metadata=foreign)],
        gateways=[_object("gw", namespace="team")],
        services=[_object("gw-service", namespace="team", metadata=owned)],
        endpoints=[_object("gw-service", namespace="team")],
    )
    _, kube = serve(cluster)
    assert _names(leftovers(kube, _RUN)) == ["Namespace own", "Gateway gw", "Pod of-another"]


def test_binding_into_a_namespace_that_is_gone(serve: Serve) -> None:
    def binding(name: str, namespace: str, *others: dict[str, str]) -> dict[str, Any]:
        return _object(name, run="", subjects=[{"kind": "ServiceAccount", "namespace": namespace}, *others])

    bindings = [
        binding("dangling", f"llmisvc-{_RUN}-gpu"),
        binding("of-another-run", f"llmisvc-{_OTHER}-gpu"),
        binding("of-a-group-too", f"llmisvc-{_RUN}-gpu", {"kind": "Group"}),
        binding("of-a-team-too", f"llmisvc-{_RUN}-gpu", {"kind": "ServiceAccount", "namespace": "team"}),
        binding("alive", f"llmisvc-{_RUN}-tpu"),
        binding("foreign", "team"),
    ]
    cluster = _Cluster(namespaces=[_object(f"llmisvc-{_RUN}-tpu")], clusterrolebindings=bindings)
    _, kube = serve(cluster)
    assert _names(leftovers(kube, _RUN)) == [f"Namespace llmisvc-{_RUN}-tpu", "ClusterRoleBinding dangling"]
    assert "ClusterRoleBinding of-another-run" in _names(leftovers(kube, None))


def test_living_runs_lease_is_no_leftover(serve: Serve) -> None:
    _, kube = serve(_Cluster(leases=[_lease(age=3)]))
    found = look(kube, None)
    assert found.leftovers == []
    assert found.living == {_RUN: f"run {_RUN} of ann has it (default/llmisvc-conformance)"}


def test_kinds_that_may_not_be_seen_are_told(serve: Serve) -> None:
    cluster = _Cluster(
        refuse={"gateways": 403, "leases": 403, "rbac.authorization.k8s.io/v1": 503}, namespaces=[_object("a")]
    )

    def answer(method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if path.endswith("/leases/llmisvc-conformance"):
            return 404, {}
        return cluster(method, path, query, body)

    _, kube = serve(answer)
    found = look(kube, _RUN)
    assert _names(found.leftovers) == ["Namespace a"]
    assert found.unseen == [
        "gateways.gateway.networking.k8s.io: this user may not list them",
        "group rbac.authorization.k8s.io/v1: 503: refused",
        "leases.coordination.k8s.io outside of default: this user may not list them",
    ]


def test_namespaces_have_to_be_seen(serve: Serve) -> None:
    _, kube = serve(_Cluster(refuse={"namespaces": 403}))
    with pytest.raises(KubeError, match="403"):
        leftovers(kube, _RUN)


def test_removal_keeps_the_order(serve: Serve) -> None:
    cluster = _Cluster(
        namespaces=[_object("ns")],
        clusterroles=[_object("role")],
        validatingadmissionpolicybindings=[_object("policy-binding")],
        leases=[_lease(age=60)],
    )
    _, kube = serve(cluster)
    assert remove(kube, leftovers(kube, _RUN)) == []
    assert cluster.deleted == [
        "validatingadmissionpolicybindings/policy-binding",
        "namespaces/ns",
        "clusterroles/role",
        "leases/llmisvc-conformance",
    ]
    assert leftovers(kube, None) == []


@pytest.mark.usefixtures("_impatient")
def test_what_stays_or_is_refused_is_told_and_does_not_hold_up_the_rest(serve: Serve) -> None:
    going = {"deletionTimestamp": "2026-11-24T08:01:02Z", "finalizers": ["example.com/hold"]}
    cluster = _Cluster(
        stay=("gw",),
        refuse={"role": 403},
        gateways=[_object("gw", namespace="team", metadata=going)],
        clusterroles=[_object("role")],
        clusterrolebindings=[_object("binding")],
    )
    _, kube = serve(cluster)
    refused, stays = remove(kube, leftovers(kube, _RUN))
    assert refused == f"ClusterRole role (run {_RUN}): 403: refused"
    assert stays.startswith("Gateway gw in team: terminating for ")
    assert stays.endswith("finalizers: example.com/hold")
    assert "clusterrolebindings/binding" in cluster.deleted


def _clean(serve: Serve, cluster: _Cluster, run: str | None, **how: bool) -> tuple[int, list[str]]:
    said: list[str] = []
    _, kube = serve(cluster)
    return clean(kube, run, said.append, **how), said


def test_command_removes_and_tells(serve: Serve) -> None:
    cluster = _Cluster(namespaces=[_object("ns")])
    assert _clean(serve, cluster, _RUN) == (0, [f"found: Namespace ns (run {_RUN})", "removed 1 objects"])
    assert cluster.deleted == ["namespaces/ns"]


def test_dry_run_only_tells(serve: Serve) -> None:
    cluster = _Cluster(namespaces=[_object("ns")], leases=[_lease(age=3)])
    status, said = _clean(serve, cluster, _RUN, dry=True)
    assert status == 0
    assert said[0] == f"found: Namespace ns (run {_RUN})"
    assert said[1].startswith(f"going on: run {_RUN} of ann")
    assert cluster.deleted == []


def test_kinds_that_were_not_looked_at_are_counted(serve: Serve) -> None:
    refuse = {"gateways": 403, "pods": 403, "services": 500, "clusterroles": 403, "validatingadmissionpolicies": 403}
    _, said = _clean(serve, _Cluster(refuse=refuse), None)
    assert said[1].startswith("5 kinds were not looked at: clusterroles.rbac.authorization.k8s.io: this user may not")
    assert said[1].endswith("; …")


def test_nothing_is_left(serve: Serve) -> None:
    assert _clean(serve, _Cluster(), None) == (0, ["nothing of any run is left"])


@pytest.mark.usefixtures("_impatient")
def test_rest_that_stays_is_exit_status_one(serve: Serve) -> None:
    status, said = _clean(serve, _Cluster(stay=("role",), clusterroles=[_object("role")]), None)
    assert status == 1
    assert said[1].startswith("left: ClusterRole role: its deletion has not begun")


@pytest.mark.parametrize("run", [_RUN, None])
def test_run_that_goes_on_keeps_its_things(serve: Serve, run: str | None) -> None:
    cluster = _Cluster(namespaces=[_object("ns")], leases=[_lease(age=3)])
    with pytest.raises(UserError, match=f"run {_RUN} of ann has it"):
        _clean(serve, cluster, run)
    assert cluster.deleted == []


def test_run_that_goes_on_may_be_overruled(serve: Serve) -> None:
    cluster = _Cluster(namespaces=[_object("ns")], leases=[_lease(age=3)])
    assert _clean(serve, cluster, _RUN, force=True)[0] == 0
    assert cluster.deleted == ["namespaces/ns"]


def test_another_runs_lease_does_not_matter(serve: Serve) -> None:
    cluster = _Cluster(namespaces=[_object("ns")], leases=[_lease(age=3, run=_OTHER)])
    assert _clean(serve, cluster, _RUN)[0] == 0


@pytest.mark.parametrize(
    ("cleanup", "well", "stays"),
    [
        (Cleanup.ALWAYS, True, False),
        (Cleanup.ALWAYS, False, False),
        (Cleanup.ON_SUCCESS, True, False),
        (Cleanup.ON_SUCCESS, False, True),
        (Cleanup.NEVER, True, True),
        (Cleanup.NEVER, False, True),
    ],
)
def test_when_things_are_kept(cleanup: Cleanup, well: bool, stays: bool) -> None:
    assert keeps(cleanup, well=well) is stays


def test_command_that_is_told() -> None:
    assert command("1") == "llmisvc-conformance cleanup --run 1"
    assert command("1", "a context", Path("/k"), "uid") == (
        "llmisvc-conformance cleanup --run 1 --context 'a context' --kubeconfig /k --identity uid"
    )


def test_existing_cluster_is_cleaned_when_it_is_named(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    cluster = _Cluster(namespaces=[_object("ns")])

    def answer(method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if path.endswith("/kube-system"):
            return 200, {"metadata": {"name": "kube-system", "uid": "u"}}
        return cluster(method, path, query, body)

    _, kube = serve(answer)
    named = ["--context", kube.context, "--kubeconfig", str(kube.kubeconfig)]
    assert cli.main(["cleanup", "--all", *named, "--identity", "v"]) == 2
    assert "re-pointed" in capsys.readouterr().err
    assert cli.main(["cleanup", "--run", _RUN, *named]) == 0
    assert "removed 1 objects" in capsys.readouterr().out
    assert cluster.deleted == ["namespaces/ns"]


def test_refusal_of_the_api_server_is_told(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    _, kube = serve(lambda *_: (403, {"message": "no"}))
    assert cli.main(["cleanup", "--all", "--context", kube.context, "--kubeconfig", str(kube.kubeconfig)]) == 2
    said = capsys.readouterr().err
    assert "403: no" in said
    assert "get namespaces --selector llmisvc-conformance/run" in said


def test_kubeconfig_alone_names_no_cluster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cleanup", "--all", "--kubeconfig", str(tmp_path / "k")]) == 2
    assert "no --context" in capsys.readouterr().err


def test_local_cluster_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert cli.main(["--name", "none", "cleanup", "--all"]) == 2
    assert "local cluster none to be running" in capsys.readouterr().err


def test_run_or_all_has_to_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["cleanup"])
    assert "--run --all is required" in capsys.readouterr().err
