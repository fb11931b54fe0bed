"""A probe asked again and again while what it asks about is denied, and let through again: as canaries do."""

import time
from collections.abc import Callable

from tools.features.canary_verdict import DENIED, Probe, Seen


def felt(probe: Callable[[], Probe], deny: Callable[[], object], lift: Callable[[], object], within: float) -> Seen:
    """Control, denial, probes, its end, control: what a probe says of something that denies what it asks.

    Args:
        probe: asks once.
        deny, lift: make and remove what denies; `lift` is called whatever happens, if `deny` was.
        within: seconds that each of the two may take to be felt.

    Returns:
        What was seen; without more than the first answer if that was a denial already.
    """
    before = probe()
    if before is not Probe.ALLOWED:
        return Seen(before)
    started = time.monotonic()
    try:
        deny()
        under = probes_until(probe, lambda seen: seen in DENIED, within)
        spent = time.monotonic() - started
    finally:
        lift()
    after = probes_until(probe, lambda seen: seen is Probe.ALLOWED, within)
    return Seen(before, under, after, spent)


def probes_until(probe: Callable[[], Probe], enough: Callable[[Probe], bool], seconds: float) -> list[Probe]:
    """What a probe said, until one answer is enough or so many seconds are over; it is asked once at least."""
    ends = time.monotonic() + seconds
    found = [probe()]
    while not enough(found[-1]) and time.monotonic() < ends:
        found.append(probe())
    return found
