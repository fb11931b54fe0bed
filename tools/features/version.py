"""Versions out of texts: image tags, labels, `gitVersion`. Pure."""

import re

_NUMBER = re.compile(r"(?<![\w.])v?(\d+\.\d+(?:\.\d+)?)(?![\d.]*\.\d)")


def guess(text: str) -> str:
    """The number of a version, `1.33.5` of `v1.33.5-gke.1080000`; empty if there is none."""
    found = _NUMBER.search(text)
    return found[1] if found else ""


def tag(image: str) -> str:
    """The tag of an image's reference; empty if it has none, as with a digest alone."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2]


def at_least(version: str, least: str) -> bool:
    """Whether a guessed version is this one or newer; what it leaves out counts as zero, an unknown one is not."""
    return bool(version) and _numbers(version) >= _numbers(least)


def _numbers(version: str) -> tuple[int, ...]:
    found = tuple(int(each) for each in version.split("."))
    return found + (0,) * (3 - len(found))
