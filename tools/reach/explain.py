"""What is said of a cell that is not as promised. Pure."""

from tools.netpolicy.world import PodEnd
from tools.probe.verdict import Verdict
from tools.reach.cells import OUTWARDS, What, Who
from tools.reach.table import Mark, Seen, Table

_ROWS = {
    Who.GATEWAY: "the gateway",
    Who.PICKER: "the picker",
    Who.SERVER: "a pod with the servers' labels",
    Who.STRANGER: "a pod of the service's namespace without its labels",
    Who.OTHER: "a pod of another namespace",
    Who.DEFAULT: "a pod of a namespace that stands for default",
    Who.MONITORING: "a pod of a namespace for monitoring",
    Who.FAR: "a pod of another namespace on another node",
    Who.NODE: "the pod's own node",
    Who.OUTSIDE: "outside of the cluster",
}


def line(table: Table, seen: Seen) -> str:
    """A cell in a line: who, what, where, expected, seen, and the policies' word."""
    wanted = table.promised(seen)
    assert wanted is not None, "nothing is promised of it"
    expected = Verdict.ALLOWED if wanted.open else Verdict.DROPPED
    target = seen.target
    said = f"{_ROWS[seen.cell[0]]} ({seen.source}) to {target.name} ({target.protocol} {target.place})"
    if table.mark(seen) is Mark.UNTOLD:
        return f"{said}: {seen.verdict}, and nobody reaches it: nothing can be said"
    return f"{said}: expected {expected}, seen {seen.verdict} ({wanted.why}); {seen.word.why}"


def cause(table: Table, seen: Seen) -> str:
    """The probable cause of a cell that is not as promised."""
    wanted = table.promised(seen)
    assert wanted is not None, "nothing is promised of it"
    if seen.word.open is not None and seen.open is not seen.word.open:
        says = "let it through" if seen.word.open else "forbid it"
        return f"the policies {says}, and it is not so: they are not enforced on one of the two nodes, or not yet"
    if not wanted.open:
        return _leak(seen)
    if seen.open:
        return "the policies let it through, and nothing listens there: the container is down, or serves another port"
    return "a rule is missing, its selector or port is wrong, or the pod has lost the label that a policy selects by"


def next_step(seen: Seen) -> list[str]:
    """Words of kubectl that show the policies around a cell."""
    ends = [end for end, _ in seen.target.ends]
    places = [each.namespace for each in (*ends, seen.end) if isinstance(each, PodEnd)]
    where = ("-n", places[0]) if places else ("-A",)
    return [*where, "get", "networkpolicies", "-o", "yaml"]


def _leak(seen: Seen) -> str:
    outwards = seen.cell[1] in OUTWARDS
    if not outwards and "no policy isolates the destination" in seen.word.why:
        return "no policy selects the pod for ingress: the one that denies everything is gone, or selects too little"
    if outwards and "no policy isolates the source" in seen.word.why:
        return "no policy selects the source for egress: policies are about ingress only, or their selector is wrong"
    if seen.cell[1] is What.METADATA:
        return "an egress rule with an ipBlock of 0.0.0.0/0 and no exception for 169.254.0.0/16"
    return (
        "a rule admits more than it says: an empty namespaceSelector or podSelector is everybody, and the kubelet's "
        "probes need no rule"
    )
