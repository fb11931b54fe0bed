"""GET requests to a Service of the cluster, by the API server's own way: from wherever kubectl works, and read-only."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tools.explain import Violation
from tools.kube.client import Kube
from tools.kube.errors import KubeError

# No such Service; nobody behind it; nobody who answers there.
_AWAY = (404, 502, 503)


@dataclass(frozen=True)
class Instrument:
    """A Service that shows how others fare.

    Attributes:
        kube: the cluster.
        what: its name, for messages.
        at: `NAMESPACE/SERVICE:PORT`, as a profile has it; before the name of the Service may stand `https:`.
    """

    kube: Kube
    what: str
    at: str

    @property
    def path(self) -> str:
        """The API server's path to it."""
        namespace, _, service = self.at.partition("/")
        return f"/api/v1/namespaces/{namespace}/services/{service}/proxy"

    def by_hand(self, path: str) -> str:
        """The command that asks the same."""
        return self.kube.kubectl("get", "--raw", f"{self.path}{path}")

    def get(self, path: str, **query: str) -> Any:
        """What it answers, as JSON.

        Raises:
            Violation: it is not there, or does not answer.
            KubeError: the API server did not let us ask, or it refused the request.
        """
        asked = f"{self.path}{path}{'?' if query else ''}{urlencode(query)}"
        try:
            return self.kube.request("GET", asked)
        except KubeError as error:
            if error.status not in _AWAY:
                raise
            namespace = self.at.partition("/")[0]
            raise Violation(
                f"{self.what} at {self.at}, where the profile says that it is",
                f"{error.status}: {error.message[:300]}",
                cause="it is not installed, its pods are not ready, or the profile names another place",
                next_step=self.kube.kubectl("-n", namespace, "get", "service,pods", "-o", "wide"),
            ) from None
