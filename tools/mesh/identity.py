"""Who a sidecar says that it is: its certificate of the mesh, as Envoy's admin port tells (`/certs`). Pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Object = dict[str, Any]
# Istio's agent asks for another at half of a certificate's life; at three quarters it has failed to.
_SHARE_LEFT = 0.25


@dataclass(frozen=True)
class Certificate:
    """A certificate that a sidecar shows to its peers.

    Attributes:
        uris: names in it; the mesh's are `spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT`.
        since, until: when it is valid.
    """

    uris: tuple[str, ...]
    since: datetime
    until: datetime


def certificates(body: str) -> list[Certificate]:
    """The sidecar's own certificates; those of authorities are left out.

    Args:
        body: the answer to `/certs`.

    Raises:
        ValueError: it is not what Envoy answers.
    """
    try:
        rows = [row for each in json.loads(body)["certificates"] for row in each.get("cert_chain", [])]
        found = [
            Certificate(
                tuple(name["uri"] for name in row.get("subject_alt_names", []) if "uri" in name),
                _time(row["valid_from"]),
                _time(row["expiration_time"]),
            )
            for row in rows
        ]
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an answer of Envoy to /certs: {error!r}") from None
    return [each for each in found if each.uris]


def trouble(found: Iterable[Certificate], pod: Object, now: datetime, least: timedelta) -> list[str]:
    """What is wrong with a sidecar's certificates, one line each.

    Args:
        found: its certificates.
        pod: whose they are.
        now: the time.
        least: how much longer a certificate must be valid, be it fresh or not.
    """
    spec, namespace = pod["spec"], pod["metadata"]["namespace"]
    wanted = f"/ns/{namespace}/sa/{spec.get('serviceAccountName', 'default')}"
    rows = list(found)
    if not rows:
        return ["it has no certificate of the mesh"]
    lines = []
    for each in rows:
        told = ", ".join(each.uris)
        if not any(uri.startswith("spiffe://") and uri.endswith(wanted) for uri in each.uris):
            lines.append(f"it says that it is {told}, not spiffe://…{wanted}")
        if not each.since <= now < each.until:
            lines.append(f"the certificate of {told} is valid from {each.since:%F %T} to {each.until:%F %T} UTC alone")
        elif each.until - now < max(least, _SHARE_LEFT * (each.until - each.since)):
            minutes = (each.until - now) / timedelta(minutes=1)
            lines.append(f"the certificate of {told} ends in {minutes:.0f} minutes, and was not renewed before")
    return lines


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
