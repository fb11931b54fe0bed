"""Faults of what becomes of a request's body at the gateway: answers are 200, and to another question."""

from collections.abc import Iterator

from tools.faults.common import answers
from tools.faults.envoy import filtered, lua
from tools.faults.fault import fault
from tools.kube.llm_service import LlmService
from tools.openai.client import Client
from tools.openai.reply import Reply

# As of a gateway that passes on what it knows. Names of the same length, so that no length has to be put right.
_LOST = ("stop", "seed", "n", "stream_options", "ignore_eos", "max_completion_tokens", "echo")
_BODY = """
function envoy_on_request(handle)
  local body = handle:body()
  if body == nil or body:length() == 0 then return end
  local text = body:getBytes(0, body:length())
%s
  body:setBytes(text)
end
"""


@fault(breaks_gateway=True)
def fields_lost(service: LlmService) -> Iterator[None]:
    """The gateway passes on the fields of a request that it knows, and neither stop, seed, n nor options of streams."""
    lines = [f"""  text = text:gsub('"{name}":', '"{"_" * len(name)}":')""" for name in _LOST]

    def lost(client: Client) -> Reply:
        return client.complete(n=2)

    with filtered(
        service,
        "fields_lost",
        [lua(_BODY % "\n".join(lines))],
        answers(service, lost, lambda reply: len((reply.json or {}).get("choices", [])) == 1),
    ):
        yield


@fault(breaks_gateway=True)
def characters_lost(service: LlmService) -> Iterator[None]:
    """The gateway puts a question mark for every byte of a request that is not ASCII."""

    def echoed(client: Client) -> Reply:
        body = f'{{"model": "{client.model}", "prompt": "é", "echo": true, "max_tokens": 1}}'
        return client.send_text("/v1/completions", body)

    with filtered(
        service,
        "characters_lost",
        [lua(_BODY % "  text = text:gsub('[\\128-\\255]', '?')")],
        answers(service, echoed, lambda reply: reply.status == 200 and "??" in reply.body),
    ):
        yield
