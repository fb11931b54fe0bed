"""Budgets of waits as a profile promises them; `--timeout NAME=SECONDS` still counts more."""

from tools.profile.model import Profile
from tools.waiting import timeouts
from tools.waiting.timeouts import Budget


def budget(name: str, profile: Profile) -> Budget:
    """How long a wait may take for this profile.

    Args:
        name: of the timeout: `service-ready`, `answers` or `sidecars-in-sync`.
        profile: whose promise it is.
    """
    promised = {
        "service-ready": profile.budgets.ready_seconds,
        "answers": profile.budgets.answers_seconds,
        "sidecars-in-sync": profile.budgets.sync_seconds,
    }
    return timeouts.seconds(name) if name in timeouts.overridden() else Budget(promised[name], name)
