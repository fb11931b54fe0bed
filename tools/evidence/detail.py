"""How much of a cluster's traffic evidence may hold: everything, or only what this run itself sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Detail(StrEnum):
    """Levels of evidence, as `--evidence` has them."""

    FULL = "full"
    MINIMAL = "minimal"


@dataclass(frozen=True)
class Kept:
    """What a level keeps.

    Attributes:
        bodies: of requests and answers.
        logs: of containers that others' requests pass through: servers, sidecars, pickers, gateways. Lines about the
            case's own requests are kept in any case.
        last_words: termination messages, which Kubernetes may take from a server's log.
    """

    bodies: bool
    logs: bool
    last_words: bool


KEPT: Mapping[Detail, Kept] = {
    Detail.FULL: Kept(bodies=True, logs=True, last_words=True),
    Detail.MINIMAL: Kept(bodies=False, logs=False, last_words=False),
}
