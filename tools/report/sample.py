"""`python -m tools.report.sample RUN`: the released sample of a run, without anything of the machine that it ran on.

From the record alone: the checkout is `.`, the home directory is `~`, and files of evidence, which are not part of a
sample, are not named. What still looks like a path of a machine or an address of the outside is refused.
"""

import ipaddress
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from tools.errors import UserError
from tools.paths import CHECKOUT
from tools.report import conformance
from tools.report.finished import locate, read_run
from tools.report.record import RunRecord, load
from tools.report.text import one_line
from tools.report.write import REPORTS, RUN, write_all

SAMPLE = CHECKOUT / "reports" / "sample"
_RUN_SCHEMA = Path(__file__).with_name("run.schema.yaml")
_PATH = re.compile(r"(?<![\w.~/$}<-])/(?:home|root|tmp|work|Users|private|mnt|srv)/[\w.@/-]+")
_ADDRESS = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
_NAMED_AT_MOST = 10


def main(arguments: list[str]) -> int:
    """Make the sample; print where it is.

    Args:
        arguments: a run's id or directory.

    Returns:
        exit status.
    """
    try:
        if len(arguments) != 1:
            raise UserError("a run", " ".join(arguments) or "nothing", next_step="make sample RUN=ID")
        make(locate(arguments[0]), SAMPLE)
    except UserError as error:
        print(f"the sample was not made\n{error}", file=sys.stderr)
        return 2
    print(f"sample: {SAMPLE.relative_to(CHECKOUT)}")
    return 0


def make(run: Path, sample: Path, homes: Mapping[str, str] | None = None) -> None:
    """Write the reports of a run once more, fit to be published.

    Args:
        run: directory of the run's reports.
        sample: where to.
        homes: what stands for directories of this machine; by default checkout and home directory.

    Raises:
        UserError: the run is of no commit, or something in it is not fit to be published.
    """
    record = neutral(read_run(run).record, {str(CHECKOUT): ".", str(Path.home()): "~"} if homes is None else homes)
    if record.suite.get("dirty") != "false":
        raise UserError(
            "a run of a commit",
            f"{record.run} ran with changes that are in no commit",
            next_step="commit them, run the cases again, then make sample",
        )
    texts = {name: write(record) for name, write in REPORTS.items()}
    if found := [line for name, text in texts.items() for line in unfit(name, text)]:
        raise UserError(
            "a run without paths and addresses of a machine",
            "\n    ".join(["", *found[:_NAMED_AT_MOST]]),
            next_step="run the cases again with nothing from outside the checkout on the command line",
        )
    if trouble := write_all(record, sample):
        raise UserError(f"to write {sample}", "; ".join(trouble))


def neutral(record: RunRecord, homes: Mapping[str, str]) -> RunRecord:
    """The record with other names for directories, and without files of evidence.

    Args:
        record: of the run.
        homes: directory to what stands for it; the longest are replaced first.
    """
    text = json.dumps(json.loads(REPORTS[RUN](record)))
    for directory in sorted(homes, key=len, reverse=True):
        whole = rf"(?<![\w/-]){re.escape(json.dumps(directory)[1:-1])}(?![\w-])"
        text = re.sub(whole, homes[directory], text)
    found = load(json.loads(text))
    return replace(found, cases=tuple(replace(each, evidence=()) for each in found.cases))


def unfit(name: str, text: str) -> Iterator[str]:
    """What is wrong with a report of a sample, one line each.

    Args:
        name: of the file.
        text: its content.
    """
    schema, value = _parsed(name, text)
    for error in jsonschema.Draft202012Validator(schema).iter_errors(value):
        yield f"{name}: {error.json_path}: {one_line(error.message)}"
    for number, line in enumerate(text.splitlines(), 1):
        yield from (f"{name}:{number}: {found}" for found in _PATH.findall(line))
        yield from (f"{name}:{number}: {found}" for found in _ADDRESS.findall(line) if _is_outside(found))


def _parsed(name: str, text: str) -> tuple[dict[str, Any], Any]:
    if name == RUN:
        return yaml.safe_load(_RUN_SCHEMA.read_text()), json.loads(text)
    if name == conformance.FILE:
        return yaml.safe_load(conformance.SCHEMA.read_text()), yaml.safe_load(text)
    return {}, None


def _is_outside(address: str) -> bool:
    """Whether it is an address of the internet; those for documentation and private use say nothing of anybody."""
    try:
        return ipaddress.IPv4Address(address).is_global
    except ValueError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
