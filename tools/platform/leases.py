"""Leader election: each controller's Lease is held by a pod that is there, and renewed."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from tools.kube import pods
from tools.kube.client import Kube, Object
from tools.kube.kinds import LEASE, POD
from tools.kube.llm_service import Place
from tools.kube.platform import Platform
from tools.platform.trouble import Trouble

_KSERVE = "llminferenceservice-kserve-controller-manager"
_ISTIO = "istio-"
# A holder renews several times in this period; twice as long is not a matter of a busy machine.
_PERIODS = 2


def trouble(platform: Platform) -> list[Trouble]:
    """Leases that nobody holds, or somebody who is gone."""
    kube, now = platform.kube, datetime.now(UTC)
    wrong = []
    for place, prefix in ((platform.controller, _KSERVE), (platform.istiod, _ISTIO)):
        found = [each for each in kube.objects(LEASE, place.namespace) if _is_of(each, place, prefix)]
        living = {pod["metadata"]["name"] for pod in kube.objects(POD, place.namespace) if not pods.is_leaving(pod)}
        lines = unheld(found, living, now)
        if not found and prefix == _KSERVE:
            lines = [f"there is no Lease {_KSERVE}"]
        wrong += [_told(kube, place, line) for line in lines]
    return wrong


def unheld(leases: Iterable[Object], living: Collection[str], now: datetime) -> list[str]:
    """Leases without a living holder, one line each. Pure."""
    lines = []
    for each in leases:
        spec, name = each.get("spec", {}), each["metadata"]["name"]
        holder = str(spec.get("holderIdentity") or "")
        # controller-runtime appends a random part to the pod's name.
        pod = holder.partition("_")[0]
        if pod not in living:
            lines.append(f"Lease {name} is held by {holder or 'nobody'}, and there is no such pod")
        elif (renewed := spec.get("renewTime")) and now - _time(renewed) > _PERIODS * _period(spec):
            lines.append(f"Lease {name} is held by {holder}, who renewed it last at {renewed}")
    return lines


def _is_of(lease: Object, place: Place, prefix: str) -> bool:
    holder = str(lease.get("spec", {}).get("holderIdentity") or "")
    return str(lease["metadata"]["name"]).startswith(prefix) or holder.startswith(f"{place.name}-")


def _told(kube: Kube, place: Place, line: str) -> Trouble:
    return Trouble(
        line,
        f"no replica of {place.name} leads: it runs without --leader-elect, is down, or may not write Leases",
        kube.kubectl("-n", place.namespace, "get", "leases.coordination.k8s.io"),
    )


def _period(spec: Object) -> timedelta:
    return timedelta(seconds=spec.get("leaseDurationSeconds", 15))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
