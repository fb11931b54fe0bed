"""A run that may go out, and its rehearsal, for tests of what is decided from records."""

from typing import Any

from tests.report_runs import STANDIN, case, run
from tools.report.record import CaseRecord, ProfileRecord, RunRecord

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PROFILE = ProfileRecord(
    "gke-t4",
    "manifests/profiles/gke-t4.yaml",
    "d" * 64,
    "gpu",
    {"minimum_executed": 2, "prove_rate_minimum": 0, "budgets_certified": True},
    {"kserve": ">=0.19,<0.20"},
)


def release(*cases: CaseRecord, **changes: Any) -> RunRecord:
    """A run on the real thing in which everything passed, plus these cases, with these changes."""
    facts: dict[str, Any] = {
        "suite": {"version": "0.1.0", "commit": COMMIT, "dirty": "false"},
        "profiles": (PROFILE,),
        "claims": {"sidecars": "every server has a sidecar"},
    }
    return run(case("url-is-right"), case("sidecar-is-there", checks=("sidecars",)), *cases, **facts | changes)


def rehearsal(*cases: CaseRecord, **changes: Any) -> RunRecord:
    """The same on the local cluster."""
    local: dict[str, Any] = {"provider": "local", "installed": True, "standins": (STANDIN,), "accelerator_real": False}
    return release(*cases, **local | changes)
