"""What a picker's last words mean."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tools.kube.picker_health import cause, trouble, trouble_of_several


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("unknown flag: --no-such\nUsage of /app/epp:", ["unknown flag: --no-such", "not those of its image"]),
        ("flag provided but not defined: -x", ["not defined: -x", "not those of its image"]),
        ('flag "lora-info-metric" is deprecated and cannot be used', ["lora-info-metric", "refuses since"]),
        ("plugin type 'x-scorer' is not registered", ["x-scorer", "does not have"]),
        ("plugin type 'x-scorer' is not found in registry", ["x-scorer", "does not have"]),
        ('strict decoding error: unknown field "foo"', ["foo", "field that its image does not know"]),
        ("schedulingProfiles[default] references undefined plugin 'q'", ["'q'", "does not define"]),
        (
            'pods is forbidden: User \\"system:serviceaccount:n:a\\" cannot list resource \\"pods\\" in API group',
            ["pods is forbidden", 'cannot list resource "pods"', "lacks rights"],
        ),
        ('no matches for kind "InferencePool" in version', ["InferencePool", "not installed"]),
        ("OOMKilled ", ["more memory"]),
    ],
)
def test_known_words(text: str, words: list[str]) -> None:
    found = cause(text)
    assert all(each in found for each in words), found


def test_unknown_words_mean_nothing() -> None:
    assert cause("all is well") == ""


_NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def _pod(name: str, *, ready: bool, restarts: int = 0, ago: timedelta = timedelta(minutes=5)) -> dict[str, Any]:
    ended = (_NOW - ago).isoformat().replace("+00:00", "Z")
    status = {
        "conditions": [{"type": "Ready", "status": str(ready)}],
        "containerStatuses": [
            {
                "name": "main",
                "ready": ready,
                "restartCount": restarts,
                "state": {"running": {}},
                "lastState": {"terminated": {"finishedAt": ended}},
            },
        ],
    }
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "main"}]}, "status": status}


def test_one_that_is_well_has_no_trouble() -> None:
    assert trouble(_pod("a", ready=True), _NOW) == []
    assert "was restarted 3 times" in " ".join(trouble(_pod("a", ready=True, restarts=3), _NOW))
    assert trouble(_pod("a", ready=True, restarts=3, ago=timedelta(days=30)), _NOW) == []
    assert "not Ready" in trouble(_pod("a", ready=False), _NOW)[0]


@pytest.mark.parametrize(
    ("ready", "restarts", "words"),
    [
        ([True, False], 0, []),
        ([True, True], 0, ["2 of 2 are Ready"]),
        ([False, False], 0, ["0 of 2"]),
        ([True, False], 4, ["4 times"]),
    ],
)
def test_one_of_several_leads(ready: list[bool], restarts: int, words: list[str]) -> None:
    made = [_pod(str(place), ready=each, restarts=restarts * place) for place, each in enumerate(ready)]
    found = trouble_of_several(made, _NOW)
    assert len(found) == len(words)
    assert all(word in line for word, line in zip(words, found, strict=True))
