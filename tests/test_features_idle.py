"""Whether a service is exclusively ours: two looks at its servers."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tools.features.idle import busy, idle
from tools.kube.errors import KubeError
from tools.metrics.exposition import Exposition

RECORDED = (Path(__file__).parent / "data" / "vllm-0.16.0-metrics.txt").read_text()


def scrape(finished: float = 6, running: float = 0) -> Exposition:
    return Exposition(
        f'vllm:request_success_total{{finished_reason="stop"}} {finished}\nvllm:num_requests_running {running}\n'
    )


def two(first: Mapping[str, Exposition], second: Mapping[str, Exposition]) -> Iterator[Mapping[str, Exposition]]:
    return iter([first, second])


def test_counters_that_stand_still() -> None:
    assert busy({"a": Exposition(RECORDED)}, {"a": Exposition(RECORDED)}) == []


def test_any_use_is_told() -> None:
    assert busy({"a": scrape(6)}, {"a": scrape(7)}) == ["a: vllm:request_success_total went from 6 to 7"]
    assert busy({"a": scrape(running=1)}, {"a": scrape()}) == ["a: vllm:num_requests_running is 1"]
    assert busy({"a": scrape()}, {"b": scrape()}) == ["a came or went", "b came or went"]


@pytest.mark.parametrize(
    ("second", "present", "words"),
    [
        ({"a": scrape(6)}, True, "1 servers, nothing moved in 3 s"),
        ({"a": scrape(8)}, False, "somebody else uses it: a: vllm:request_success_total went from 6 to 8"),
        ({}, None, "there is no server"),
    ],
)
def test_feature(second: Mapping[str, Exposition], present: bool | None, words: str) -> None:
    looks, paused = two({"a": scrape(6)}, second), list[float]()
    found = idle(lambda: next(looks), 3, paused.append)
    assert found.present is present
    assert words in found.have
    assert paused == [3]


def test_servers_that_cannot_be_read() -> None:
    def refused() -> Mapping[str, Exposition]:
        raise KubeError("port-forward to pod/a:8000/metrics", 403, "Forbidden")

    found = idle(refused, 3, lambda _: None)
    assert found.present is None
    assert "403: Forbidden" in found.have
