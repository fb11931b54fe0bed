"""A case: one promise, with its stable name, level, requirements and proofs; and what is refused at collection."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.cases.capabilities import BY_FIXTURE
from tools.cases.requirement import Requirement
from tools.faults.fault import Proof
from tools.outcomes import Level

MARK = "conformance"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_KEYS = {"name", "level", "requires", "fault", "checks"}


@dataclass(frozen=True)
class Case:
    """A promise that is checked.

    Attributes:
        name: stable and unique; reports, skips and baselines know it by this name.
        area: directory below suites/.
        level: core or extended.
        promise: the docstring.
        requires: what it needs, with what its fixtures imply.
        proofs: faults under which it must fail, with the words that the failure must have.
        checks: claims of the profile that it checks.
        where: `FILE:LINE`, relative to the checkout.
    """

    name: str
    area: str
    level: Level
    promise: str
    requires: tuple[Requirement, ...]
    proofs: tuple[Proof, ...]
    checks: tuple[str, ...]
    where: str


def read(
    marks: Mapping[str, Any], function: Callable[..., Any], fixtures: Iterable[str], area: str, where: str
) -> Case:
    """A case from the arguments of its mark; see `problems` for what is wrong with it.

    Args:
        marks: keyword arguments of `@pytest.mark.conformance`.
        function: the test function.
        fixtures: names of all fixtures that it uses.
        area: directory below suites/.
        where: `FILE:LINE`.

    Raises:
        ValueError: the arguments are not those of the mark.
    """
    if unknown := sorted(marks.keys() - _KEYS):
        raise ValueError(f"mark {MARK} has no {', '.join(unknown)}; it has {', '.join(sorted(_KEYS))}")
    try:
        level = Level(marks.get("level", ""))
    except ValueError:
        raise ValueError(f"level is {marks.get('level')!r}; it is core or extended") from None
    implied = [BY_FIXTURE[each] for each in sorted(set(fixtures)) if each in BY_FIXTURE]
    requires = tuple(dict.fromkeys([*_many(marks.get("requires", ())), *implied]))
    if wrong := [each for each in requires if not isinstance(each, Requirement)]:
        raise ValueError(f"requires has {wrong[0]!r}, which is no requirement")
    proofs = tuple(proofs_of(marks))
    if wrong := [each for each in proofs if not isinstance(each, Proof)]:
        raise ValueError(f"fault has {getattr(wrong[0], 'name', repr(wrong[0]))}; it takes FAULT.shows(WORDS)")
    promise = " ".join((function.__doc__ or "").split())
    checks = tuple(_many(marks.get("checks", ())))
    return Case(str(marks.get("name", "")), area, level, promise, requires, proofs, checks, where)


def proofs_of(marks: Mapping[str, Any]) -> list[Any]:
    """The proofs among the arguments of a mark, be they what they should be or not."""
    return _many(marks.get("fault", ()))


def problems(case: Case, features: Iterable[str], claims: Iterable[str]) -> list[str]:
    """What is wrong with one case, a line each.

    Args:
        case: the case.
        features: names of all features that are detected.
        claims: names of all claims that a profile can make.
    """
    wrong = [] if _NAME.fullmatch(case.name) else [f"name {case.name!r} is not of the form words-with-dashes"]
    wrong += [] if case.promise.endswith(".") and len(case.promise) > 20 else ["its docstring is not a sentence"]
    wrong += [] if case.proofs else ["it has no fault: a check that cannot fail is a bug"]
    wrong += [f"fault {each.fault.name} shows no words" for each in case.proofs if not each.words]
    known = set(features)
    wrong += [
        f"no such feature: {each.feature}" for each in case.requires if each.feature and each.feature not in known
    ]
    known = set(claims)
    named = [*(each.claim for each in case.requires if each.claim), *case.checks]
    wrong += [f"no such claim of a profile: {each}" for each in named if each not in known]
    return [f"{case.where}: {line}" for line in wrong]


def twice(cases: Iterable[Case]) -> list[str]:
    """Names that several functions have, a line each."""
    places: dict[str, set[str]] = {}
    for case in cases:
        places.setdefault(case.name, set()).add(case.where)
    return [f"{', '.join(sorted(at))}: two cases are named {name}" for name, at in places.items() if len(at) > 1]


def orphans(suites: Path) -> list[str]:
    """Files beside cases that belong to none: a manifest has its case's file name as stem, and that file exists."""
    stems = {path.with_suffix("") for path in suites.rglob("test_*.py")}
    found = [*suites.rglob("*.yaml"), *suites.rglob("*.yml")]
    # `test_x.yaml` and `test_x.part.yaml` both belong to test_x.py.
    return [
        f"{path.relative_to(suites.parent)}: no case has this manifest"
        for path in sorted(found)
        if path.with_name(path.name.split(".")[0]) not in stems
    ]


def by_level(cases: Iterable[Case]) -> dict[Level, int]:
    """How many cases there are of each level."""
    return dict(Counter(case.level for case in cases))


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
