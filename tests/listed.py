"""The listed faults of this field and what catches each: tests/data/faults.json, and a file for each area in catches/.

`python -m tests.listed` prints the page docs/faults.md; `python -m tests.listed RUN/prove.json …` tells how many of the
listed faults these runs have proved live: injected on a cluster, and seen by the case that should see them.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

_DATA = Path(__file__).parent / "data"
FAULTS = _DATA / "faults.json"
CATCHES = _DATA / "catches"
_KEYS = {frozenset(each) for each in (("case", "fault"), ("case", "recorded"), ("why",), ("later",))}
_HEAD = """# Faults and what catches them

Made by `python -m tests.listed > docs/faults.md`; a test keeps it true.

How an LLMInferenceService on Istio is known to be wrong, as users have met it, and which [case](cases.md) says so. S1
stops requests or a sign-off, S3 is a nuisance; a silent one leaves every status that `kubectl` shows in order. *Live*
means that `pytest --prove` injects it on a cluster and sees the case fail with the words that name the cause;
*recorded*, that the project's own tests see it in recorded objects, because it needs hardware or a cloud.
"""


@dataclass(frozen=True)
class Listed:
    """A fault of the list.

    Attributes:
        id: for example `RTE-01`.
        group: what it is about.
        severity: `S1` to `S3`.
        silent: whether every status is in order all the same.
        symptom: what a user sees.
    """

    id: str
    group: str
    severity: str
    silent: bool
    symptom: str


@dataclass(frozen=True)
class Catch:
    """What catches a listed fault; or why nothing does.

    Attributes:
        id: of the listed fault.
        where: the file that says so.
        case: the case that fails.
        fault: the function that injects it live.
        recorded: the test that has it in recorded objects.
        why: it cannot be caught here.
        later: the area that will catch it, and the issue that is about it.
    """

    id: str
    where: str
    case: str = ""
    fault: str = ""
    recorded: str = ""
    why: str = ""
    later: str = ""


def listed(path: Path = FAULTS) -> tuple[Listed, ...]:
    """The list, in its order."""
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return tuple(Listed(*(row[key] for key in ("id", "group", "severity", "silent", "symptom"))) for row in rows)


def catches(directory: Path = CATCHES) -> tuple[Catch, ...]:
    """What all files say, an id that is in two files twice.

    Raises:
        ValueError: an entry has other keys than those of one of its forms.
    """
    return tuple(each for path in sorted(directory.glob("*.yaml")) for each in _of_file(path))


def proved(files: Iterable[Path], known: Iterable[Catch]) -> tuple[str, ...]:
    """Ids of the listed faults that were seen live by their case, on every accelerator on which it was tried.

    Args:
        files: `prove.json` of one run, or of several that have proved parts.
        known: what catches what.
    """
    found: dict[tuple[str, str], set[bool]] = {}
    for path in files:
        for each in json.loads(path.read_text())["proofs"]:
            if not each["left_out"]:
                found.setdefault((each["case"], each["fault"]), set()).add(bool(each["proven"]))
    return tuple(each.id for each in known if found.get((each.case, each.fault)) == {True})


def page(faults: Sequence[Listed], known: Iterable[Catch]) -> str:
    """The page docs/faults.md."""
    by_id = {each.id: each for each in known}
    live = sum(bool(each.fault) for each in by_id.values())
    recorded = sum(bool(each.recorded) for each in by_id.values())
    lines = [_HEAD, f"Of {len(faults)} listed faults {live} are caught live and {recorded} on recorded objects.", ""]
    for group, of_group in groupby(faults, key=lambda each: each.group):
        lines += [f"## {group}", "", "| fault | what a user sees | caught by |", "|---|---|---|"]
        lines += [_row(each, by_id) for each in of_group]
        lines.append("")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Print the page, or how many of the listed faults the named runs have proved.

    Args:
        arguments: of the command line.

    Returns:
        exit status.
    """
    faults, known = listed(), catches()
    if not arguments:
        print(page(faults, known), end="")
        return 0
    found = proved([Path(each) for each in arguments], known)
    there = {each.id for each in known if each.fault}
    print(f"{len(found)} of {len(faults)} listed faults proved live")
    if lacking := sorted(there - {*found}):
        print(f"not in these runs, or not proved: {', '.join(lacking)}")
    return 0


def _of_file(path: Path) -> Iterator[Catch]:
    rows: dict[str, dict[str, str]] = yaml.safe_load(path.read_text()) or {}
    for name, row in rows.items():
        if frozenset(row) not in _KEYS:
            raise ValueError(
                f"{path.name}: {name}: case and fault, case and recorded, why, or later; not {sorted(row)}"
            )
        yield Catch(name, path.name, **row)


def _row(fault: Listed, known: Mapping[str, Catch]) -> str:
    weight = f"{fault.severity}, silent" if fault.silent else fault.severity
    symptom = " ".join(fault.symptom.split()).replace("|", "\\|")
    return f"| {fault.id} ({weight}) | {symptom} | {_caught(known.get(fault.id))} |"


def _caught(catch: Catch | None) -> str:
    if catch is None:
        return "nothing yet"
    if catch.case:
        how = f"live, by `{catch.fault}`" if catch.fault else "recorded"
        return f"[`{catch.case}`](cases.md#{catch.case}), {how}"
    return f"later: {catch.later}" if catch.later else f"not here: {catch.why}".replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
