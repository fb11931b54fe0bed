"""Whether generated text can be a model's: what broken weights, caches and number formats write can not. Pure."""

from collections import Counter
from itertools import pairwise

# Shorter texts say nothing.
_WORDS = 8
# Of any text that people write, and of what models write of it, far fewer are the same; loops of a model that is
# merely bored are of several words.
_SAME = 0.6
_REPLACEMENT = "\ufffd"


def trouble(text: str) -> list[str]:
    """What shows that no model wrote a text, one line each; a text of a few words is never doubted for its words."""
    wrong = [] if text.strip() else ["it is empty, or blanks alone"]
    wrong += [f"it has {text.count(_REPLACEMENT)} characters that could not be decoded"] if _REPLACEMENT in text else []
    control = sorted({each for each in text if ord(each) < 32 and each not in "\t\n\r"})
    wrong += [f"it has control characters: {control!r}"] if control else []
    letters = [each for each in text if not each.isspace()]
    if len(letters) >= 4 * _WORDS:
        wrong += _most("character", Counter(letters), len(letters))
    if len(letters) >= _WORDS and not any(each.isalpha() for each in letters):
        wrong.append("there is no letter in it")
    words = text.split()
    if len(words) >= _WORDS:
        wrong += _most("word", Counter(words), len(words))
        same = sum(first == second for first, second in pairwise(words))
        wrong += [f"{same} of {len(words)} words repeat the one before"] if same > _SAME * len(words) else []
    return list(dict.fromkeys(wrong))


def alike(texts: list[str]) -> bool:
    """Whether answers to different prompts are one and the same, as if nobody had read them."""
    return len(texts) > 1 and len(set(texts)) == 1


def _most(what: str, counted: Counter[str], of: int) -> list[str]:
    most, times = counted.most_common(1)[0]
    return [f"the {what} {most!r} is {times} of {of}"] if times > _SAME * of else []
