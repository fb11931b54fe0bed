"""What evidence tells of a failed service, and what becomes of it when the cluster does not help."""

import threading
import time
from pathlib import Path

import pytest
import yaml

from tests.evidence_cluster import NAMESPACE, SERVICE, FakeCluster, cluster
from tests.kube_server import Serve
from tools.evidence.collect import NOT_WELL, Evidence, collect
from tools.evidence.detail import Detail
from tools.evidence.requests import RequestLog
from tools.evidence.subject import Subject
from tools.openai.reply import Reply, Request
from tools.probe.verdict import Verdict
from tools.redact import Redactor

SUBJECT = Subject(NAMESPACE, SERVICE, user_agents=("suite (case)",))


def _collect(serve: Serve, found: FakeCluster, subject: Subject = SUBJECT, **options: object) -> Evidence:
    _, kube = serve(found.answer)
    return collect(kube, subject, Redactor(), **options)  # type: ignore[arg-type]


@pytest.fixture
def evidence(serve: Serve) -> Evidence:
    return _collect(serve, cluster())


def test_what_is_wrong_comes_first(evidence: Evidence) -> None:
    assert next(iter(evidence.texts)) == NOT_WELL
    lines = evidence.texts[NOT_WELL].splitlines()
    assert lines[0].startswith("LLMInferenceService qwen: Ready=False STALE (MinimumReplicasUnavailable: one of two")
    assert "LLMInferenceService qwen: its status is about generation 2 of 3: does its controller run?" in lines
    assert any(line.startswith("HTTPRoute qwen-kserve-route: parent") and "STALE" in line for line in lines)
    assert any(line.startswith("qwen-kserve-2: Running, not Ready") for line in lines)
    assert "BackOff x4" in lines[-1]
    assert " ago: Warning " in lines[-1]
    assert not any("Conflicted" in line for line in lines), "that it is False is good"


def test_conditions_are_a_table_that_tells_stale_ones(evidence: Evidence) -> None:
    head, *rows = evidence.texts["conditions"].splitlines()
    at = head.index("GENERATION")
    told = {tuple(row.split()[:1]): row[at:].split("  ")[0] for row in rows}
    assert told[("HTTPRoute/qwen-kserve-route",)] == "STALE (1 of 2)"
    assert told[("Gateway/qwen-gateway",)] == "fresh (1 of 1)"
    assert told[("LLMInferenceService/qwen",)] == "STALE (2 of 3)"


def test_events_are_in_order_with_their_counts(evidence: Evidence) -> None:
    rows = evidence.texts["events"].splitlines()[1:]
    assert [row.split("happened at ")[1] for row in rows] == ["09:00:01", "09:00:02", "09:00:03"]
    assert "Pod/qwen-kserve-2  BackOff  4" in rows[-1]


def test_last_termination_of_a_container(evidence: Evidence) -> None:
    assert "with 137 (OOMKilled), 2 restarts: last words" in evidence.texts["pods"]


def test_logs_now_and_before_the_restart(evidence: Evidence) -> None:
    logs = evidence.texts["logs"]
    assert logs.index("INFO starting anew") < logs.index("ERROR out of memory")
    assert logs.index("ERROR out of memory") < logs.index("INFO serving"), "pods that are not well come first"


def test_access_log_and_picker_are_about_this_case_only(evidence: Evidence) -> None:
    access = evidence.texts["gateway: access log"]
    assert "1 line about this case" in access
    assert "503" in access
    assert "UH" in access
    assert "id-of-others" not in access
    # The id was known from the access log alone.
    decisions = evidence.texts["endpoint picker: decisions"]
    assert "picked  x-request-id=id-of-case  endpoint=10.0.0.5:8000" in decisions
    assert "id-of-others" not in decisions


def test_case_whose_requests_never_arrived(serve: Serve) -> None:
    found = _collect(serve, cluster(), Subject(NAMESPACE, user_agents=("another case",)))
    assert "no request reached it" in found.texts["gateway: access log"]


def test_controllers_are_searched_for_the_service(evidence: Evidence) -> None:
    told = evidence.texts["controllers"]
    assert f"reconciling {NAMESPACE}/{SERVICE}" in told
    assert f"push for {SERVICE}-gateway.{NAMESPACE}" in told
    assert "elsewhere" not in told
    assert "others" not in told


def test_endpoints(evidence: Evidence) -> None:
    assert "10.0.0.9" in evidence.texts["endpoints"]


def test_objects_are_yaml(evidence: Evidence) -> None:
    kinds = [each["kind"] for each in yaml.safe_load_all(evidence.objects)]
    assert kinds == ["LLMInferenceService", "Gateway", "HTTPRoute", "EndpointSlice", *["Pod"] * 4]


def test_gateway_of_another_namespace(serve: Serve) -> None:
    found = cluster()
    for plural in ("gateways", "pods"):
        moved = [each for each in found.objects[NAMESPACE, plural] if "gateway" in each["metadata"]["name"]]
        for each in moved:
            found.objects[NAMESPACE, plural].remove(each)
            found.add(plural, each | {"metadata": each["metadata"] | {"namespace": "ingress"}}, "ingress")
    found.objects[NAMESPACE, "httproutes"][0]["spec"]["parentRefs"][0]["namespace"] = "ingress"
    evidence = _collect(serve, found)
    assert "Gateway ingress/qwen-gateway" in evidence.texts["gateway: access log"]
    assert "ingress/qwen-gateway-istio-1" in evidence.texts["pods"]


def test_gateway_that_no_route_attaches_to_yet(serve: Serve) -> None:
    found = cluster()
    found.objects[NAMESPACE, "httproutes"].clear()
    found.add("gateways", {"metadata": {"name": "other", "generation": 1}, "status": {}})
    told = _collect(serve, found).texts["conditions"]
    assert "Gateway/qwen-gateway" in told
    assert "other" not in told


def test_others_in_the_namespace_are_left_out(serve: Serve) -> None:
    found = cluster()
    found.add("llminferenceservices", {"metadata": {"name": "other", "generation": 1}, "status": {"conditions": []}})
    assert "other" not in _collect(serve, found).texts[NOT_WELL]
    assert "LLMInferenceService other: no conditions" in _collect(serve, found, Subject(NAMESPACE)).texts[NOT_WELL]


def test_service_that_is_not_there_is_not_well(serve: Serve) -> None:
    found = _collect(serve, FakeCluster())
    assert found.texts[NOT_WELL] == f"there is no LLMInferenceService qwen in namespace {NAMESPACE}"
    assert found.texts["gateway: access log"] == "no Gateway serves it"
    assert "cannot get deployment istiod" in found.texts["controllers"]
    assert found.objects == ""


def test_unreachable_server_is_one_line_at_once(serve: Serve) -> None:
    server, kube = serve(cluster().answer)
    server.close()
    log = RequestLog()
    log.add(Reply(Request("GET", "http://gateway/x", {}), Verdict.REFUSED))
    started = time.monotonic()
    found = collect(kube, SUBJECT, Redactor(), requests=log)
    assert time.monotonic() - started < 5
    assert found.texts[NOT_WELL].startswith("the API server cannot be asked: GET /version: no answer: ")
    assert list(found.texts) == [NOT_WELL, "requests"], "requests are known all the same"
    assert found.objects == ""


@pytest.mark.parametrize("status", [401, 404, 500])
def test_what_does_not_answer_as_an_api_server_is_one_line(serve: Serve, status: int) -> None:
    server, kube = serve(lambda *_: (status, {"message": "no"}))
    found = collect(kube, SUBJECT, Redactor())
    assert found.texts == {NOT_WELL: f"the API server cannot be asked: GET /version: {status}: no"}
    assert len(server.asked) == 1


def test_user_who_may_not_ask_for_the_version(serve: Serve) -> None:
    def answer(method: str, path: str, query: dict[str, str], body: object) -> tuple[int, object]:
        return (403, {"message": "no"}) if path == "/version" else cluster().answer(method, path, query, body)

    _, kube = serve(answer)
    assert "OOMKilled" in collect(kube, SUBJECT, Redactor()).texts["pods"]


def test_server_that_takes_connections_and_never_answers(serve: Serve) -> None:
    ended = threading.Event()
    _, kube = serve(lambda *_: (200, {}) if ended.wait(10) else (500, {}))
    found = collect(kube, SUBJECT, Redactor(), seconds=0.2)
    ended.set()
    assert found.texts == {NOT_WELL: "the API server of context test has not answered GET /version for 0.2 s"}


def test_what_may_not_be_read_is_said_with_its_verb(serve: Serve) -> None:
    found = cluster()
    found.refused = {"events", "log", "gateways"}
    told = _collect(serve, found).texts
    assert f"(not allowed to list events in namespace {NAMESPACE} (403: events is forbidden" in told["events"]
    assert f"(not allowed to get the log of pod {NAMESPACE}/qwen-kserve-1 main (403:" in told["logs"]
    assert "not allowed to list gateways" in told["conditions"]
    assert "LLMInferenceService/qwen" in told["conditions"], "what may be read is there"


def test_pods_are_told_where_routes_may_not_be_read(serve: Serve) -> None:
    found = cluster()
    found.refused = {"httproutes"}
    told = _collect(serve, found).texts
    for title in ("logs", "pods"):
        assert "qwen-kserve-2" in told[title]
        assert "not allowed to list httproutes" in told[title]
    assert len([line for line in told[NOT_WELL].splitlines() if "httproutes" in line]) == 1


def test_kind_that_the_cluster_lacks(serve: Serve) -> None:
    def answer(method: str, path: str, query: dict[str, str], body: object) -> tuple[int, object]:
        if "inferencepools" in path:
            return 404, {"message": "the server could not find the requested resource"}
        return cluster().answer(method, path, query, body)

    _, kube = serve(answer)
    told = collect(kube, SUBJECT, Redactor()).texts["conditions"]
    assert "cannot list inferencepools" in told
    assert "Gateway/qwen-gateway" in told


def test_slow_part_is_left_out_and_others_are_there(serve: Serve) -> None:
    found, ended = cluster(), threading.Event()
    found.stalled = {"events": lambda: ended.wait(10)}
    started = time.monotonic()
    evidence = _collect(serve, found, seconds=1.0)
    assert time.monotonic() - started < 3
    ended.set()
    assert evidence.texts["events"] == "(not collected: no time left, evidence may take 1 s)"
    assert evidence.texts[NOT_WELL].startswith("LLMInferenceService qwen")
    assert evidence.texts[NOT_WELL].endswith("(the rest was not collected: no time left, evidence may take 1 s)")
    assert "OOMKilled" in evidence.texts["pods"]


def test_server_of_nonsense_does_not_hide_the_failure(serve: Serve) -> None:
    found = cluster()
    found.objects[NAMESPACE, "events"][0]["involvedObject"] = None
    told = _collect(serve, found).texts
    assert told["events"].startswith("(could not be told: ")
    assert "OOMKilled" in told["pods"]


def test_huge_log_is_cut_in_its_middle(serve: Serve) -> None:
    found = cluster()
    found.logs["qwen-kserve-1", "main"] = "\n".join(f"line {number} {'x' * (5_000 + number)}" for number in range(60))
    logs = _collect(serve, found).texts["logs"]
    assert len(logs) < 100_000
    assert "lines left out here" in logs
    assert "\nline 0 x" in logs
    assert "\nline 30 x" not in logs
    assert "\nline 59 x" in logs


def test_minimal_evidence_has_no_traffic_of_others(serve: Serve) -> None:
    log = RequestLog()
    request = Request("POST", "http://gateway/x", {}, '{"prompt":"a secret wish"}', "id-of-case")
    log.add(Reply(request, Verdict.HTTP, 503, {}, "a secret answer"))
    evidence = _collect(serve, cluster(), requests=log, detail=Detail.MINIMAL)
    everything = "\n".join([*evidence.texts.values(), evidence.objects])
    for left_out in ("secret wish", "secret answer", "INFO serving", "out of memory", "last words", "id-of-others"):
        assert left_out not in everything
    for kept in ("OOMKilled", "id-of-case", "HTTP 503", "no_healthy", "picked  "):
        assert kept in everything


def test_documentation_names_all_parts(evidence: Evidence) -> None:
    rows = (Path(__file__).parents[1] / "docs/evidence.md").read_text().splitlines()
    named = [row.split("|")[1].strip() for row in rows if row.startswith("| ")]
    assert [title for title in named if title in evidence.texts] == list(evidence.texts)


def test_only_reading(serve: Serve) -> None:
    server, kube = serve(cluster().answer)
    collect(kube, SUBJECT, Redactor())
    # A port-forward is a GET that is upgraded.
    assert {method for method, *_ in server.asked} == {"GET"}
    assert not any("secrets" in path for _, path, *_ in server.asked)
