"""How clients reach a service: what does not change from request to request."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tools.openai.client import Client
from tools.openai.reply import Reply
from tools.secret import Secret


@dataclass(frozen=True)
class Connection:
    """A way to a service's gateway.

    Attributes:
        model: what requests call the model.
        token: bearer token; None for none.
        ca_file: authority of the gateway's certificate; None for the system's.
        host: Host header and SNI in place of the address; empty for the address.
        proxy: URL of a proxy; empty for none.
        tls_host: name that clients ask for where they use TLS; empty for the address.
        tls_ca: authority of the certificate there; None for the system's.
    """

    model: str
    token: Secret | None = None
    ca_file: Path | None = None
    host: str = ""
    proxy: str = ""
    tls_host: str = ""
    tls_ca: Path | None = None

    def client(self, url: str, user_agent: str, on_reply: Callable[[Reply], None] | None = None) -> Client:
        """A client for a base URL; the caller closes it."""
        return Client(
            url,
            self.model,
            user_agent,
            token=self.token,
            ca_file=self.ca_file,
            host=self.host,
            proxy=self.proxy,
            on_reply=on_reply,
        )

    def over_tls(self) -> "Connection":
        """The same way over TLS."""
        return replace(self, host=self.tls_host, ca_file=self.tls_ca)

    def anonymous(self) -> "Connection":
        """The same way without a token."""
        return replace(self, token=None)
