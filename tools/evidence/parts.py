"""Parts of evidence, collected side by side, each bounded in time and size and none able to hide another."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tools.evidence.reading import Unread
from tools.evidence.text import cut
from tools.redact import Redactor


@dataclass(frozen=True)
class Part:
    """A part of the evidence.

    Attributes:
        title: its heading.
        read: gives its blocks of text, one after the other; those that are there when time is up are kept.
        nothing: what is said when it gives none.
        block, limit: characters that are kept of each block, and of all.
    """

    title: str
    read: Callable[[], Iterable[str]]
    nothing: str = "nothing"
    block: int = 24_000
    limit: int = 96_000


@dataclass
class _Running:
    part: Part
    blocks: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self, redactor: Redactor) -> None:
        try:
            for block in self.part.read():
                # Hidden before anything is cut, or half of a secret would be left.
                self.blocks.append(cut(redactor.text(block), self.part.block))
        except Unread as error:
            self.blocks.append(redactor.text(f"({error})"))
        except Exception as error:
            # Whatever it is: the failure that this is evidence of must be told.
            self.blocks.append(redactor.text(f"(could not be told: {type(error).__name__}: {error})"))
        finally:
            self.ended.set()

    def text(self, redactor: Redactor, seconds: float) -> str:
        done, blocks = self.ended.is_set(), [block for block in list(self.blocks) if block]
        if not done:
            rest = "the rest was not collected" if blocks else "not collected"
            blocks.append(f"({rest}: no time left, evidence may take {seconds:g} s)")
        # Once more, with what has been learned since.
        return cut(redactor.text("\n".join(blocks)), self.part.limit) or self.part.nothing


def collect_parts(parts: Iterable[Part], redactor: Redactor, ends: float, seconds: float) -> Mapping[str, str]:
    """Texts by title, in the order of the parts.

    Args:
        parts: what to read.
        redactor: hides secrets in all of it.
        ends: by the monotonic clock; what is not there then is left out, and said so.
        seconds: the same as a duration, for that text.
    """
    running = [_Running(part) for part in parts]
    for each in running:
        # Not waited for at the program's end, because some server may never answer.
        threading.Thread(target=each.run, args=(redactor,), name=f"evidence: {each.part.title}", daemon=True).start()
    for each in running:
        each.ended.wait(max(0.0, ends - time.monotonic()))
    return {each.part.title: each.text(redactor, seconds) for each in running}
