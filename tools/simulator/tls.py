"""TLS as vLLM's --ssl-certfile, --ssl-keyfile and --enable-ssl-refresh give it."""

import logging
import ssl
from pathlib import Path

log = logging.getLogger("simulator")

Stamp = tuple[tuple[int, int], ...]


def server_context(certfile: str, keyfile: str | None, *, refresh: bool) -> ssl.SSLContext:
    """Return the context to listen with.

    Args:
        certfile: PEM file with the certificate and its chain.
        keyfile: PEM file with the key; None: it is in `certfile`.
        refresh: use files that have changed from the next handshake on. They are looked at in each handshake, so there
            is no moment when an old certificate is still sent (vLLM watches the files and has a short one).

    Raises:
        OSError: a file cannot be read or does not fit the other.
    """
    context = _load(certfile, keyfile)
    if refresh:
        current, stamp = context, _stamp(certfile, keyfile)

        def renew(connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext) -> None:
            nonlocal current, stamp
            try:
                if (now := _stamp(certfile, keyfile)) != stamp:
                    current, stamp = _load(certfile, keyfile), now
                    log.info("TLS files changed, certificate loaded anew")
            except OSError as error:
                log.warning("TLS files changed, but cannot be used yet: %s", error)
            connection.context = current

        context.sni_callback = renew
    return context


def _load(certfile: str, keyfile: str | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certfile, keyfile)
    return context


def _stamp(certfile: str, keyfile: str | None) -> Stamp:
    found = [Path(name).stat() for name in (certfile, keyfile) if name]
    return tuple((one.st_ino, one.st_mtime_ns) for one in found)
