"""One run at a time on a cluster: a Lease keeps two apart, and outlives a killed run only for its duration."""

import getpass
import os
import platform
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from tools.errors import UserError
from tools.kube.client import Kube, Object
from tools.kube.convergence import NotConverged, Selection, converge
from tools.kube.errors import KubeError, NotFound
from tools.kube.kinds import LEASE
from tools.kube.labels import PREFIX, RUN

NAME = "llmisvc-conformance"
NAMESPACE = "default"
DURATION_SECONDS = 30
HOST = f"{PREFIX}/host"
_RENEW_SECONDS = 8.0
# A living holder shows a sign within this, whatever its clock says.
_SIGN_SECONDS = _RENEW_SECONDS + 4
_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
_NEVER = datetime.min.replace(tzinfo=UTC)


def holder(run: str) -> str:
    """Who holds a Lease, in words that lead another person to whoever began the run."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = f"user {os.getuid()}"
    return f"run {run}, process {os.getpid()} of {user} on {platform.node()}"


class Tenancy:
    """The right to use a cluster.

    Args:
        kube: the cluster.
        holder: who takes it, as another run shall see it.
        namespace: where the Lease is; runs that use different ones do not see each other.
        run: id of the run, so that what it leaves can be told from a living one's.
    """

    def __init__(self, kube: Kube, holder: str, *, namespace: str = NAMESPACE, run: str = "") -> None:
        self._kube, self._holder, self._namespace, self._run = kube, holder, namespace, run
        self._version = ""
        self._lost = ""
        self._ended = threading.Event()
        self._renewal = threading.Thread(target=self._renew, name="lease of the run", daemon=True)

    @property
    def lost(self) -> str:
        """Who took the cluster from this run, or that the Lease was deleted; empty while all is well."""
        return self._lost

    def take(self) -> None:
        """Take the cluster.

        Raises:
            UserError: another run has it, or the user may not write Leases there.
        """
        try:
            found = self._kube.find(LEASE, NAME, self._namespace)
            if found is not None and (sign := self._sign(found)):
                raise _taken(f"{told(found)}{sign}")
            taken = self._create() if found is None else self._take_over(found)
        except KubeError as error:
            raise self._refusal(error) from None
        self._version = _version(taken)
        self._renewal.start()

    def give_back(self) -> None:
        """Let others have it; a Lease that is another's by now is left alone."""
        self._ended.set()
        if self._renewal.is_alive():
            self._renewal.join()
        if self._version and not self._lost:
            body = {"preconditions": {"resourceVersion": self._version}}
            with suppress(KubeError):  # the cluster may be gone by now; and the Lease ends by itself
                self._kube.request("DELETE", LEASE.path(NAME, self._namespace), None, body)
        self._version = ""

    def _sign(self, found: Object) -> str:
        """A sign that the holder lives: words for the message; empty if there is none."""
        left = seconds_left(found, datetime.now(UTC))
        if left > 0:
            return f", for another {left:.0f} s at least"
        if _host(found) in ("", platform.node()):
            return ""
        # Its clock and ours may differ: what counts is whether it goes on renewing.
        renewed = found["spec"].get("renewTime")

        def decide(leases: list[Object]) -> str:
            return "" if leases and leases[0]["spec"].get("renewTime") != renewed else "no sign of its holder"

        chosen = Selection(LEASE, self._namespace, NAME)
        try:
            converge(self._kube, "another run to show that it lives", chosen, decide, budget=_SIGN_SECONDS)
        except NotConverged:
            return ""
        return f", and renews it; the clocks of this machine and of {_host(found)} differ by more than {-left:.0f} s"

    def _create(self) -> Object:
        now = datetime.now(UTC)
        meta = {"name": NAME, "namespace": self._namespace, **self._marks()}
        return self._kube.create(
            {"apiVersion": LEASE.api, "kind": LEASE.kind, "metadata": meta, "spec": self._spec(now)}
        )

    def _take_over(self, found: Object) -> Object:
        # With the version that was read: if somebody else was quicker, this is refused.
        meta = {"resourceVersion": _version(found), **self._marks()}
        return self._kube.patch(LEASE, NAME, self._namespace, {"metadata": meta, "spec": self._spec(datetime.now(UTC))})

    def _renew(self) -> None:
        renewed = time.monotonic()
        while not self._lost and not self._ended.wait(_RENEW_SECONDS):
            try:
                self._renew_once()
                renewed = time.monotonic()
            except KubeError as error:  # tried again in time
                if time.monotonic() - renewed > DURATION_SECONDS:
                    self._lost = f"the Lease could not be renewed for {DURATION_SECONDS} s: {error}"

    def _renew_once(self) -> None:
        spec = {"renewTime": datetime.now(UTC).strftime(_FORMAT)}
        body = {"metadata": {"resourceVersion": self._version}, "spec": spec}
        try:
            self._version = _version(self._kube.patch(LEASE, NAME, self._namespace, body))
        except KubeError as error:
            if error.status not in (404, 409):
                raise
            # Somebody changed it: a new holder, or only the object.
            found = self._kube.find(LEASE, NAME, self._namespace)
            if found is None:
                self._lost = f"the Lease {self._namespace}/{NAME} of this run was deleted"
            elif found["spec"].get("holderIdentity") != self._holder:
                self._lost = f"the Lease {self._namespace}/{NAME} was taken from this run: {told(found)}"
            else:
                self._version = _version(found)

    def _marks(self) -> Object:
        marks: Object = {"annotations": {HOST: platform.node()}}
        return marks | ({"labels": {RUN: self._run}} if self._run else {})

    def _spec(self, now: datetime) -> Object:
        times = {"acquireTime": now.strftime(_FORMAT), "renewTime": now.strftime(_FORMAT)}
        return {"holderIdentity": self._holder, "leaseDurationSeconds": DURATION_SECONDS, **times}

    def _refusal(self, error: KubeError) -> UserError | KubeError:
        if error.status == 409:
            return _taken("another run has just taken it")
        if error.status != 403 and not isinstance(error, NotFound):
            return error
        return UserError(
            f"a Lease in namespace {self._namespace}, which keeps two runs on one cluster apart",
            f"{error.status}: {error.message}",
            cause="the namespace is not there" if error.status == 404 else "this user may not write Leases there",
            next_step="--lease-namespace with one where this user may get, create, patch and delete Leases",
        )


def seconds_left(lease: Object, now: datetime) -> float:
    """How long a Lease is valid without another sign of its holder; negative when it has ended."""
    duration = timedelta(seconds=lease["spec"].get("leaseDurationSeconds", DURATION_SECONDS))
    renewed = _moment(lease, "renewTime")
    return -1.0 if renewed is _NEVER else (renewed + duration - now).total_seconds()


def told(lease: Object) -> str:
    """Who holds a Lease, and since when."""
    acquired = _moment(lease, "acquireTime")
    since = "" if acquired is _NEVER else f" since {acquired:%Y-%m-%d %H:%M:%S} UTC"
    return f"{lease['spec'].get('holderIdentity') or 'somebody without a name'} has it{since}"


def _moment(lease: Object, key: str) -> datetime:
    try:
        return datetime.fromisoformat(lease["spec"][key]).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        return _NEVER


def _host(lease: Object) -> str:
    return str((lease["metadata"].get("annotations") or {}).get(HOST, ""))


def _version(lease: Object) -> str:
    return str(lease["metadata"]["resourceVersion"])


def _taken(observed: str) -> UserError:
    return UserError(
        "the cluster for this run alone",
        observed,
        cause=f"two runs would disturb each other's counters; a killed one is forgotten after {DURATION_SECONDS} s",
        next_step="the same command, when the other run has ended",
    )
