"""Who uses a cluster: an advisory lock per name, so that nobody starts or removes it under somebody else's hands.

Whoever starts or removes a cluster holds it alone; sessions that run cases on it hold it together. The kernel frees a
claim with its process, however that ends, so a claim never outlives its holder.
"""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from tools.errors import UserError


class Claim:
    """A claim on the cluster of one name; not yet held when made.

    Args:
        path: the lock's file; made when needed, removed when the cluster is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def alone(self) -> None:
        """Hold the cluster alone.

        Raises:
            UserError: somebody else holds it.
        """
        if not self.try_alone():
            raise UserError(
                "nobody else to use the cluster",
                f"another llmisvc-conformance or pytest does (lock {self._path})",
                next_step=f"wait for it, or find it: fuser {self._path}",
            )

    def try_alone(self) -> bool:
        """Hold the cluster alone if nobody else holds it; tell whether."""
        return self._try(fcntl.LOCK_EX)

    def together(self, say: Callable[[str], None]) -> None:
        """Hold the cluster with others that only use it; waits for one that holds it alone, and says so."""
        if not self._try(fcntl.LOCK_SH):
            say(f"another process starts or removes the cluster; waiting for it (fuser {self._path} tells which)")
            self._try(fcntl.LOCK_SH, wait=True)

    def release(self) -> None:
        """Give the claim up."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def remove_file(self) -> None:
        """Remove the lock's file; to be called while holding the cluster alone."""
        self._path.unlink(missing_ok=True)

    def _try(self, kind: int, *, wait: bool = False) -> bool:
        if self._descriptor is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, kind if wait else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if self._is_current():
            return True
        self.release()  # the file was removed meanwhile: what is locked is no longer what others see
        return self._try(kind, wait=wait)

    def _is_current(self) -> bool:
        assert self._descriptor is not None
        try:
            return self._path.stat().st_ino == os.fstat(self._descriptor).st_ino
        except FileNotFoundError:
            return False
