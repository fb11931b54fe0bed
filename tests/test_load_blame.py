"""Who broke a request: gateway, picker or pod."""

import pytest

from tests.load_records import record
from tools.load.blame import Culprit, attribute, tally
from tools.load.record import ErrorKind, RequestRecord

_CUT = "ClientPayloadError: Response payload is not completed"


@pytest.mark.parametrize(
    ("flags", "details", "culprit"),
    [
        ("UH", "no_healthy_upstream", Culprit.POD),
        ("UF,URX", "upstream_reset_before_response_started{connection_failure}", Culprit.POD),
        ("UC", "upstream_reset_after_response_started{connection_termination}", Culprit.POD),
        ("-", "ext_proc_error_gRPC_error_14", Culprit.PICKER),
        ("UAEX", "ext_proc_error", Culprit.PICKER),
        ("-", "via_upstream", Culprit.POD),
        ("NR", "route_not_found", Culprit.GATEWAY),
        ("DC", "downstream_remote_disconnect", Culprit.GATEWAY),
    ],
)
def test_the_access_log_knows_best(flags: str, details: str, culprit: Culprit) -> None:
    line = {"response_flags": flags, "response_code_details": details}
    found = attribute(record(1, ErrorKind.HTTP, status=503), line)
    assert found.culprit is culprit
    assert details in found.sign


@pytest.mark.parametrize(
    ("failed", "culprit"),
    [
        (record(1, ErrorKind.HTTP, status=503, body="no healthy upstream"), Culprit.POD),
        (record(1, ErrorKind.HTTP, status=503, body="upstream connect error or disconnect/reset"), Culprit.POD),
        (record(1, ErrorKind.TRUNCATED, problem=_CUT), Culprit.GATEWAY),
        (record(1, ErrorKind.IN_BAND, body='{"error": "engine dead"}'), Culprit.POD),
        (record(1, ErrorKind.CONNECT, status=0, pod="", problem="refused"), Culprit.GATEWAY),
        (record(1, ErrorKind.RESET, status=0, pod="", problem="reset"), Culprit.GATEWAY),
        (record(1, ErrorKind.TIMEOUT, status=0, pod="", problem="ReadTimeout"), Culprit.GATEWAY),
        (record(1, ErrorKind.UNTOLD, status=0, pod="", problem="no such host"), Culprit.INSTRUMENT),
    ],
)
def test_without_a_line_the_answer_tells(failed: RequestRecord, culprit: Culprit) -> None:
    assert attribute(failed).culprit is culprit
    assert attribute(failed, {"response_flags": "-"}).culprit is culprit


def test_a_cut_stream_of_a_pod_that_leaves_is_the_pods() -> None:
    cut = record(1, ErrorKind.TRUNCATED, pod="leaving", problem=_CUT)
    assert attribute(cut, leaving=["leaving"]).culprit is Culprit.POD
    assert attribute(cut, leaving=["another"]).culprit is Culprit.GATEWAY
    assert "of leaving" in str(attribute(cut, leaving=["leaving"]))


def test_a_tally_has_the_most_first() -> None:
    found = [attribute(record(1, ErrorKind.HTTP, status=503, body="no healthy upstream")) for _ in range(2)]
    found.append(attribute(record(1, ErrorKind.CONNECT, status=0, pod="")))
    assert tally(found) == "2 on the pod, 1 on the gateway"
    assert tally([]) == ""
