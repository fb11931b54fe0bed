"""What a server's histograms can have seen of one streamed request, by its client's own clock. Pure."""

from collections.abc import Mapping

from tools.metrics import vllm
from tools.metrics.histogram import Fed

_FIRST, _WHOLE = "time to first token", "request latency"
_BETWEEN, _TOKENS = "time between tokens", "generated tokens of a request"
HISTOGRAMS: Mapping[str, tuple[str, ...]] = {
    _FIRST: vllm.TIME_TO_FIRST_TOKEN,
    _WHOLE: vllm.REQUEST_LATENCY,
    _BETWEEN: vllm.TIME_BETWEEN_TOKENS,
    _TOKENS: vllm.REQUEST_GENERATED,
}


def implausible(told: Mapping[str, Fed], first: float, last: float, tokens: int) -> list[str]:
    """What histograms cannot have seen, one line each.

    Args:
        told: by the names of HISTOGRAMS, what came with the request.
        first, last: seconds from its sending to the first and to the last part of its answer.
        tokens: that were generated.
    """
    wrong = []
    for what, limit in ((_FIRST, first), (_WHOLE, last)):
        seen = told[what]
        wrong += [] if seen.count == 1 else [f"{what}: {seen.count:g} observations, not 1"]
        wrong += [] if 0 < seen.total <= limit else [f"{what}: {seen.total:.4f} s, not between 0 and {limit:.4f} s"]
    between = told[_BETWEEN]
    # Several tokens of one step are one observation.
    wrong += [] if 0 < between.count < tokens else [f"{_BETWEEN}: {between.count:g} observations"]
    wrong += [] if between.total <= told[_WHOLE].total else [f"{_BETWEEN}: {between.total:.4f} s in all"]
    counted = told[_TOKENS]
    return [*wrong, *([] if counted == Fed(1, tokens) else [f"{_TOKENS}: {counted}, not one of {tokens}"])]
