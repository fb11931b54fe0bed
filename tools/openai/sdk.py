"""OpenAI's own SDK as a client of a service, by the same way as all other clients."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from tools.openai.client import phases, trust
from tools.openai.connection import Connection

if TYPE_CHECKING:
    from openai import OpenAI

# The SDK refuses to go without one; a service that wants a token gets the real one.
_NO_KEY = "none"


@contextmanager
def sdk(connection: Connection, url: str, user_agent: str) -> Iterator["OpenAI"]:
    """The SDK for a service, without retries, redirects and the environment's proxies.

    Args:
        connection: the way to the service.
        url: the service's; the API is below /v1.
        user_agent: so that access logs can be read by case.
    """
    # Its import takes a second, and most sessions have no use for it.
    from openai import OpenAI

    headers = {"Host": connection.host} if connection.host else {}

    def named(request: httpx.Request) -> None:
        if connection.host:
            request.extensions["sni_hostname"] = connection.host.partition(":")[0]

    http = httpx.Client(
        headers=headers,
        timeout=phases(),
        verify=trust(connection.ca_file),
        proxy=connection.proxy or None,
        trust_env=False,
        event_hooks={"request": [named]},
    )
    client = OpenAI(
        base_url=f"{url.rstrip('/')}/v1",
        api_key=connection.token or _NO_KEY,
        max_retries=0,
        timeout=phases(),
        default_headers={"User-Agent": user_agent},
        http_client=http,
    )
    try:
        yield client
    finally:
        client.close()
