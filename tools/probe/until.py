"""A probe asked again and again, and all that it said: what a canary is judged by."""

import time
from collections.abc import Callable

from tools.features.canary_verdict import Probe


def probes_until(probe: Callable[[], Probe], enough: Callable[[Probe], bool], seconds: float) -> list[Probe]:
    """What a probe said, until one answer is enough or so many seconds are over; it is asked once at least."""
    ends = time.monotonic() + seconds
    found = [probe()]
    while not enough(found[-1]) and time.monotonic() < ends:
        found.append(probe())
    return found
