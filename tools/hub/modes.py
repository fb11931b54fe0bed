"""How the hub behaves towards those who ask for one model: well, or in one of the ways in which downloads fail."""

from enum import StrEnum


class Mode(StrEnum):
    """A behaviour.

    Attributes:
        WELL: as the real hub.
        OPEN: a gated model is given to anybody.
        REFUSED: nobody is given files: 401, as for a token that is not known.
        FORBIDDEN: nobody is given files: 403, as for a token whose owner has not accepted the licence.
        MISSING: the weights are listed, and 404.
        BUSY: 429 to everything.
        DOWN: 503 to everything.
        STALLED: the weights come a byte at a time, for ever.
        SLOW: the weights take some seconds.
        PRIVATE_AUTHORITY: everything is elsewhere, by TLS with a certificate of an authority that nobody knows.
        UNKNOWN_HOST: the weights are on a host that no DNS knows.
        UNREACHABLE: the weights are on a host to which there is no way.
    """

    WELL = "well"
    OPEN = "open"
    REFUSED = "refused"
    FORBIDDEN = "forbidden"
    MISSING = "missing"
    BUSY = "busy"
    DOWN = "down"
    STALLED = "stalled"
    SLOW = "slow"
    PRIVATE_AUTHORITY = "private-authority"
    UNKNOWN_HOST = "unknown-host"
    UNREACHABLE = "unreachable"
