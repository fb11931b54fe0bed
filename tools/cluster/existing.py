"""A cluster that is there already and is not ours: named, known again by its identity, and never taken down."""

import os
from collections.abc import Mapping
from pathlib import Path

from kubernetes.client import ApiException
from kubernetes.config import ConfigException

from tools.cluster import credentials
from tools.cluster.identity import identity_of, refuse_another, refuse_unpinned_production
from tools.cluster.kubeconfig import Entry, candidates, find_context
from tools.cluster.provider import ClusterAccess, Death
from tools.cluster.unreachable import explained
from tools.errors import UserError
from tools.kube.client import Kube
from tools.kube.errors import KubeError


class ExistingProvider:
    """Takes an existing cluster, by the name of its context.

    Args:
        context: the context's name; empty is refused, the user's current context is never taken.
        kubeconfig: the file that has it; by default where kubectl looks.
        pin: the cluster's identity as the profile pins it; empty pins nothing.
        environ: the process's environment.
    """

    def __init__(
        self,
        context: str,
        kubeconfig: Path | None = None,
        pin: str = "",
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._context, self._kubeconfig, self._pin, self._environ = context, kubeconfig, pin, environ

    def up(self) -> ClusterAccess:
        """Find the cluster and make sure that it answers, and that it is the pinned one.

        Ends within half a minute, or within a minute where a credential plugin runs.

        Raises:
            UserError: which of it failed, in one sentence.
        """
        entry = self._entry()
        refuse_unpinned_production(entry, self._pin)
        credentials.check(entry, self._environ)
        identity = self._identity(entry)
        refuse_another(entry, self._pin, identity)
        return ClusterAccess(entry.context, "existing", entry.file, entry.context, identity, owned=False)

    def down(self) -> bool:
        """Nothing: the cluster is not ours; what a run made on it is removed by whoever made it."""
        return False

    def deaths(self) -> list[Death]:
        """None that could be seen from here."""
        return []

    def _entry(self) -> Entry:
        if not self._context:
            raise UserError(
                "the cluster's name",
                "no --context; a kubeconfig's current context is never taken, because it changes behind one's back",
                next_step="--context NAME, one of `kubectl config get-contexts -o name`",
            )
        return find_context(self._context, candidates(self._kubeconfig, self._environ))

    def _identity(self, entry: Entry) -> str:
        """The cluster's identity; empty if this user may not read it and nothing is pinned."""
        try:
            return identity_of(Kube(entry.file, entry.context))
        except KubeError as error:
            # Whoever manages one namespace only may not read another, and has still reached the cluster.
            if error.status == 403 and "system:anonymous" not in error.message:
                if not self._pin:
                    return ""
                raise UserError(
                    "to see whether this is the cluster that the profile pins",
                    f"403: {error.message}",
                    next_step="the right `get` on the namespace kube-system for this user",
                ) from None
            raise explained(error, entry) from None
        except ApiException as error:
            # How the client library tells that TLS failed.
            raise explained(KubeError("the first request", 0, str(error.reason)), entry) from None
        except (ConfigException, OSError) as error:
            raise UserError(
                f"context {entry.context} of {entry.file} to be usable",
                str(error),
                next_step=entry.kubectl("version") + ", or another file",
            ) from None
        except (ValueError, KeyError, TypeError):
            raise UserError(
                f"an API server at {entry.server}",
                "it answers, but not as the Kubernetes API does",
                cause="something else answers at this address, for example a login page",
                next_step=entry.kubectl("version"),
            ) from None
