"""Every budget of a wait, in one place, with one override each: `--timeout NAME=SECONDS`.

`docs/timeouts.md` is `table()`. A budget is never a speed that is promised: those are in profiles.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from tools.errors import UserError

OPTION = "--timeout"


class Budget(float):
    """Seconds that know under which name they can be changed.

    Attributes:
        name: of the timeout; empty for seconds that nobody can change.
    """

    name: str

    def __new__(cls, seconds: float, name: str = "") -> "Budget":
        """Seconds with a name."""
        made = super().__new__(cls, seconds)
        made.name = name
        return made


@dataclass(frozen=True)
class Timeout:
    """A budget.

    Attributes:
        name: stable; what `--timeout` takes.
        seconds: unless overridden.
        what: what is waited for.
        why: why this long.
    """

    name: str
    seconds: float
    what: str
    why: str


TIMEOUTS: tuple[Timeout, ...] = (
    Timeout(
        "service-ready",
        120,
        "an applied LLMInferenceService to be Ready",
        "pods of the local cluster start in 20 s; a real server loads its model for minutes: override it there",
    ),
    Timeout(
        "answers",
        30,
        "completions to be answered, several in a row, after Ready",
        "endpoints reach gateway and picker within a second or two; more is an outage after each deployment",
    ),
    Timeout(
        "throwaway-ready",
        120,
        "a further service that a case makes to be Ready",
        "controller and picker need some seconds, a server and a picker that download a model more",
    ),
    Timeout(
        "certificate-served",
        30,
        "a renewed certificate to be served, several times in a row",
        "istiod sees the Secret at once and sends it; minutes would be a proxy that reads files",
    ),
    Timeout(
        "hopeless",
        30,
        "a pod to leave a state that only a change of something can end, before its service is given up",
        "an operator may still be making a Secret; a kubelet has tried a pull again by then",
    ),
    Timeout(
        "drift-put-right",
        30,
        "children that somebody changed or deleted to be as before",
        "KServe is told of a change at once; a new pool has to be accepted before its route is settled",
    ),
    Timeout(
        "throwaway-shaped",
        60,
        "a further service of another shape to have what its specification calls for",
        "controller and picker need some seconds",
    ),
    Timeout("service-seen", 60, "the controller to have looked at a new service", "it is told at once"),
    Timeout("service-stopped", 60, "a service to be stopped, or to be as before", "children are deleted in a second"),
    Timeout("edit-rolled-out", 30, "an edit of a service to be in its children", "the controller is told at once"),
    Timeout(
        "model-download",
        60,
        "the model to be downloaded, before a server starts",
        "the local cluster's takes two seconds; gigabytes over the internet take minutes: override it there",
    ),
    Timeout("sidecars-in-sync", 10, "sidecars to have taken what istiod sent last", "istiod pushes at every change"),
    Timeout("picker-gauge", 12, "the picker's gauges to be right", "it brings them up to date every 5 s"),
    Timeout(
        "prometheus-scrapes",
        45,
        "Prometheus to have scraped what came, or what was counted",
        "locally it scrapes every 2 s; two scrapes of the usual 15 s, and a moment to find pods",
    ),
    Timeout(
        "picker-replaced",
        60,
        "another picker in the place of one that ended, or of none",
        "a picker needs some seconds; KServe's own preset waits 30 s before it asks for readiness",
    ),
    Timeout("gateway-follows", 15, "answers to be as a changed pool has them", "istiod pushes at every change"),
    Timeout("service-removed", 60, "a deleted LLMInferenceService to be gone", "KServe's finalizer takes a second"),
    Timeout(
        "pods-removed",
        90,
        "pods of a deleted service to be gone",
        "a server sleeps 15 s before it is asked to end, and may take the rest of its 60 s of grace",
    ),
    Timeout("namespace-removed", 60, "a deleted namespace to be gone", "it goes over its contents twice"),
    Timeout("fault-effect", 30, "a fault to show its effect", "a change reaches the data plane within seconds"),
    Timeout(
        "fault-recovery",
        90,
        "what a fault broke to be as before",
        "servers are made anew: they sleep 15 s before they end, and start in 20 s",
    ),
    Timeout(
        "fault-patience",
        5,
        "a case's own waits while a fault is proved to be in effect",
        "what it waits for cannot come; two looks at it show that",
    ),
    Timeout(
        "cases-recovery",
        60,
        "a case to pass again when its fault is gone",
        "the fault has waited for the cluster already; this is for counters and gauges",
    ),
    Timeout("evidence", 20, "the evidence of one failure to be collected", "what is not read then is left out, told"),
    Timeout("prober-ready", 60, "a prober pod to be ready", "a small image, which a node may have to pull first"),
    Timeout(
        "policy-effect",
        10,
        "connections to be as NetworkPolicies have them, after a change",
        "engines follow a change within a second; ours is held to half of one",
    ),
    Timeout(
        "policy-of-mesh",
        20,
        "requests to be as policies of the mesh have them, after a change",
        "istiod pushes within a second, and sidecars drain connections of the old kind",
    ),
    Timeout("probe", 5, "one probe to be answered or not", "dropped packets never come: a longer wait shows no more"),
    Timeout(
        "first-token", 10, "one token of one server", "an engine that works needs a second, with a queue some more"
    ),
    Timeout(
        "warm-answer",
        1.5,
        "sixteen tokens to a shape of request that came before",
        "half a second on a small accelerator, and the rest for the way and a busy machine; compiling takes seconds",
    ),
    Timeout("request-connect", 5, "a request's connection", "a round trip, twice repeated by TCP after 1 and 3 s"),
    Timeout(
        "request-read",
        30,
        "the next bytes of an answer",
        "a simulated or small model answers in well under a second: what is silent for longer hangs",
    ),
    Timeout("request-whole", 120, "a whole answer, streams too", "so that an answer which trickles ends as well"),
    Timeout("api-connect", 5, "the API server's connection", "a round trip, twice repeated by TCP after 1 and 3 s"),
    Timeout("api-read", 30, "the API server's answer", "the longest of its webhooks' own time-outs"),
    Timeout("port-forward", 15, "an answer through a port-forward", "metrics of a busy server take a second or two"),
    Timeout("credentials-plugin", 30, "a kubeconfig's credential plugin to answer", "it may ask a cloud for a token"),
    Timeout("kustomize", 60, "manifests to be rendered", "it reads local files, on a machine that may be busy"),
)

_BY_NAME: Mapping[str, Timeout] = {each.name: each for each in TIMEOUTS}
_overridden: dict[str, float] = {}


def seconds(name: str) -> Budget:
    """The budget of this name, as it is now; a name that is not in the table is a KeyError."""
    found = _BY_NAME[name]
    return Budget(_overridden.get(name, found.seconds), name)


def parse(options: Iterable[str]) -> dict[str, float]:
    """Read values of `--timeout`; the last one of a name counts.

    Args:
        options: each `NAME=SECONDS`.

    Raises:
        UserError: no such name, or not a positive number of seconds.
    """
    found = {}
    for option in options:
        name, separator, value = option.partition("=")
        if not separator:
            raise UserError(f"{OPTION} NAME=SECONDS", f"{OPTION} {option}", next_step=_example(name))
        try:
            found[name] = float(value)
        except ValueError:
            raise UserError(
                f"{OPTION} {name} to be a number of seconds", f"{value!r}", next_step=_example(name)
            ) from None
    _check(found)
    return found


def override(changed: Mapping[str, float]) -> None:
    """Let these budgets, and no others, differ from the table, for the whole process.

    Args:
        changed: seconds by name; what an earlier call changed and this one does not is as in the table again.

    Raises:
        UserError: no such name, or not a positive number of seconds.
    """
    _check(changed)
    _overridden.clear()
    _overridden.update(changed)


def overridden() -> dict[str, float]:
    """The budgets that differ from the table, by name: for reports, and for the workers of a parallel run."""
    return dict(_overridden)


def table() -> str:
    """All timeouts as a Markdown table."""
    rows = [f"| `{each.name}` | {each.seconds:g} | {each.what} | {each.why} |" for each in TIMEOUTS]
    return "\n".join(["| name | seconds | waits for | why this long |", "|---|---|---|---|", *rows]) + "\n"


def _check(changed: Mapping[str, float]) -> None:
    for name, value in changed.items():
        if name not in _BY_NAME:
            close = get_close_matches(name, _BY_NAME, n=1)
            meant = f"did you mean {close[0]}?" if close else f"known: {', '.join(_BY_NAME)}"
            raise UserError(f"{OPTION} with the name of a timeout", f"no timeout is called {name!r}", next_step=meant)
        if not (math.isfinite(value) and value > 0):
            raise UserError(
                f"{OPTION} {name} to be a positive number of seconds", f"{value:g}", next_step=_example(name)
            )


def _example(name: str) -> str:
    known = name if name in _BY_NAME else TIMEOUTS[0].name
    return f"{OPTION} {known}={_BY_NAME[known].seconds * 2:g}"
