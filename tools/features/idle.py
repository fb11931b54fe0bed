"""Whether nobody else uses a service: its counters stand still while the suite does nothing."""

import time
from collections.abc import Callable, Mapping

from tools.features.feature import Feature
from tools.kube.errors import KubeError
from tools.metrics import vllm
from tools.metrics.exposition import Exposition
from tools.metrics.scrape import ScrapeRefused

NAME = "idle-counters"
# Counters that any request moves, and gauges that a request which is still being answered holds up.
_COUNTERS = (vllm.FINISHED, vllm.PROMPT_TOKENS, vllm.GENERATED_TOKENS)
_GAUGES = (vllm.RUNNING, vllm.WAITING)


def busy(before: Mapping[str, Exposition], after: Mapping[str, Exposition]) -> list[str]:
    """What shows use between two scrapes of the servers, by pod, one line each; empty if there was none. Pure."""
    rows = [f"{pod} came or went" for pod in sorted(before.keys() ^ after.keys())]
    for pod in sorted(before.keys() & after.keys()):
        first, second = before[pod], after[pod]
        rows += [
            f"{pod}: {names[0]} went from {first.total(names):g} to {second.total(names):g}"
            for names in _COUNTERS
            if first.total(names) != second.total(names)
        ]
        rows += [
            f"{pod}: {names[0]} is {value:g}"
            for names in _GAUGES
            if (value := max(first.total(names), second.total(names)))
        ]
    return rows


def idle(
    scrape: Callable[[], Mapping[str, Exposition]], seconds: float, pause: Callable[[float], None] = time.sleep
) -> Feature:
    """Look at a service's servers twice.

    Args:
        scrape: `/metrics` of every server, by pod.
        seconds: between the two looks; use that is rarer goes unseen.
        pause: waits.
    """
    where = f"/metrics of every server, twice, {seconds:g} s apart"
    try:
        before = scrape()
        pause(seconds)
        after = scrape()
    except (KubeError, ScrapeRefused, ValueError) as error:
        return Feature(NAME, None, f"could not be told: {error}", where)
    if not after:
        return Feature(NAME, None, "could not be told: there is no server", where)
    if used := busy(before, after):
        return Feature(NAME, False, f"somebody else uses it: {'; '.join(used)}", where)
    return Feature(NAME, True, f"{len(after)} servers, nothing moved in {seconds:g} s", where)
