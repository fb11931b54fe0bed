"""What comes through the gateway is what the server itself says."""

import pytest

from suites.server import inside
from tools.cases.capabilities import FORWARD
from tools.explain import bullets, check
from tools.faults import fields, http, streams
from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.forms import PATH, differences, digest, forms


@pytest.mark.conformance(
    name="server-answers-alike-through-the-gateway",
    level="core",
    requires=[FORWARD],
    fault=[
        fields.fields_lost.shows("plain:", "from the server itself"),
        fields.characters_lost.shows("raw UTF-8", "??"),
        http.expectation_refused.shows("Expect: 100-continue: status is 417"),
        streams.streams_relabelled.shows("text/plain"),
    ],
    checks=["gateway"],
)
def test_answers_alike(service: LlmService, client: Client) -> None:
    """Every form of a request gets the same answer through the gateway as from the server itself inside its pod."""
    pod = service.servers()[0]
    wrong, first = [], ""
    for form in forms(client.model):
        own = inside.send(service, pod, PATH, form.body, form.all_headers)
        through = client.send_text(PATH, form.body, form.headers)
        seen = through.problem or differences(
            digest(own.status, own.headers, own.body), digest(through.status, through.headers, through.body)
        )
        lines = [seen] if isinstance(seen, str) else seen
        first = first or (through.request.curl if lines else "")
        wrong += [f"{form.name}: {line}" for line in lines]
    check(
        not wrong,
        "for every form of a request the server's own answer, unchanged",
        bullets(wrong),
        cause="a filter of the gateway, the picker or a proxy changes requests or answers",
        next_step=first,
    )
