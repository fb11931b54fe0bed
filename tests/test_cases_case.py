"""A case is read from its mark; what is not in order is told, and what is, is not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.frame.fakes import harmless
from tools.cases.capabilities import EXCLUSIVE, PICKER_METRICS, TRAFFIC
from tools.cases.case import Case, by_level, orphans, problems, proofs_of, read, twice
from tools.cases.index import all_cases
from tools.cases.requirement import claimed, feature
from tools.outcomes import Level

PROOF = harmless.shows("words")
MARK = {"name": "pool-is-there", "level": "core", "fault": PROOF}


def promise() -> None:
    """The pool is there,
    and selects servers.
    """


def made(fixtures: tuple[str, ...] = (), **changes: Any) -> Case:
    return read(MARK | changes, promise, fixtures, "pool", "suites/pool/test_pool.py:7")


def test_a_case_is_read_from_its_mark() -> None:
    case = made(("client", "service", "metrics_token", "root_client"), requires=EXCLUSIVE, checks="pool")
    assert case == Case(
        "pool-is-there",
        "pool",
        Level.CORE,
        "The pool is there, and selects servers.",
        (EXCLUSIVE, TRAFFIC, PICKER_METRICS),
        (PROOF,),
        ("pool",),
        "suites/pool/test_pool.py:7",
    )
    assert problems(case, ["a-feature"], ["pool"]) == []


def test_what_a_fixture_implies_is_needed_once() -> None:
    assert made(("client",), requires=[TRAFFIC]).requires == (TRAFFIC,)


def test_one_proof_or_several() -> None:
    assert proofs_of({"fault": PROOF}) == proofs_of({"fault": [PROOF]}) == proofs_of({"fault": (PROOF,)}) == [PROOF]
    assert proofs_of({}) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"faults": PROOF}, "mark conformance has no faults; it has checks, fault, level, name, requires"),
        ({"level": "important"}, "level is 'important'; it is core or extended"),
        ({"level": None}, "level is None; it is core or extended"),
        ({"requires": ["luck"]}, "requires has 'luck', which is no requirement"),
        ({"fault": harmless}, "fault has harmless; it takes FAULT.shows"),
        ({"fault": "harmless"}, "fault has 'harmless'; it takes FAULT.shows"),
    ],
)
def test_arguments_that_are_not_those_of_the_mark(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        made(**changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "pool"}, "name 'pool' is not of the form words-with-dashes"),
        ({"name": "Pool-Is"}, "name 'Pool-Is' is not of the form words-with-dashes"),
        ({"name": ""}, "name '' is not of the form words-with-dashes"),
        ({"promise": "the pool is there somewhere"}, "its docstring is not a sentence"),
        ({"promise": "There."}, "its docstring is not a sentence"),
        ({"proofs": ()}, "it has no fault: a check that cannot fail is a bug"),
        ({"proofs": (harmless.shows(),)}, "fault harmless shows no words"),
        ({"requires": (feature("telepathy"),)}, "no such feature: telepathy"),
        ({"requires": (claimed("luck"),)}, "no such claim of a profile: luck"),
        ({"checks": ("luck",)}, "no such claim of a profile: luck"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(changes: dict[str, Any], words: str) -> None:
    case = replace(made(), **changes)
    assert problems(case, ["a-feature"], ["pool"]) == [f"suites/pool/test_pool.py:7: {words}"]


def test_a_feature_and_a_claim_that_there_are() -> None:
    assert problems(made(requires=[feature("a-feature"), claimed("pool")]), ["a-feature"], ["pool"]) == []


def test_a_name_is_had_by_one_function_only() -> None:
    """A function is collected once for each accelerator."""
    case, other = made(), replace(made(), where="suites/route/test_route.py:9")
    assert twice([case, case]) == []
    assert twice([case, other, case]) == [
        "suites/pool/test_pool.py:7, suites/route/test_route.py:9: two cases are named pool-is-there"
    ]


def test_levels_are_counted() -> None:
    assert by_level([made(), made(), made(level="extended")]) == {Level.CORE: 2, Level.EXTENDED: 1}


def test_a_manifest_beside_no_case_is_an_orphan(tmp_path: Path) -> None:
    directory = tmp_path / "suites" / "pool"
    directory.mkdir(parents=True)
    for name in ("test_pool.py", "test_pool.yaml", "test_pool.second.yml", "test_gone.yaml", "notes.yml"):
        (directory / name).touch()
    assert orphans(tmp_path / "suites") == [
        "suites/pool/notes.yml: no case has this manifest",
        "suites/pool/test_gone.yaml: no case has this manifest",
    ]


INDEXED = '''
import pytest

@pytest.mark.conformance(name="pool-{name}", level="core")
def test_{name}(service):
    """A promise."""

def helper():
    pass

test_number = 7
'''


@pytest.fixture
def suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of suites of its own, under a name that no other test imports."""
    path = tmp_path / f"suites_{tmp_path.name.replace('-', '_')}"
    (path / "pool").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)
    return path


def test_all_cases_are_read_from_their_files(suites: Path) -> None:
    for name in ("second", "first"):
        (suites / "pool" / f"test_{name}.py").write_text(INDEXED.format(name=name))
    found = all_cases(suites)
    assert [case.name for case in found] == ["pool-first", "pool-second"]
    assert [case.where for case in found] == [f"{suites.name}/pool/test_{each}.py:4" for each in ("first", "second")]


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("", r"test_pool\.py:4: test_one needs one @pytest\.mark\.conformance\(…\), and has 0"),
        ("@pytest.mark.conformance('pool-one')", r"test_pool\.py:4: the mark conformance takes keywords only"),
        ("@pytest.mark.conformance(level='hard')", r"test_pool\.py:4: level is 'hard'"),
    ],
)
def test_a_function_without_a_mark_is_told_with_its_place(suites: Path, mark: str, words: str) -> None:
    text = f'import pytest\n\n\n{mark}\ndef test_one(service):\n    """A promise."""\n'
    (suites / "pool" / "test_pool.py").write_text(text.replace("\n\n\n\n", "\n\n\n"))
    with pytest.raises(ValueError, match=words):
        all_cases(suites)


def test_a_case_outside_of_all_areas_is_told_with_its_place(suites: Path) -> None:
    (suites / "test_lost.py").write_text(INDEXED.format(name="lost"))
    with pytest.raises(ValueError, match=r"test_lost\.py:4: it is in no area: a case is in suites/AREA/test_TOPIC\.py"):
        all_cases(suites)
