"""The http_* families that prometheus-fastapi-instrumentator adds to vLLM's /metrics, with its rules.

Paths that no route knows go under the handler `none`; the paths in EXCLUDED are not counted at all; sizes are those of
the Content-Length header, 0 when there is none (a stream).
"""

from tools.simulator.exposition import Counter, Family, Histogram, Summary

EXCLUDED = frozenset({"/metrics", "/health", "/load", "/ping", "/version", "/server_info"})
_SIZE_NOTE = "by handler. Only value of header is respected. Otherwise ignored. No percentile calculated. "
_FINE_BOUNDS = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 7.5, 10, 30, 60,
)  # fmt: skip
_COARSE_BOUNDS = (0.1, 0.5, 1)


class HttpMetrics:
    """Counts finished HTTP exchanges by handler, method and class of status."""

    def __init__(self) -> None:
        self._requests = Family("http_requests", "counter", "Total number of requests by method, status and handler.")
        self._request_size = Family(
            "http_request_size_bytes", "summary", f"Content length of incoming requests {_SIZE_NOTE}"
        )
        self._response_size = Family(
            "http_response_size_bytes", "summary", f"Content length of outgoing responses {_SIZE_NOTE}"
        )
        self._fine = Family(
            "http_request_duration_highr_seconds",
            "histogram",
            "Latency with many buckets but no API specific labels. Made for more accurate percentile calculations. ",
        )
        self._coarse = Family(
            "http_request_duration_seconds",
            "histogram",
            "Latency with only few buckets by handler. Made to be only used if aggregation by handler is important. ",
        )
        self._all = self._fine.add(Histogram("http_request_duration_highr_seconds", {}, _FINE_BOUNDS))
        self._counts: dict[tuple[str, str, str], Counter] = {}
        self._in: dict[str, Summary] = {}
        self._out: dict[str, Summary] = {}
        self._durations: dict[tuple[str, str], Histogram] = {}

    def observe(
        self, handler: str, method: str, status: int, *, request_bytes: int, response_bytes: int, seconds: float
    ) -> None:
        """Count one exchange that is over.

        Args:
            handler: path of the route, or `none`.
            method: HTTP method.
            status: of the response.
            request_bytes, response_bytes: Content-Length, 0 when there was none.
            seconds: from the request's headers to the end of the response.
        """
        group = f"{status // 100}xx"
        labels = {"handler": handler, "method": method}
        count = self._counts.get((handler, method, group))
        if count is None:
            count = self._requests.add(Counter("http_requests", {**labels, "status": group}))
            self._counts[handler, method, group] = count
        if handler not in self._in:
            by_handler = {"handler": handler}
            self._in[handler] = self._request_size.add(Summary("http_request_size_bytes", by_handler))
            self._out[handler] = self._response_size.add(Summary("http_response_size_bytes", by_handler))
        duration = self._durations.get((handler, method))
        if duration is None:
            duration = self._coarse.add(Histogram("http_request_duration_seconds", labels, _COARSE_BOUNDS))
            self._durations[handler, method] = duration
        count.inc()
        self._in[handler].observe(request_bytes)
        self._out[handler].observe(response_bytes)
        self._all.observe(seconds)
        duration.observe(seconds)

    def text(self) -> str:
        """The families in the text format."""
        families = (self._requests, self._request_size, self._response_size, self._fine, self._coarse)
        return "".join(family.text() for family in families)
