"""The page can be read: every text has enough contrast to its ground, in the light, in the dark and on paper."""

import re

import pytest

from tools.report import summary

CSS = summary.STYLE.read_text()
ENOUGH = 4.5
TONES = ["passed", "failed", "known-issue", "broken", "skipped", "not-supported", "not-run", "unknown", "warning"]
PLAIN = [(text, ground) for text in ("ink", "soft", "link") for ground in ("card", "ground")]
PAIRS = [*PLAIN, ("ink", "code"), *((tone, ground) for tone in TONES for ground in (f"{tone}-ground", "card"))]
MEDIA = {"light": "", "dark": "prefers-color-scheme: dark", "paper": "print"}


def blocks(condition: str) -> str:
    """The rules below an @media condition; without one those outside of any."""
    found = re.findall(r"^@media ([^{]+?) \{\n(.*?)^\}", CSS, re.MULTILINE | re.DOTALL)
    if not condition:
        return re.sub(r"^@media [^{]+ \{\n.*?^\}", "", CSS, flags=re.MULTILINE | re.DOTALL)
    return "\n".join(text for head, text in found if condition in head)


def colours(selector: str, medium: str) -> dict[str, str]:
    """Custom properties of a selector as a medium has them."""
    found: dict[str, str] = {}
    for condition in ("", MEDIA[medium]):
        for body in re.findall(rf"^ *{re.escape(selector)} \{{(.*?)\}}", blocks(condition), re.MULTILINE | re.DOTALL):
            found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", body))
    return found


def contrast(one: str, other: str) -> float:
    """Of two colours, as WCAG 2 defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_measure_is_right() -> None:
    assert round(contrast("#000000", "#ffffff"), 1) == 21.0
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize("medium", MEDIA)
def test_every_text_has_contrast(medium: str) -> None:
    found = colours(":root", medium)
    weak = {pair: round(contrast(found[pair[0]], found[pair[1]]), 2) for pair in PAIRS}
    assert {pair: value for pair, value in weak.items() if value < ENOUGH} == {}


@pytest.mark.parametrize("medium", ["light", "dark"])
@pytest.mark.parametrize("verdict", ["releasable", "rehearsal", "not-releasable", "inconclusive"])
def test_banner_has_contrast(verdict: str, medium: str) -> None:
    found = colours(f".{verdict}", medium)
    assert contrast(found["banner"], found["banner-ink"]) >= ENOUGH


@pytest.mark.parametrize("verdict", ["releasable", "not-releasable", "inconclusive"])
def test_verdict_has_contrast_on_paper(verdict: str) -> None:
    assert contrast(colours(f".{verdict}", "light")["banner"], "#ffffff") >= ENOUGH


def test_every_tone_is_used_and_measured() -> None:
    assert set(re.findall(r"--tone: var\(--([\w-]+)\)", CSS)) == set(TONES)
    used = set(re.findall(r"var\(--([\w-]+)\)", CSS)) - {"tone", "tone-ground"}
    assert used <= set(colours(":root", "light"))
