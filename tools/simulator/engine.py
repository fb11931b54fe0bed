"""What a request generates and when: pure functions of the request, so that every answer can be repeated.

A real model ends its answer by itself; here the length of an answer is drawn between NATURAL_TOKENS, from the same
source as its words (prompt, seed and choice index). Temperature and the other sampling numbers change nothing.
"""

import hashlib
import random
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from tools.simulator.tokens import VOCABULARY

NATURAL_TOKENS = (32, 256)
_WORDS = tuple(f" {word}" for word in VOCABULARY)


@dataclass(frozen=True)
class Sampling:
    """What of a request decides the output.

    Args:
        max_tokens: at most so many tokens, at least 1.
        min_tokens: the answer neither ends by itself nor by a stop string before it has more tokens than this.
        seed: None is the same as 0 (vLLM draws at random; a stand-in that repeats itself is easier to check).
        stop: texts that end the answer.
        include_stop: keep the stop text in the output.
        ignore_eos: never end by itself.
        opens_reply: the first word comes without a space before it (a chat reply), unlike a continued text.
    """

    max_tokens: int
    min_tokens: int = 0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    include_stop: bool = False
    ignore_eos: bool = False
    opens_reply: bool = False


@dataclass(frozen=True)
class Generation:
    """One sequence: the text that each token adds (may be empty), and why it ended.

    `finish_reason` is `stop` (by itself or by a stop text, which is then `stop_reason`) or `length`.
    """

    deltas: tuple[str, ...]
    finish_reason: str
    stop_reason: str | None = None

    @property
    def text(self) -> str:
        """The whole output text."""
        return "".join(self.deltas)


@dataclass(frozen=True)
class Timing:
    """When tokens are due: `ttft_s` after scheduling the first, each further one `itl_s` later (seconds)."""

    ttft_s: float
    itl_s: float

    def due(self, position: int) -> float:
        """Seconds from scheduling to the token at this position (the first is 0)."""
        return self.ttft_s + position * self.itl_s


def generate(prompt: Sequence[str], sampling: Sampling, index: int = 0) -> Generation:
    """Return the answer to a prompt for the choice `index` of a request with n choices."""
    draw = random.Random(_entropy(prompt, sampling.seed or 0, index))
    natural = max(draw.randint(*NATURAL_TOKENS), sampling.min_tokens + 1)
    ends = not sampling.ignore_eos and natural <= sampling.max_tokens
    # The end-of-sequence token counts as a token and adds no text, as in vLLM.
    words = draw.choices(_WORDS, k=natural - 1 if ends else sampling.max_tokens)
    if words and sampling.opens_reply:
        words[0] = words[0].lstrip()
    deltas = [*words, ""] if ends else words
    reason = "stop" if ends else "length"
    if sampling.stop:
        return _cut_at_stop(deltas, reason, sampling)
    return Generation(tuple(deltas), reason)


def with_echo(generation: Generation, prompt_text: str, *, only: bool) -> Generation:
    """The prompt before the answer, in its first token's text; or `only` the prompt, at the price of one token."""
    if only:
        return Generation((prompt_text,), "length")
    first, *rest = generation.deltas
    return Generation((prompt_text + first, *rest), generation.finish_reason, generation.stop_reason)


def _entropy(prompt: Sequence[str], seed: int, index: int) -> int:
    digest = hashlib.blake2b(f"{seed}/{index}/".encode(), digest_size=16)
    digest.update("\0".join(prompt).encode("utf-8", "surrogatepass"))
    return int.from_bytes(digest.digest(), "big")


def _cut_at_stop(deltas: Sequence[str], reason: str, sampling: Sampling) -> Generation:
    """Apply stop texts as vLLM's detokenizer does.

    The first token that completes one, after `min_tokens`, ends the answer; of several completed by the same token the
    first in the request's order counts. Text that may be the beginning of one is held back until that is decided.
    """
    text = "".join(deltas)
    ends = list(accumulate(map(len, deltas)))
    exempt = ends[min(sampling.min_tokens, len(ends)) - 1] if sampling.min_tokens else 0
    hits = []
    for order, stop in enumerate(sampling.stop):
        at = text.find(stop, max(0, exempt - len(stop) + 1))
        if at >= 0:
            hits.append((bisect_left(ends, at + len(stop)), order, at))
    if not hits:
        return Generation(_held_back(text, ends, sampling), reason)
    last, order, at = min(hits)
    stop = sampling.stop[order]
    end = at + len(stop) if sampling.include_stop else at
    return Generation(_held_back(text[:end], ends[: last + 1], sampling), "stop", stop)


def _held_back(text: str, ends: Sequence[int], sampling: Sampling) -> tuple[str, ...]:
    """What each token adds when the longest possible beginning of a stop text waits; the last one brings the rest."""
    held = 0 if sampling.include_stop else max(map(len, sampling.stop)) - 1
    sent = [max(0, end - held) for end in ends[:-1]]
    return tuple(text[start:end] for start, end in zip([0, *sent], [*sent, len(text)], strict=True))
