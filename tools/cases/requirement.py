"""Requirements: what a case needs, and whether it is there. The only source of NOT SUPPORTED. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tools.profile import Profile
from tools.report.record import FeatureRecord


@dataclass(frozen=True)
class Finding:
    """Whether a requirement is met.

    Attributes:
        ok: met or not; None before there is a cluster to look at.
        need: what is needed, in words.
        have: what there is, with where that was seen.
    """

    ok: bool | None
    need: str
    have: str

    def __str__(self) -> str:
        return f"need {self.need}; have {self.have}"


@dataclass(frozen=True)
class Facts:
    """What requirements are decided on.

    Attributes:
        profile: what is promised.
        capabilities: what the run may do, by name (`tools.cases.capabilities`); options and access review have decided.
        features: what the cluster has, by name; None before there is a cluster.
    """

    profile: Profile
    capabilities: Mapping[str, Finding] = field(default_factory=dict)
    features: Mapping[str, FeatureRecord] | None = None


@dataclass(frozen=True)
class Requirement:
    """Something that a case needs.

    Attributes:
        name: as the documentation of cases shows it.
        decide: tells whether it is met.
        feature: the feature that it is about, if it is about one.
        claim: the promise of a profile that it is about, if it is about one.
    """

    name: str
    decide: Callable[[Facts], Finding]
    feature: str = ""
    claim: str = ""


def feature(name: str) -> Requirement:
    """The cluster has a feature."""

    def decide(facts: Facts) -> Finding:
        need = f"the feature {name}"
        if facts.features is None:
            return Finding(None, need, "no cluster yet")
        found = facts.features.get(name)
        if found is None:
            return Finding(False, need, "it was not looked for on this cluster")
        return Finding(found.present is True, need, f"{found.have} ({found.evidence})")

    return Requirement(f"feature {name}", decide, feature=name)


def claimed(name: str) -> Requirement:
    """The profile promises something."""

    def decide(facts: Facts) -> Finding:
        promised = facts.profile.claims()
        if name in promised:
            return Finding(True, f"a profile that promises {name}", promised[name])
        return Finding(False, f"a profile that promises {name}", f"profile {facts.profile.name} does not")

    return Requirement(f"promise {name}", decide, claim=name)


def may(name: str) -> Requirement:
    """The run may do something, by its options and by the user's rights."""

    def decide(facts: Facts) -> Finding:
        return facts.capabilities.get(name, Finding(None, name, "decided when there is a cluster"))

    return Requirement(name, decide)


def unmet(requires: tuple[Requirement, ...], facts: Facts) -> list[Finding]:
    """Findings of the requirements that are not met; those that nobody can tell yet are not among them."""
    found = [each.decide(facts) for each in requires]
    return list(dict.fromkeys(each for each in found if each.ok is False))
