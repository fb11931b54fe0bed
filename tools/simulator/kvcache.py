"""The prefix cache as a set of block identities: enough for the counters, no tensors."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence


def blocks_for(tokens: int, block_size: int) -> int:
    """Blocks that so many tokens occupy."""
    return -(-tokens // block_size)


class PrefixCache:
    """Remembers full prompt blocks, least recently used first out.

    A block is identified by its tokens and all before it, as in vLLM. Unlike there, blocks of generated text are not
    remembered, so the next turn of a conversation hits on the former prompt only.

    Args:
        block_size: tokens in a block.
        capacity: blocks remembered at most.
    """

    def __init__(self, block_size: int, capacity: int) -> None:
        self._block_size = block_size
        self._capacity = capacity
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def admit(self, prompt: Sequence[str]) -> int:
        """Remember a prompt and return how many of its tokens were known already."""
        cached = self.lookup(prompt)
        self.remember(prompt)
        return cached

    def lookup(self, prompt: Sequence[str]) -> int:
        """How many tokens of a prompt are known.

        The last token is always computed anew (a model must have one to work on), so only blocks before it count.
        """
        known = 0
        for identity in self._identities(prompt):
            if identity not in self._blocks:
                break
            known += 1
        return min(known, (len(prompt) - 1) // self._block_size) * self._block_size

    def remember(self, prompt: Sequence[str]) -> None:
        """Know the blocks of a prompt from now on, as the most recently used."""
        for identity in self._identities(prompt):
            self._blocks[identity] = None
            self._blocks.move_to_end(identity)
        while len(self._blocks) > self._capacity:
            self._blocks.popitem(last=False)

    def _identities(self, prompt: Sequence[str]) -> Iterator[int]:
        identity = 0
        for start in range(0, len(prompt) - self._block_size + 1, self._block_size):
            identity = hash((identity, tuple(prompt[start : start + self._block_size])))
            yield identity
