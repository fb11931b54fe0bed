"""`llmisvc-conformance signoff`: decide on a finished run, or see whether the files are as they were then."""

import argparse
import os
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.errors import UserError
from tools.paths import CHECKOUT
from tools.report.exit_codes import OF_VERDICT, ExitCode
from tools.report.finished import SIGNOFF, FinishedRun, checksum, locate
from tools.report.signoff import SIGNED, read_untouched, sign, verify
from tools.report.text import counted, one_line
from tools.report.verdict import Verdict

_SHOWN = 10
_HELP = "decide on a finished run, write signoff.json; with --verify: see whether its files are as they were then"


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = commands.add_parser("signoff", help=_HELP, description=__doc__)
    parser.add_argument("finished", metavar="RUN", help="id of a run in reports/, or the directory of one")
    parser.add_argument("--baseline", metavar="RUN", help="an earlier run: tell what changed since")
    parser.add_argument(
        "--proof", metavar="RUN", help="run of the same commit that proved the cases (default: RUN itself)"
    )
    parser.add_argument("--by", metavar="NAME", help="who signs (default: git's user.name, else $USER)")
    parser.add_argument("--verify", action="store_true", help="sign nothing, and compare the files with signoff.json")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Carry it out.

    Returns:
        0 when signed off (`--verify`: and nothing has changed since), 1 when the product failed or files have changed,
        10 for a rehearsal, 11 when a rule is not kept.

    Raises:
        UserError: the run, the baseline or the proof cannot be used; nothing is written.
    """
    directory = locate(options.finished)
    if options.verify:
        if unused := [name for name in ("baseline", "proof", "by") if getattr(options, name)]:
            raise UserError("--verify alone: it signs nothing", f"--{unused[0]}", next_step="leave one of them out")
        return _verify(directory)
    found, baseline, proof = (
        read_untouched(locate(each)) if each else None for each in (options.finished, options.baseline, options.proof)
    )
    assert found is not None
    _refuse_itself(found, baseline)
    value = sign(found, options.by or _who(), datetime.now(UTC), baseline, proof)
    print("\n".join(_told(value, directory)))
    if value["decision"] == SIGNED:
        return ExitCode.RELEASABLE
    return OF_VERDICT[Verdict(value["verdict"]["verdict"])] or ExitCode.INCONCLUSIVE


def _verify(directory: Path) -> int:
    found = verify(directory)
    print(f"{found.decision} by {found.by} at {found.at}")
    for label, names in (
        ("changed since", found.changed),
        ("missing", found.missing),
        ("added, not signed", found.added),
    ):
        for name in names:
            print(f"  {label}: {name}")
    if not found.intact:
        print("the files are NOT those that were decided on")
        return ExitCode.PRODUCT_FAILURE
    print(f"every file that was decided on is as it was; SHA-256 of {SIGNOFF}: {checksum(directory / SIGNOFF)}")
    return ExitCode.RELEASABLE if found.decision == SIGNED else ExitCode.INCONCLUSIVE


def _refuse_itself(run: FinishedRun, baseline: FinishedRun | None) -> None:
    if baseline and baseline.record.run == run.record.run:
        raise UserError("an earlier run as baseline", f"{run.record.run} itself", next_step="name another run")


def _who() -> str:
    git = shutil.which("git")
    asked = [git, "-C", str(CHECKOUT), "config", "user.name"] if git else None
    name = subprocess.run(asked, capture_output=True, text=True).stdout.strip() if asked else ""
    if found := name or os.environ.get("USER", ""):
        return found
    raise UserError("a name to sign with", "neither git's user.name nor $USER is set", next_step="--by NAME")


def _told(value: Mapping[str, Any], directory: Path) -> list[str]:
    facts, broken = value["run"], [each for each in value["rules"] if not each["ok"]]
    profiles = ", ".join(each["name"] for each in value["profiles"]) or "none"
    where = facts["context"] or "no cluster"
    lines = [f"run {facts['id']} on {where} ({facts['provider']}), profile {profiles}"]
    lines += [f"verdict: {value['verdict']['verdict']}", *(f"  {each}" for each in value["verdict"]["reasons"])]
    lines += ["rules:"]
    for each in value["rules"]:
        lines.append(f"  {'kept' if each['ok'] else 'NOT KEPT':<9}{each['name']:<19}{each['have']}")
        lines += [] if each["ok"] else [f"{'':<30}needed: {each['need']}"]
    lines += _told_changes(value["baseline"])
    signed = value["signed"]
    if broken:
        lines.append(f"REFUSED, {counted(len(broken), 'rule')} not kept: {', '.join(each['name'] for each in broken)}")
    else:
        lines.append(f"SIGNED OFF by {signed['by']} at {signed['at']}")
    path = directory / SIGNOFF
    return [*lines, f"{path}, {counted(len(value['files']), 'file')}; SHA-256 of it: {checksum(path)}"]


def _told_changes(baseline: Mapping[str, Any] | None) -> list[str]:
    if baseline is None:
        return ["no baseline: nothing is said about what changed"]
    found = {kind: changes for kind, changes in baseline["changes"].items() if changes}
    lines = [f"changed since {baseline['run']}:" if found else f"nothing changed since {baseline['run']}"]
    for kind, changes in found.items():
        for each in changes[:_SHOWN]:
            lines.append(f"  {kind}: {each['what']}: {one_line(each['was'])} -> {one_line(each['now'])}")
        if len(changes) > _SHOWN:
            lines.append(f"  {kind}: {len(changes) - _SHOWN} more, see {SIGNOFF}")
    return lines
