"""What a canary's probes show of NetworkPolicies. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tools.kube.client import Object


class Probe(StrEnum):
    """What became of one connection, as agnhost tells it."""

    ALLOWED = "ALLOWED"
    DROPPED = "DROPPED"
    REFUSED = "REFUSED"
    UNREACHABLE = "UNREACHABLE"
    PROBE_FAILED = "PROBE_FAILED"


class Enforcement(StrEnum):
    """What the canary shows."""

    ENFORCED = "ENFORCED"
    NOT_ENFORCED = "NOT_ENFORCED"
    INVALID = "INVALID"


DENIED = frozenset({Probe.DROPPED, Probe.REFUSED, Probe.UNREACHABLE})


@dataclass(frozen=True)
class Seen:
    """Probes in order.

    Attributes:
        before: without the policy.
        under: while the policy was there, until one was denied or the time was over.
        after: after its removal, until one was allowed or the time was over; empty if it did not come to that.
        seconds: for how long the policy was looked at.
    """

    before: Probe
    under: Sequence[Probe] = ()
    after: Sequence[Probe] = ()
    seconds: float = 0.0


def judge(seen: Seen) -> tuple[Enforcement, str]:
    """What the probes show, and why. Pure."""
    if seen.before is not Probe.ALLOWED:
        return Enforcement.INVALID, f"the positive control failed: {seen.before} without any policy"
    if not seen.after or seen.after[-1] is not Probe.ALLOWED:
        last = seen.after[-1] if seen.after else "nothing"
        return Enforcement.INVALID, f"the positive control failed: {last} after the policy's removal"
    told = f"{seen.before} before, {_told(seen.under)} under default-deny for {seen.seconds:.0f} s, ALLOWED after it"
    if seen.under and seen.under[-1] in DENIED:
        return Enforcement.ENFORCED, told
    if seen.under and all(each is Probe.ALLOWED for each in seen.under):
        return Enforcement.NOT_ENFORCED, told
    return Enforcement.INVALID, f"probes failed: {told}"


def outcome(pod: Object) -> Probe:
    """What an ended pod of `agnhost connect` says. Pure."""
    statuses = pod.get("status", {}).get("containerStatuses", [])
    ended: Object = next(
        (each["state"]["terminated"] for each in statuses if "terminated" in each.get("state", {})), {}
    )
    if ended.get("exitCode") == 0:
        return Probe.ALLOWED
    said = str(ended.get("message", "")).strip()
    if said.startswith("TIMEOUT"):
        return Probe.DROPPED
    if said.startswith("REFUSED"):
        return Probe.REFUSED
    return Probe.UNREACHABLE if "no route to host" in said or "unreachable" in said else Probe.PROBE_FAILED


def _told(probes: Sequence[Probe]) -> str:
    rows: list[str] = []
    for each in probes:
        if not rows or rows[-1].split(" ")[0] != each:
            rows.append(str(each))
    return ", then ".join(rows) + f" ({len(probes)} probes)"
