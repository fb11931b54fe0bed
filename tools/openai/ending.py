"""How an exchange ended that did not end well, told from what the HTTP library raised. Pure."""

import errno
import re
import socket
import ssl

import httpx

from tools.probe.verdict import Verdict

# The machine that asks has run out of something, or may not ask.
_OWN_TROUBLE = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.EADDRNOTAVAIL, errno.EPERM, errno.EACCES}

_OURS = httpx.PoolTimeout | httpx.ProxyError | httpx.LocalProtocolError | httpx.UnsupportedProtocol
# The other side went away in the middle of TLS.
_ENDED = ssl.SSLEOFError | ssl.SSLZeroReturnError


def verdict_of(error: httpx.RequestError, *, by_proxy: bool) -> Verdict:
    """The verdict.

    Args:
        error: what was raised in place of an answer.
        by_proxy: whether the connection that failed was one to a proxy, which says nothing about what is behind it.
    """
    below = _below(error) if isinstance(error, httpx.NetworkError) else None
    if isinstance(below, ssl.SSLError) and not isinstance(below, _ENDED):
        return Verdict.UNTRUSTED
    connecting = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    if isinstance(error, _OURS) or (connecting and by_proxy):
        return Verdict.PROBE_FAILED
    if isinstance(error, httpx.TimeoutException):
        return Verdict.DROPPED
    return _of(below) if connecting else Verdict.RESET


def words(error: httpx.RequestError) -> str:
    """What was raised, in its own words, without the value of a header that it complains about."""
    return re.sub(r" b['\"].*", "", f"{type(error).__name__}: {error}".removesuffix(": "))


def _of(below: OSError | None) -> Verdict:
    if isinstance(below, ConnectionRefusedError):
        return Verdict.REFUSED
    if isinstance(below, ConnectionError | _ENDED):
        return Verdict.RESET
    if below is not None and not isinstance(below, socket.gaierror) and below.errno in _OWN_TROUBLE:
        return Verdict.PROBE_FAILED
    return Verdict.UNREACHABLE


def _below(error: BaseException) -> OSError | None:
    """The operating system's or the TLS library's own error; the HTTP library keeps it as cause or as context."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, OSError):
        found = found.__cause__ or found.__context__
    return found
