"""What histograms and names of metrics say."""

from pathlib import Path

import pytest

from tools.metrics import picker, vllm
from tools.metrics.exposition import Exposition
from tools.metrics.histogram import Fed, fed
from tools.metrics.plausible import implausible

DATA = Path(__file__).resolve().parent / "data"
GOOD = {
    "time to first token": Fed(1, 0.02),
    "request latency": Fed(1, 0.12),
    "time between tokens": Fed(19, 0.1),
    "generated tokens of a request": Fed(1, 20),
}


def test_a_recorded_server_has_fed_its_histograms() -> None:
    recorded = Exposition((DATA / "vllm-0.16.0-metrics.txt").read_text())
    for names in (vllm.TIME_TO_FIRST_TOKEN, vllm.TIME_BETWEEN_TOKENS, vllm.REQUEST_LATENCY, vllm.REQUEST_GENERATED):
        found = fed([recorded], names)
        assert found.count > 0
        assert found.total > 0
        assert fed([recorded, recorded], names).since(found) == found


def test_an_older_name_is_read_where_the_newer_is_not_there() -> None:
    text = "vllm:time_per_output_token_seconds_count 3\nvllm:time_per_output_token_seconds_sum 0.3\n"
    assert fed([Exposition(text)], vllm.TIME_BETWEEN_TOKENS) == Fed(3, 0.3)
    assert fed([Exposition(text)], vllm.REQUEST_LATENCY) == Fed(0, 0)


def test_plausible_histograms_are_plausible() -> None:
    assert implausible(GOOD, 0.03, 0.13, 20) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"time to first token": Fed(0, 0)}, "time to first token: 0 observations, not 1"),
        ({"time to first token": Fed(1, 0)}, "not between 0 and 0.0300"),
        ({"time to first token": Fed(1, 0.031)}, "not between 0 and 0.0300"),
        ({"time to first token": Fed(1, 20)}, "time to first token: 20.0000 s"),
        ({"request latency": Fed(2, 0.1)}, "request latency: 2 observations"),
        ({"request latency": Fed(1, 0.2)}, "request latency: 0.2000 s"),
        ({"time between tokens": Fed(0, 0)}, "time between tokens: 0 observations"),
        ({"time between tokens": Fed(20, 0.1)}, "time between tokens: 20 observations"),
        ({"time between tokens": Fed(19, 0.5)}, "time between tokens: 0.5000 s in all"),
        ({"generated tokens of a request": Fed(1, 19)}, "not one of 20"),
    ],
)
def test_what_a_histogram_cannot_have_seen_is_said(changed: dict[str, Fed], words: str) -> None:
    assert words in "\n".join(implausible(GOOD | changed, 0.03, 0.13, 20))


def _with(names: tuple[str, ...]) -> Exposition:
    return Exposition("".join(f"{name} 1\n" for name in names))


@pytest.mark.parametrize("generation", picker.GENERATIONS)
def test_a_whole_generation_of_pickers_is_enough(generation: str) -> None:
    assert picker.missing(_with(picker.GENERATIONS[generation])) == []


def test_what_a_generation_lacks_is_said_of_the_nearest() -> None:
    names = picker.GENERATIONS["Inference Extension 1.1 to 1.5"]
    assert picker.missing(_with(names[1:])) == [f"{names[0]} (Inference Extension 1.1 to 1.5)"]
    assert len(picker.missing(_with(("go_goroutines",)))) > 4
