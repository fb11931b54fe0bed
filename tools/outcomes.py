"""How a case can end, and how much it weighs. Only FAILED and KNOWN_ISSUE speak against the product."""

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
        KNOWN_ISSUE: the product broke the promise just as an entry of manifests/known-issues.yaml says that it does.
        BROKEN: the suite or the cluster could not tell.
        SKIPPED: by a person, with reason, issue and expiry date.
        NOT_SUPPORTED: a requirement is not met; the message has need and have.
        NOT_RUN: what it rests on failed before it (the service never became Ready, the run was ended).
    """

    PASSED = "passed"
    FAILED = "failed"
    KNOWN_ISSUE = "known issue"
    BROKEN = "broken"
    SKIPPED = "skipped"
    NOT_SUPPORTED = "not supported"
    NOT_RUN = "not run"


class Sighting(StrEnum):
    """What a run saw of a known issue.

    Attributes:
        SEEN: the case failed with all of its words.
        NOT_SEEN: the case passed, so the entry may go.
        ANOTHER: the case failed with other words: something else is wrong.
        EXPIRED: the case failed with all of its words, after the entry's last day.
    """

    SEEN = "seen"
    NOT_SEEN = "not seen"
    ANOTHER = "another failure"
    EXPIRED = "expired"
