"""A request as a command to copy: with `$TOKEN` in the place of what must not be printed. Pure."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

# Headers whose values are nobody's business.
_SECRET = {"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"}
_SCHEMES = {"Bearer", "Basic"}
_HTTPS = 443
# Longer ones would fill a screen, and no shell takes megabytes in a word.
_LONGEST_BODY = 8192


@dataclass(frozen=True)
class Via:
    """What a client adds to each of its requests.

    Attributes:
        token: whether it sends a bearer token.
        ca_file: certificates that it trusts; empty for the usual ones.
        host: the name that it asks for, where the URL says another.
        proxy: URL of the proxy, without its password.
    """

    token: bool = False
    ca_file: str = ""
    host: str = ""
    proxy: str = ""


def is_secret(header: str) -> bool:
    """Whether a header's value must not be printed."""
    return header.lower() in _SECRET


def told(header: str, value: str) -> str:
    """A header's value as it may be printed."""
    if not is_secret(header):
        return value
    scheme = value.partition(" ")[0]
    return f"{scheme} $TOKEN" if scheme in _SCHEMES else "$TOKEN"


def command(method: str, url: str, headers: Mapping[str, str], body: str, via: Via) -> str:
    """The command line: `TOKEN` has to be set where it is used, `PROXY` where the proxy wants a password."""
    named, extra = _as_named(url, via.host)
    words = ["curl -sS -i -N -X", method, *["--path-as-is"] * has_dots(url), shlex.quote(named), *extra]
    shown = {name: told(name, value) for name, value in headers.items()}
    if via.token and "authorization" not in {name.lower() for name in shown}:
        shown["Authorization"] = "Bearer $TOKEN"
    for name, value in shown.items():
        words += ["-H", _quoted(f"{name}: {value}", opened=is_secret(name))]
    words += ["--cacert", shlex.quote(via.ca_file)] if via.ca_file else []
    if via.proxy:
        words += ["-x", '"$PROXY"' if urlsplit(via.proxy).username else shlex.quote(via.proxy)]
    if len(body) > _LONGEST_BODY:
        return " ".join([*words, f"--data-binary @body.json  # of {len(body)} bytes: {shlex.quote(body[:60])}…"])
    words += ["-d", shlex.quote(body)] if body else []
    return " ".join(words)


def has_dots(url: str) -> bool:
    """Whether a URL's path has segments that clients take out unless they are told not to."""
    return bool({".", ".."} & set(urlsplit(url).path.split("/")))


def _quoted(text: str, *, opened: bool) -> str:
    """In double quotes where the shell has to put in a variable."""
    return f'"{text}"' if opened else shlex.quote(text)


def _as_named(url: str, host: str) -> tuple[str, list[str]]:
    """A URL, and options of curl, so that it connects to the URL's host and asks for another name."""
    if not host:
        return url, []
    parts = urlsplit(url)
    said = ["-H", shlex.quote(f"Host: {host}")]
    if parts.scheme == "http":
        return url, said
    # The certificate is asked for, and checked, by the name in the URL.
    port = parts.port or _HTTPS
    where = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    name = host.partition(":")[0]
    netloc = name if port == _HTTPS else f"{name}:{port}"
    connect = ["--connect-to", shlex.quote(f"{name}:{port}:{where}:{port}")]
    return urlunsplit(parts._replace(netloc=netloc)), [*connect, *said * (netloc != host)]
