"""No false alarm, however the cases are dealt out: ten runs of everything that is not disruptive, as JSON lines.

    llmisvc-conformance up; python benchmarks/verdicts.py; llmisvc-conformance down

Each line has the commit, the machine, how the run was dealt out, how long it took, its verdict and each case's outcome.
On an unbroken cluster. Ends with 1 if two runs differ in anything but time, or if a case failed, broke or did not run.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tools.outcomes import Outcome
from tools.paths import CHECKOUT
from tools.report.record import load
from tools.report.verdict import judge
from tools.suite import suite

# A case that skips or is not supported is no alarm; that it is so in one run alone is a difference.
_ALARMS = {str(each) for each in (Outcome.FAILED, Outcome.BROKEN, Outcome.NOT_RUN)}
# Workers, and the seed of a random order; None keeps the suite's own order.
_DEALT = ["0", "2", "4", "0:1", "0:2", "2:3", "2:4", "4:5", "4:6", "4:7"]


def main(arguments: list[str]) -> int:
    """Run all, write a line each, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, default=CHECKOUT / "reports" / "verdicts.jsonl")
    parser.add_argument("-m", "--marks", default="(gpu or tpu) and not disruptive")
    parser.add_argument("dealt", nargs="*", default=_DEALT, metavar="WORKERS[:SEED]", help="a run each")
    given = parser.parse_args(arguments)
    given.file.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    with given.file.open("a") as lines:
        for each in given.dealt:
            workers, _, seed = each.partition(":")
            rows.append(_run(given.marks, int(workers), int(seed) if seed else None))
            lines.write(json.dumps(rows[-1]) + "\n")
            lines.flush()
            print(f"{each}: {rows[-1]['verdict']} in {rows[-1]['seconds']} s", flush=True)
    alarms = sorted(
        f"{name} {outcome}" for row in rows for name, outcome in row["outcomes"].items() if outcome in _ALARMS
    )
    kinds = {json.dumps([row["verdict"], row["outcomes"]]) for row in rows}
    print(f"{len(rows)} runs, {len(kinds)} different results; {given.file}")
    print(f"{sum(len(row['outcomes']) for row in rows)} cases ended, {len(alarms)} false alarms")
    for each, number in Counter(alarms).items():
        print(f"  {number} x {each}")
    return 0 if len(kinds) == 1 and not alarms else 1


def _run(marks: str, workers: int, seed: int | None) -> dict[str, Any]:
    order = [] if seed is None else ["--shuffle", f"--randomly-seed={seed}"]
    command = [sys.executable, "-m", "pytest", "-m", marks, "-n", str(workers), "-p", "no:cacheprovider"]
    started = time.monotonic()
    done = subprocess.run([*command, *order], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    seconds = round(time.monotonic() - started, 1)
    line = next((line for line in done.stdout.splitlines() if line.startswith("run: ")), "")
    directory = CHECKOUT / line.rpartition(" ")[2]
    if not line or not (directory / "run.json").is_file():
        raise SystemExit(f"a run without a record\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    record = load(json.loads((directory / "run.json").read_text()))
    return {
        "suite": suite(),
        "machine": {"cores": os.cpu_count(), "system": platform.platform()},
        "workers": workers,
        "seed": seed,
        "seconds": seconds,
        "status": done.returncode,
        "verdict": str(judge(record).verdict),
        "outcomes": {
            f"{each.name}[{each.accelerator}]": str(each.outcome)
            for each in sorted(record.cases, key=lambda each: (each.name, each.accelerator))
        },
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
