"""Records as tests need them: when they were sent and how they ended."""

from tools.load.record import NANOSECONDS, POD, ErrorKind, RequestRecord
from tools.openai.reply import Request

ENVOY = {"server": "istio-envoy"}


def record(
    sent: float,
    kind: ErrorKind = ErrorKind.NONE,
    *,
    took: float = 0.1,
    status: int = 200,
    pod: str = "a",
    body: str = "",
    problem: str = "",
    streamed: bool = False,
) -> RequestRecord:
    """One that was sent and took some seconds; of a failed one with another status the gateway answered."""
    request = Request("POST", "http://gateway/v1/completions", {}, id=f"id-{sent:g}")
    start, end = int(sent * NANOSECONDS), int((sent + took) * NANOSECONDS)
    headers = {POD: pod, "x-envoy-upstream-service-time": "3", **ENVOY} if status == 200 and pod else dict(ENVOY)
    return RequestRecord(
        request,
        streamed,
        start,
        start,
        end,
        status=status,
        headers=headers,
        body=body,
        error_kind=kind,
        problem=problem,
    )
