"""One run at a time on a cluster: a Lease keeps two apart, and outlives a killed run only for its duration."""

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from tools.errors import UserError
from tools.kube.client import Kube, Object
from tools.kube.errors import KubeError
from tools.kube.kinds import LEASE

NAME = "llmisvc-conformance"
NAMESPACE = "default"
DURATION_SECONDS = 30
_RENEW_SECONDS = 8.0
_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Tenancy:
    """The right to use a cluster.

    Args:
        kube: the cluster.
        holder: who takes it, as another run shall see it.
    """

    def __init__(self, kube: Kube, holder: str) -> None:
        self._kube, self._holder = kube, holder
        self._ended = threading.Event()
        self._renewal = threading.Thread(target=self._renew, name="lease of the run", daemon=True)

    def take(self) -> None:
        """Take the cluster.

        Raises:
            UserError: another run has it.
        """
        now = datetime.now(UTC)
        try:
            found = self._kube.find(LEASE, NAME, NAMESPACE)
            if found is None:
                self._kube.create(self._lease(now))
            elif (left := seconds_left(found, now)) <= 0:
                # With the version that was read: if somebody else was quicker, this is refused.
                version = found["metadata"]["resourceVersion"]
                self._kube.patch(
                    LEASE, NAME, NAMESPACE, {"metadata": {"resourceVersion": version}, "spec": self._spec(now)}
                )
            else:
                raise _taken(f"{found['spec']['holderIdentity']} has it, for another {left:.0f} s at least")
        except KubeError as error:
            if error.status == 409:
                raise _taken("another run has just taken it") from None
            raise
        self._renewal.start()

    def give_back(self) -> None:
        """Let others have it."""
        self._ended.set()
        if self._renewal.is_alive():
            self._renewal.join()
            with suppress(KubeError):  # the cluster may be gone by now
                self._kube.delete(LEASE, NAME, NAMESPACE)

    def _renew(self) -> None:
        while not self._ended.wait(_RENEW_SECONDS):
            with suppress(KubeError):  # tried again in time
                self._kube.patch(LEASE, NAME, NAMESPACE, {"spec": {"renewTime": _told(datetime.now(UTC))}})

    def _lease(self, now: datetime) -> Object:
        meta = {"name": NAME, "namespace": NAMESPACE}
        return {"apiVersion": LEASE.api, "kind": LEASE.kind, "metadata": meta, "spec": self._spec(now)}

    def _spec(self, now: datetime) -> Object:
        times = {"acquireTime": _told(now), "renewTime": _told(now)}
        return {"holderIdentity": self._holder, "leaseDurationSeconds": DURATION_SECONDS, **times}


def seconds_left(lease: Object, now: datetime) -> float:
    """How long a Lease is valid without another sign of its holder."""
    spec = lease["spec"]
    renewed = datetime.strptime(spec["renewTime"], _FORMAT).replace(tzinfo=UTC)
    return (renewed + timedelta(seconds=spec["leaseDurationSeconds"]) - now).total_seconds()


def _told(moment: datetime) -> str:
    return moment.strftime(_FORMAT)


def _taken(observed: str) -> UserError:
    return UserError(
        "the cluster for this run alone",
        observed,
        cause=f"two runs would disturb each other's counters; a killed one is forgotten after {DURATION_SECONDS} s",
        next_step="the same command, when the other run has ended",
    )
