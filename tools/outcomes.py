"""How a case can end, and how much it weighs. Only FAILED speaks about the product."""

from enum import StrEnum


class Level(StrEnum):
    """How much a case weighs, as in the Gateway API's conformance."""

    CORE = "core"
    EXTENDED = "extended"


class Outcome(StrEnum):
    """How a case ended.

    Attributes:
        PASSED: the promise was seen kept.
        FAILED: the product broke the promise.
        BROKEN: the suite or the cluster could not tell.
        SKIPPED: by a person, with reason, issue and expiry date.
        NOT_SUPPORTED: a requirement is not met; the message has need and have.
        NOT_RUN: what it rests on failed before it (the service never became Ready, the run was ended).
    """

    PASSED = "passed"
    FAILED = "failed"
    BROKEN = "broken"
    SKIPPED = "skipped"
    NOT_SUPPORTED = "not supported"
    NOT_RUN = "not run"
