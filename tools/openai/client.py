"""A client for one base URL: each call is one request, and its result is a Reply."""

import json
import re
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tools.errors import UserError
from tools.openai import curl
from tools.openai.chunked import pieces
from tools.openai.curl import Via
from tools.openai.ending import verdict_of, words
from tools.openai.reply import Reply, Request
from tools.probe.verdict import Verdict
from tools.secret import Secret
from tools.waiting import timeouts

REQUEST_ID = "X-Request-Id"
# Shorter ones are not secret, and would be found in any text.
_SECRET_LENGTH = 8


class Client:
    """Requests below one base URL, without retries, redirects, or proxies and cookies of the environment.

    Args:
        base_url: for example `http://203.0.113.7/NAMESPACE/NAME`.
        model: what `model` in bodies says.
        user_agent: sent with every request, so that access logs can be read by case.
        timeout: of each phase of a request; by default the timeouts `request-connect` and `request-read`.
        token: sent as a bearer token, unless a call has an `Authorization` of its own.
        ca_file: authorities to trust in place of this machine's and Mozilla's. Certificates are always checked.
        host: name to ask for, where `base_url` has an address: in the Host header, and for TLS.
        proxy: URL of an HTTP proxy.
        on_reply: called with every reply, before the caller has it.

    Raises:
        UserError: a token that no header may have, certificates that cannot be read, `host` through a proxy.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        user_agent: str,
        *,
        timeout: httpx.Timeout | None = None,
        token: Secret | None = None,
        ca_file: Path | None = None,
        host: str = "",
        proxy: str = "",
        on_reply: Callable[[Reply], None] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.model = model
        self.user_agent = user_agent
        self._token = _checked(token)
        self._via = Via(token is not None, str(ca_file or ""), host, _without_password(proxy))
        self._proxy_password = Secret(urlsplit(proxy).password or "")
        self._on_reply = on_reply
        if host and proxy and base_url.startswith("https:"):
            raise UserError(
                "a request Host over TLS without a proxy, or a proxy without it",
                f"Host {host} and proxy {self._via.proxy} for {base_url}",
                cause="through a proxy the certificate is checked against the host in the URL",
                next_step=f"let {host} resolve to the gateway, and use it in the URL",
            )
        self._whole = timeouts.seconds("request-whole")
        self._http = httpx.Client(
            timeout=timeout or phases(),
            # Connections are not kept: each request is routed on its own, as from different clients.
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"User-Agent": user_agent} | ({"Host": host} if host else {}),
            verify=trust(ca_file),
            proxy=proxy or None,
            trust_env=False,
        )

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def complete(
        self, prompt: str = "The gate opens", *, headers: Mapping[str, str] | None = None, **fields: Any
    ) -> Reply:
        """POST /v1/completions; `fields` go into the body."""
        body = {"model": self.model, "prompt": prompt, "max_tokens": 8} | fields
        return self.post("/v1/completions", body, headers)

    def chat(self, content: str = "Say a word.", **fields: Any) -> Reply:
        """POST /v1/chat/completions with one user message."""
        message = {"role": "user", "content": content}
        return self.post("/v1/chat/completions", {"model": self.model, "messages": [message], "max_tokens": 8} | fields)

    def models(self) -> Reply:
        """GET /v1/models."""
        return self.get("/v1/models")

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        """GET a path below the base URL."""
        return self.send(Request("GET", self.base_url + path, dict(headers or {})))

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
        """POST a JSON body to a path below the base URL."""
        return self.send_text(path, json.dumps(body), headers)

    def send_text(self, path: str, body: str, headers: Mapping[str, str] | None = None) -> Reply:
        """POST a body as it is, JSON or not, to a path below the base URL."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        return self.send(Request("POST", self.base_url + path, sent, body))

    def send(self, request: Request) -> Reply:
        """Send any request, once; it gets an `X-Request-Id` unless it has one."""
        given = {name.lower(): value for name, value in request.headers.items()}
        identity = given.get(REQUEST_ID.lower()) or str(uuid.uuid4())
        headers: dict[str, str] = {REQUEST_ID: identity} if REQUEST_ID.lower() not in given else {}
        headers |= request.headers
        if self._token and "authorization" not in given:
            headers["Authorization"] = Secret(f"Bearer {self._token}")
        secrets = [*_secrets(headers), self._proxy_password]
        shown = {name: curl.told(name, value) for name, value in request.headers.items()}
        asked = replace(request, headers=shown, id=identity, via=self._via)
        reply = _masked(self._exchange(request, headers, asked), secrets)
        if self._on_reply:
            self._on_reply(reply)
        return reply

    def _exchange(self, request: Request, headers: Mapping[str, str], asked: Request) -> Reply:
        started = time.monotonic()
        answer: httpx.Response | None = None
        body = bytearray()
        extensions: dict[str, Any] = {}
        if self._via.host:
            extensions["sni_hostname"] = self._via.host.partition(":")[0]
        # As it is written; a proxy needs the whole URL in its place, and gets the one that the library makes.
        if curl.has_dots(request.url) and not self._via.proxy:
            extensions["target"] = urlsplit(request.url)._replace(scheme="", netloc="").geturl().encode()
        try:
            with self._http.stream(
                request.method,
                request.url,
                headers=dict(headers),
                content=_content(request),
                extensions=extensions,
            ) as answer:
                for chunk in answer.iter_bytes():
                    body += chunk
                    if time.monotonic() - started > self._whole:
                        raise httpx.ReadTimeout(f"the answer goes on after {self._whole:g} s")
        except httpx.RequestError as error:
            came = "" if answer is None else f", after HTTP {answer.status_code} and {len(body)} bytes of its body"
            ended = verdict_of(error, by_proxy=bool(self._via.proxy))
            return Reply(asked, ended, seconds=time.monotonic() - started, problem=words(error) + came)
        got = {name.lower(): value for name, value in answer.headers.items()}
        text = body.decode(answer.encoding or "utf-8", errors="replace")
        return Reply(asked, Verdict.HTTP, answer.status_code, got, text, time.monotonic() - started)


def _content(request: Request) -> str | Iterator[bytes] | None:
    """A body as it is sent: in chunks where a header says so, else whole, with its length."""
    if any(name.lower() == "transfer-encoding" for name in request.headers):
        return pieces(request.body)
    return request.body or None


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """What certificates are checked against: a file of authorities, or this machine's and Mozilla's."""
    return _trusting(ca_file) if ca_file else _usual_trust()


def phases() -> httpx.Timeout:
    """The timeouts `request-connect` and `request-read`, for the phases of a request."""
    connect, read = timeouts.seconds("request-connect"), timeouts.seconds("request-read")
    return httpx.Timeout(connect=connect, read=read, write=read, pool=connect)


def _checked(token: Secret | None) -> Secret | None:
    if token is None or re.fullmatch(r"[\x21-\x7e]+", token):
        return token
    raise UserError(
        "a bearer token of visible ASCII characters, without blanks and line ends",
        f"one of {len(token)} characters with others among them",
        next_step="look at the environment variable that --token-env names: a file's last line end is often in it",
    )


@cache
def _usual_trust() -> ssl.SSLContext:
    """This machine's authorities, a company's own among them, and Mozilla's, for machines that have none."""
    trust = httpx.create_ssl_context(trust_env=False)
    trust.load_default_certs()
    return trust


def _trusting(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise UserError(
            f"certificates to trust, in PEM, in {ca_file}", f"{error}", next_step=f"ls -l {ca_file}"
        ) from None


def _without_password(proxy: str) -> str:
    parts = urlsplit(proxy)
    return parts._replace(netloc=f"***@{parts.netloc.rpartition('@')[2]}").geturl() if "@" in parts.netloc else proxy


def _secrets(headers: Mapping[str, str]) -> list[str]:
    """Every part of a secret header that says something by itself, the longest first."""
    values = [value for name, value in headers.items() if curl.is_secret(name)]
    return [Secret(part) for value in values for part in (value, value.strip(), value.partition(" ")[2].strip())]


def _masked(reply: Reply, secrets: list[str]) -> Reply:
    """A reply without the request's secrets: some servers tell a client what it sent."""
    hidden = [each for each in secrets if len(each) >= _SECRET_LENGTH]

    def mask(text: str) -> str:
        for each in hidden:
            text = text.replace(each, "$TOKEN")
        return text

    headers = {name: mask(value) for name, value in reply.headers.items()}
    return replace(reply, headers=headers, body=mask(reply.body), problem=mask(reply.problem))
