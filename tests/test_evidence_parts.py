"""The pure parts of evidence: tables, cuts, Envoy's words, requests, counters."""

import re
from datetime import UTC, datetime

import pytest

from tests.evidence_cluster import access_line
from tools.evidence import envoy
from tools.evidence.detail import KEPT, Detail
from tools.evidence.logs import mentions
from tools.evidence.metrics import Moved, current, metrics_diff, told
from tools.evidence.reading import told as told_error
from tools.evidence.requests import RequestLog, request_ids
from tools.evidence.structured import most_telling, short
from tools.evidence.subject import Subject
from tools.evidence.text import age, cut, folded, table
from tools.kube.errors import KubeError
from tools.metrics.exposition import Exposition
from tools.openai.reply import Reply, Request
from tools.probe.verdict import Verdict

FULL = KEPT[Detail.FULL]
CLUSTERS = """\
outbound|54321||qwen-inference-pool-ip-1234.llm.svc.cluster.local::observability_name::outbound|54321||qwen
outbound|54321||qwen-inference-pool-ip-1234.llm.svc.cluster.local::default_priority::max_connections::4294967295
outbound|54321||qwen-inference-pool-ip-1234.llm.svc.cluster.local::10.0.0.5:8000::cx_active::2
outbound|54321||qwen-inference-pool-ip-1234.llm.svc.cluster.local::10.0.0.5:8000::cx_connect_fail::7
outbound|54321||qwen-inference-pool-ip-1234.llm.svc.cluster.local::10.0.0.5:8000::health_flags::/failed_eds_health
outbound|9002||qwen-epp-service.llm.svc.cluster.local::added_via_api::true
outbound|80||qwen-epp-service.other.svc.cluster.local::10.0.0.7:80::cx_active::1
outbound|80||mixtral.llm.svc.cluster.local::10.0.0.8:80::cx_active::1
"""


def _reply(status: int = 200, body: str = "", request_id: str = "sent", answered: str = "") -> Reply:
    request = Request("POST", "http://gateway/ns/qwen/v1/completions", {}, '{"prompt":"wish"}', request_id)
    return Reply(request, Verdict.HTTP, status, {"x-request-id": answered} if answered else {}, body, 0.5)


def test_table_is_aligned() -> None:
    assert table(("A", "LONG", "C"), [("aaa", "b", "c\nd"), ("a", "b", "")]) == "A    LONG  C\naaa  b     c d\na    b"
    assert table(("A",), []) == ""


@pytest.mark.parametrize("limit", [20, 40, 100])
def test_cut_keeps_both_ends_and_tells_how_much_is_gone(limit: int) -> None:
    text = "\n".join(f"line {number}" for number in range(40))
    found = cut(text, limit)
    head, tail = re.split(r"# \[\.\.\. \d+ characters, \d+ lines? left out here \.\.\.\]\n", found)
    gone = re.search(r"(\d+) characters, (\d+) lines?", found)
    assert text.startswith(head.rstrip("\n"))
    assert text.endswith(tail)
    assert gone is not None
    assert abs(int(gone[1]) - (len(text) - len(head) - len(tail))) <= 1, "the line end before the note"
    assert cut(text, len(text)) == text


@pytest.mark.parametrize(
    ("since", "shown"),
    [("2026-11-24T09:00:00Z", "90 s"), ("2026-11-24T08:00:00Z", "61 m"), ("2026-11-20T09:00:00Z", "4 d"), ("", "")],
)
def test_age(since: str, shown: str) -> None:
    assert age(since, datetime(2026, 11, 24, 9, 1, 30, tzinfo=UTC)) == shown


def test_clusters_of_the_service_with_members_and_failures() -> None:
    head, *rows = envoy.cluster_table(CLUSTERS, "llm", "qwen").splitlines()
    assert [row.split()[0] for row in rows] == [
        "outbound|54321||qwen-inference-pool-ip-1234",
        "outbound|9002||qwen-epp-service",
    ]
    assert "10.0.0.5:8000" in rows[0]
    assert "/failed_eds_health" in rows[0]
    assert rows[0][head.index("CX_CONNECT_FAIL") :].startswith("7")
    assert "NO MEMBERS" in rows[1], "this is what answers with 503"
    assert len(envoy.cluster_table(CLUSTERS, "llm").splitlines()) == 4
    assert "qwen-epp" not in envoy.cluster_table(CLUSTERS, "llm", without="qwen-epp")
    assert envoy.cluster_table("", "llm") == ""


def test_access_log_in_json_is_read_by_user_agent_and_id() -> None:
    log = "\n".join(
        [
            access_line("id-1", "suite (case)", 200),
            access_line("id-2", "curl", 503),
            "{broken",
            "info: suite",
            '{"level":"x"}',
        ]
    )
    assert [line.request_id for line in envoy.access_lines(log, ["suite (case)"], [])] == ["id-1"]
    assert [line.request_id for line in envoy.access_lines(log, ["suite (case)"], ["id-2"])] == ["id-1", "id-2"]


def test_access_log_in_text_is_read_by_mention() -> None:
    log = '[2026-11-24T09:00:00Z] "GET / HTTP/1.1" 404 NR "suite (case)" "a"\n[...] "GET / HTTP/1.1" 200 - "curl" "b"'
    lines = envoy.access_lines(log, ["suite (case)"], [])
    assert [line.text[-3:] for line in lines] == ['"a"']
    assert "404 NR" in "\n".join(envoy.access_table(lines, "llm"))


def test_ids_as_sent_as_answered_and_as_the_server_has_it() -> None:
    reply = _reply(body='{"id":"chatcmpl-other"}', answered="answered")
    assert request_ids(reply) == ["sent", "answered", "other"]
    assert request_ids(_reply(body='{"id":"batch-1"}', answered="sent")) == ["sent"]
    assert request_ids(_reply(body="[1]", request_id="")) == []


def test_last_requests_are_told_with_who_answered_and_how_to_ask_again() -> None:
    log = RequestLog(size=2)
    for each in (_reply(request_id="first"), _reply(404, request_id="second"), _reply(request_id="third")):
        log.add(each)
    assert log.ids == {"second", "third"}
    text = "\n".join(log.told(FULL))
    assert text.startswith("the last 2 of 3 requests")
    assert "first" not in text
    assert "request 2: POST http://gateway/ns/qwen/v1/completions" in text
    assert "curl -sS -i -N -X POST" in text
    assert "wish" in text
    assert "wish" not in "\n".join(log.told(KEPT[Detail.MINIMAL]))


def test_case_without_requests() -> None:
    assert list(RequestLog().told(FULL)) == ["this case has sent no request"]


def test_counters_that_moved() -> None:
    before = Exposition('a_total{x="1"} 3\nb_total 5\ngauge 1\nprocess_cpu_seconds_total 1\nc_total 9\n')
    after = Exposition(
        'a_total{x="1"} 4\na_total{x="2"} 2\nb_total 5\ngauge 7\nprocess_cpu_seconds_total 2\nc_total 1\nd_count 1\n'
    )
    assert metrics_diff(before, after) == [
        Moved("a_total", {"x": "1"}, 3, 4),
        Moved("a_total", {"x": "2"}, 0, 2),
        Moved("c_total", {}, 9, 1),
    ]


def test_pods_that_came_and_went() -> None:
    lines = "\n".join(told({"old": Exposition("")}, {"new": Exposition("a_total 1\n")}))
    assert "new: not there before" in lines
    assert "old: not there any more" in lines
    assert "no counter moved" in "\n".join(told({}, {}))


def test_counter_that_began_anew() -> None:
    assert "restarted?" in "\n".join(told({"p": Exposition("a_total 5\n")}, {"p": Exposition("a_total 1\n")}))


def test_metrics_without_any_from_before() -> None:
    found = "\n".join(current({"p": Exposition("vllm:num_requests_running 3\nother_total 1\n")}))
    assert "vllm:num_requests_running" in found
    assert "other" not in found


def test_lines_of_controllers_are_short() -> None:
    line = (
        '{"level":"error","ts":1795512304.946,"logger":"a.b","msg":"cannot","namespace":"llm","reconcileID":"x",'
        '"error":"no endpoints","stacktrace":"main.go","spec":{"a":1}}'
    )
    assert short(line) == '2026-11-24T09:25:04.946Z  error  a.b  cannot  error=no endpoints  spec={"a": 1}'
    for other in ('{"level":"info"}', "2026-11-24T09:25:34Z\tinfo\tads\tPUSH", "{broken", "[1]", ""):
        assert short(other) == other


def test_trouble_is_shown_before_chatter() -> None:
    lines = ["t  error  first", *(f"t  info  {letter}" for letter in "abcdef"), "t\twarn\tlast"]
    assert most_telling(lines, 4) == ["t  error  first", "t  info  e", "t  info  f", "t\twarn\tlast"]
    assert most_telling(lines[1:4], 40) == lines[1:4]
    assert most_telling(["1  info  a", "2  info  b", "3  info  a"], 40) == ["2  info  b", "3  info  a"]
    assert most_telling([], 4) == []


def test_many_similar_lines_are_folded() -> None:
    probes = [f"I1124 09:34:{second} GET /healthz" for second in range(10, 20)]
    between = [line for probe in probes for line in (probe, "and more of it")]
    note = "# [... 4 more like it ...]"
    assert folded(["a", *probes, "b"]) == ["a", probes[0], note, *probes[5:], "b"]
    assert folded(between) == [probes[0], note, "and more of it", note, *between[10:]]
    assert folded(["1", "2", "3", "b"]) == ["1", "2", "3", "b"]
    assert folded([]) == []


def test_mentions_are_whole_words() -> None:
    about = mentions(Subject("llm", "qwen"))
    assert about('"namespace":"llm"')
    assert about("llm/qwen-kserve created")
    assert about("proxy.llm.svc")
    assert not about("llmisvc-controller")
    assert not about("qwen3")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KubeError("GET /x", 403, "forbidden"), "not allowed to list x (403: forbidden)"),
        (KubeError("x", 0, "Handshake status 403 Forbidden -+-+- {}"), "not allowed to list x (403: "),
        (
            KubeError("x", 0, r'Handshake status 403 -+-+- {} -+-+- {"kind":"Status","message":"no \"x\" for you"}'),
            'not allowed to list x (403: no "x" for you)',
        ),
        (KubeError("GET /x", 404, "no"), "cannot list x: there is no such thing on this cluster (404: no)"),
        (KubeError("GET /x", 0, "refused"), "could not list x: no answer: refused"),
    ],
)
def test_refusals_name_what_was_not_allowed(error: KubeError, text: str) -> None:
    assert told_error("list x", error).startswith(text)
