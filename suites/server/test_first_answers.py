"""Ready means that it answers, or will in a moment."""

from collections.abc import Callable

import pytest

from fixtures.answering import Answering
from fixtures.measure import Record
from tools.cases.capabilities import TRAFFIC
from tools.faults import server, workload


@pytest.mark.conformance(
    name="server-answers-soon-after-ready",
    level="core",
    requires=[TRAFFIC],
    fault=[
        workload.servers_stopped.shows("HTTP 503", "answered by the endpoint picker", "knows no ready pod"),
        server.ready_too_soon.shows("HTTP 503", "not loaded yet"),
    ],
    checks=["gateway"],
)
def test_answers_soon_after_ready(answering: Callable[[], Answering], record: Record) -> None:
    """Completions through the gateway are answered, several in a row, within the budget after Ready."""
    found = answering()
    record("time from Ready to answers", found.seconds, found.budget, f"after {found.failed} that were not good")
    if found.problem:
        raise found.problem.with_traceback(None)
