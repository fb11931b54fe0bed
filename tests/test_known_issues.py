"""Known issues: an entry is for certain words in certain versions until a day, and says where it is being solved."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.errors import UserError
from tools.known_issues import KNOWN_ISSUES, KnownIssue, load_known_issues, sightings
from tools.outcomes import Sighting

ENTRY: dict[str, Any] = {
    "case": "route-own-answers",
    "words": ["answered by", "the other service"],
    "link": "https://github.com/istio/istio/issues/7",
    "what": "istiod merges\n  virtual hosts.",
    "versions": {"istio": ">=1.29,<1.32"},
    "since": "2026-11-24",
    "expires": "2026-12-31",
}


def names() -> list[str]:
    return ["route-own-answers", "mesh-sidecars-are-in-sync"]


FAILURE = "expected: its own answer\nobserved: it was answered by\n                the other\n  service"
VERSIONS = {"istio": "1.31.0", "kserve": "0.19.0"}


def written(tmp_path: Path, *entries: dict[str, Any]) -> Path:
    path = tmp_path / "known-issues.yaml"
    path.write_text(yaml.safe_dump(list(entries), sort_keys=False))
    return path


def without(key: str) -> dict[str, Any]:
    return {each: value for each, value in ENTRY.items() if each != key}


def seen(issues: tuple[KnownIssue, ...], **changes: Any) -> list[Sighting]:
    asked: dict[str, Any] = {
        "case": ENTRY["case"],
        "accelerator": "gpu",
        "versions": VERSIONS,
        "today": date(2026, 12, 31),
        "failure": FAILURE,
    }
    return [each.sighting for each in sightings(issues, **asked | changes)]


def test_the_shipped_file_is_in_order() -> None:
    load_known_issues()


def test_the_example_of_the_shipped_file_is_an_entry(tmp_path: Path) -> None:
    lines = [line.removeprefix("#").removeprefix(" ") for line in KNOWN_ISSUES.read_text().splitlines()]
    begin = next(index for index, line in enumerate(lines) if line.startswith("- case:"))
    path = tmp_path / "known-issues.yaml"
    path.write_text("\n".join(lines[begin : begin + len(ENTRY)]))
    assert [each.case for each in load_known_issues(path)] == ["mesh-sidecars-are-in-sync"]


def test_an_entry_is_read_with_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, ENTRY)
    assert load_known_issues(path, names) == (
        KnownIssue(
            "route-own-answers",
            "",
            ("answered by", "the other service"),
            "https://github.com/istio/istio/issues/7",
            "istiod merges virtual hosts.",
            {"istio": ">=1.29,<1.32"},
            date(2026, 11, 24),
            date(2026, 12, 31),
            f"{path}:1:3",
        ),
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, [Sighting.SEEN]),
        ({"today": date(2027, 1, 1)}, [Sighting.EXPIRED]),
        ({"failure": "answered by nobody"}, [Sighting.ANOTHER]),
        ({"failure": None}, [Sighting.NOT_SEEN]),
        ({"failure": None, "today": date(2027, 1, 1)}, [Sighting.NOT_SEEN]),
        ({"case": "route-own"}, []),
        ({"versions": {"istio": "1.32.0"}}, []),
        ({"versions": {}}, []),
        # Some patch releases of such a branch may be outside.
        ({"versions": {"istio": "1.31-alpha.1"}}, [Sighting.SEEN]),
    ],
)
def test_what_a_case_ends_with_is_held_against_the_entry(
    tmp_path: Path, changes: dict[str, Any], expected: list[Sighting]
) -> None:
    assert seen(load_known_issues(written(tmp_path, ENTRY)), **changes) == expected


def test_all_versions_have_to_fit(tmp_path: Path) -> None:
    issues = load_known_issues(written(tmp_path, ENTRY | {"versions": {"istio": ">=1.29", "kserve": ">=0.20"}}))
    assert seen(issues) == []
    assert seen(issues, versions={"istio": "1.29.0", "kserve": "0.20.0"}) == [Sighting.SEEN]


def test_an_entry_may_be_for_one_accelerator(tmp_path: Path) -> None:
    issues = load_known_issues(written(tmp_path, ENTRY | {"accelerator": "tpu"}))
    assert (seen(issues), seen(issues, accelerator="tpu")) == ([], [Sighting.SEEN])


def test_of_two_issues_of_a_case_the_one_that_is_seen_is_told(tmp_path: Path) -> None:
    issues = load_known_issues(written(tmp_path, ENTRY | {"words": ["404"]}, ENTRY))
    assert seen(issues) == [Sighting.SEEN]
    assert seen(issues, failure="500") == [Sighting.ANOTHER, Sighting.ANOTHER]


def test_what_is_told_has_the_link_the_days_and_the_place(tmp_path: Path) -> None:
    path = written(tmp_path, ENTRY)
    issues = load_known_issues(path)
    told = (
        f"istiod merges virtual hosts. ({ENTRY['link']}; since 2026-11-24, until 2026-12-31; {path}:1:3)"
    )  # fmt: skip
    texts = {
        each.sighting: each.text
        for day, failure in ((31, FAILURE), (31, None), (31, "x"))
        for each in sightings(issues, "route-own-answers", "gpu", VERSIONS, date(2026, 12, day), failure)
    }
    assert texts[Sighting.SEEN] == told
    assert texts[Sighting.NOT_SEEN] == f"a known issue was not seen, next: remove its entry: {told}"
    assert "whose words are 'answered by', 'the other service'" in texts[Sighting.ANOTHER]


@pytest.mark.parametrize("key", ENTRY)
def test_an_entry_without_one_of_its_keys_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(UserError, match=f"'{key}' is missing"):
        load_known_issues(written(tmp_path, without(key)), names)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"case": "route-own-answer"}, "there is no case 'route-own-answer'; did you mean route-own-answers?"),
        ({"words": []}, "words"),
        ({"words": [" "]}, "words"),
        ({"link": "KServe 7"}, "https://example.com/1"),
        ({"what": "bad"}, "what"),
        ({"versions": {}}, "versions"),
        ({"versions": {"envoy": ">=1"}}, "envoy: no such key"),
        ({"versions": {"istio": "new"}}, "'new' is no range of versions, for example >=1.29,<1.32"),
        ({"expires": "tomorrow"}, "tomorrow is not a date"),
        ({"version": "1"}, "did you mean versions?"),
    ],
)
def test_what_is_not_in_order_is_refused_with_its_place(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError) as caught:
        load_known_issues(written(tmp_path, ENTRY | changes), names)
    assert says in str(caught.value)
    assert f"{tmp_path}/known-issues.yaml:" in str(caught.value)
