"""Who broke a request that failed: gateway, picker or pod. Pure.

The gateway's access log knows best (Envoy's response flags and details); without a line of it the answer's own
fingerprint tells, and for a stream that was cut, whether its pod was on its way out.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tools.load.record import ErrorKind, RequestRecord
from tools.openai import fingerprint


class Culprit(StrEnum):
    """Where a request broke.

    Attributes:
        GATEWAY: in the proxies, or before them.
        PICKER: in the endpoint picker, or in the gateway's conversation with it.
        POD: at the servers: one ended, none was there, one could not be reached.
        INSTRUMENT: nowhere: it was not sent.
    """

    GATEWAY = "gateway"
    PICKER = "picker"
    POD = "pod"
    INSTRUMENT = "instrument"


@dataclass(frozen=True)
class Blame:
    """Who broke a request, and by which sign.

    Attributes:
        record: the request.
        culprit: who.
        sign: what tells so.
    """

    record: RequestRecord
    culprit: Culprit
    sign: str

    def __str__(self) -> str:
        pod = f" of {self.record.pod}" if self.record.pod else ""
        return f"{self.culprit}{pod}: {self.record.reply.summary} ({self.sign})"


# Envoy's response flags (envoyproxy.io, access log, %RESPONSE_FLAGS%) that tell of a server which is not there or ends.
_OF_PODS = {
    "UH": "no healthy server",
    "UF": "no connection to the server",
    "UC": "the server ended the connection",
    "UR": "the server reset the stream",
    "UT": "the server did not answer in time",
    "LR": "the connection to the server was reset from within",
    "UPE": "the server broke the protocol",
    "URX": "given up after several tries",
    "UO": "too many requests for the servers",
}
_OF_GATEWAY = {
    "NR": "no route",
    "NC": "no such cluster",
    "DC": "the client's connection ended",
    "OM": "the proxy is overloaded",
    "DT": "the request lasted too long",
}
_EXT_PROC = "ext_proc"
_UPSTREAM = "via_upstream"
_BODIES_OF_PODS = ("no healthy upstream", "upstream connect error", "upstream request timeout")


def attribute(record: RequestRecord, line: Mapping[str, Any] | None = None, leaving: Collection[str] = ()) -> Blame:
    """Who broke a request that failed.

    Args:
        record: it.
        line: fields of the gateway's access log about it; None where there is none.
        leaving: names of server pods that ended, or were told to, while it ran.
    """
    if record.error_kind is ErrorKind.UNTOLD:
        return Blame(record, Culprit.INSTRUMENT, record.problem)
    if line and (found := _by_line(record, line)):
        return found
    if record.pod in leaving and record.pod:
        return Blame(record, Culprit.POD, "it was on its way out")
    return _by_answer(record)


def tally(found: Iterable[Blame]) -> str:
    """How many are blamed on each, the most first; empty if none is."""
    return ", ".join(f"{count} on the {who}" for who, count in Counter(each.culprit for each in found).most_common())


def _by_line(record: RequestRecord, line: Mapping[str, Any]) -> Blame | None:
    details = " ".join(str(line.get(key) or "") for key in ("response_code_details", "connection_termination_details"))
    if _EXT_PROC in details:
        return Blame(record, Culprit.PICKER, f"access log: {details.strip()}")
    if record.status != 200 and details.strip().startswith(_UPSTREAM):
        host = line.get("upstream_host") or "an address that it does not tell"
        sign = f"access log: {details.strip()}: the pod at {host} answered so, or its sidecar for it"
        return Blame(record, Culprit.POD, sign)
    for flag in str(line.get("response_flags") or "").split(","):
        for known, who in ((_OF_PODS, Culprit.POD), (_OF_GATEWAY, Culprit.GATEWAY)):
            if flag in known:
                return Blame(record, who, f"access log: {flag}, {known[flag]}, {details.strip()}")
    return None


def _by_answer(record: RequestRecord) -> Blame:
    mark = fingerprint.identify(record.reply)
    sign = mark.cause or f"answered by {mark}"
    if any(words in record.body for words in _BODIES_OF_PODS):
        return Blame(record, Culprit.POD, f"the gateway says: {record.body.strip()[:120]}")
    if mark.who == fingerprint.PICKER:
        return Blame(record, Culprit.PICKER, sign)
    if mark.who in (fingerprint.SERVER, fingerprint.SIDECAR):
        return Blame(record, Culprit.POD, sign)
    return Blame(record, Culprit.GATEWAY, sign)
