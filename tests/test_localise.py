"""Where a request breaks, from what came back on three ways."""

import pytest

from tools.kube.localise import Probes
from tools.openai.reply import Reply, Request
from tools.probe.verdict import Verdict


def _reply(status: int) -> Reply:
    return Reply(Request("GET", "http://203.0.113.1/v1/models", {}), Verdict.HTTP, status)


@pytest.mark.parametrize(
    ("direct", "by_service", "by_pool", "words"),
    [
        ({"a": ""}, 200, [200, 200], ""),
        ({}, 503, [503], "there is no server pod"),
        ({"a": "refused"}, 503, [503], "at the servers"),
        ({"a": "refused", "b": ""}, 200, [503, 200], "at some servers: ['a']"),
        ({"a": ""}, 404, [404], "between gateway and servers"),
        ({"a": ""}, 200, [200, 500, 200], "between gateway and picker"),
    ],
)
def test_place_of_the_break(direct: dict[str, str], by_service: int, by_pool: list[int], words: str) -> None:
    found = Probes(direct, _reply(by_service), tuple(map(_reply, by_pool)))
    assert found.whole is (not words)
    assert words in found.place
    assert len(found.told) == len(direct) + 1 + len(by_pool)
