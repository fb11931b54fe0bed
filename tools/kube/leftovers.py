"""What runs left on a cluster: found by the run's label, whatever kind it is of."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from tools.kube.client import Kube, Object
from tools.kube.discovery import removable
from tools.kube.errors import KubeError, NotFound
from tools.kube.kinds import (
    ADMISSION_BINDING,
    ADMISSION_POLICY,
    CLUSTER_ROLE_BINDING,
    LEASE,
    MUTATING_BINDING,
    MUTATING_POLICY,
    NAMESPACE,
    Kind,
)
from tools.kube.labels import CASE, RUN
from tools.kube.tenancy import NAME, seconds_left, told
from tools.kube.tenancy import NAMESPACE as DEFAULT

_AT_ONCE = 8
_MAY_NOT = "this user may not list them"
# Found in a way of their own; and Endpoints, which come and go with the Service whose labels they copy.
_NOT_BY_THEMSELVES = {NAMESPACE.kind, LEASE.kind, "Endpoints"}
# Namespaces of runs: fixtures.run names them.
_OF_RUN = re.compile(r"llmisvc-(\d{4}-\d{6}-[0-9a-f]+)(-|$)")
_STEPS = {
    ADMISSION_BINDING.kind: 0,
    MUTATING_BINDING.kind: 0,
    ADMISSION_POLICY.kind: 1,
    MUTATING_POLICY.kind: 1,
    NAMESPACE.kind: 2,
    LEASE.kind: 4,
}


@dataclass(frozen=True)
class Leftover:
    """An object that a run made and that is still there.

    Attributes:
        kind, namespace, name: the object.
        run: id of the run.
        case: short name of the case, if one made it.
    """

    kind: Kind
    namespace: str
    name: str
    run: str
    case: str = ""

    @property
    def step(self) -> int:
        """When it is removed: what may forbid the rest first, Leases last, so that nobody begins before."""
        return _STEPS.get(self.kind.kind, 3)

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        case = f", case {self.case}" if self.case else ""
        return f"{self.kind.kind} {self.name}{where} (run {self.run}{case})"


@dataclass(frozen=True)
class Found:
    """What a look at the whole cluster gave.

    Attributes:
        leftovers: what runs left, in the order in which it is removed.
        living: Leases of runs that go on, by run, in words.
        unseen: kinds that could not be looked at, with the reason, one line each.
    """

    leftovers: list[Leftover]
    living: dict[str, str]
    unseen: list[str]


def look(kube: Kube, run: str | None) -> Found:
    """Everything that a run, or any run, has left.

    What is in a run's own namespaces goes with them and is not listed by itself; nor is what another found object owns.

    Args:
        kube: the cluster.
        run: its id; None for all runs.

    Raises:
        KubeError: the API server did not answer, or namespaces may not be listed.
    """
    labels = RUN if run is None else f"{RUN}={run}"
    # What cannot be done without is asked for first, so that its refusal is told.
    namespaces = [_leftover(NAMESPACE, each) for each in kube.objects(NAMESPACE, labels=labels)]
    leases, living, lines = _leases(kube)
    others, unseen = _others(kube, labels, {each.name for each in namespaces})
    known = {each.name for each in others}
    dangling = [each for each in _dangling(kube, run) if each.name not in known]
    found = [*namespaces, *others, *dangling, *(each for each in leases if run in (None, each.run))]
    return Found(sorted(found, key=_place), living, sorted([*unseen, *lines]))


def _place(each: Leftover) -> tuple[int, str, str, str]:
    return each.step, each.kind.kind, each.namespace, each.name


def _leftover(kind: Kind, found: Object) -> Leftover:
    meta = found["metadata"]
    labels = meta.get("labels") or {}
    return Leftover(kind, meta.get("namespace", ""), meta["name"], labels.get(RUN, ""), labels.get(CASE, ""))


def _owners(found: Object) -> set[str]:
    return {owner["uid"] for owner in found["metadata"].get("ownerReferences") or []}


def _others(kube: Kube, labels: str, own: set[str]) -> tuple[list[Leftover], list[str]]:
    """Labelled objects outside of the runs' own namespaces, and the kinds that could not be looked at."""
    kinds, unseen = removable(kube)
    kinds = [kind for kind in kinds if kind.kind not in _NOT_BY_THEMSELVES]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(partial(_labelled, kube, labels), kinds))
    found = [
        (kind, each)
        for kind, (objects, _) in zip(kinds, answers, strict=True)
        for each in objects
        if each["metadata"].get("namespace") not in own
    ]
    uids = {each["metadata"].get("uid") for _, each in found}
    kept = [_leftover(kind, each) for kind, each in found if not uids.intersection(_owners(each))]
    return kept, [*unseen, *(line for _, line in answers if line)]


def _leases(kube: Kube) -> tuple[list[Leftover], dict[str, str], list[str]]:
    """Leases of runs that ended without giving them back, those of runs that go on, and why there may be more."""
    unseen = []
    try:
        leases = kube.objects(LEASE, fields=f"metadata.name={NAME}")
    except KubeError as error:
        if error.status != 403:
            raise
        unseen = [f"{LEASE.resource} outside of {DEFAULT}: {_MAY_NOT}"]
        leases = [each for each in [kube.find(LEASE, NAME, DEFAULT)] if each]
    now = datetime.now(UTC)
    dead = [_leftover(LEASE, each) for each in leases if seconds_left(each, now) <= 0]
    living = {
        (each["metadata"].get("labels") or {}).get(RUN, ""): f"{told(each)} ({each['metadata']['namespace']}/{NAME})"
        for each in leases
        if seconds_left(each, now) > 0
    }
    return dead, living, unseen


def _dangling(kube: Kube, run: str | None) -> list[Leftover]:
    """ClusterRoleBindings of KServe's for accounts in a run's namespace that is gone: without label and owner."""
    try:
        bindings = kube.objects(CLUSTER_ROLE_BINDING)
        namespaces = {each["metadata"]["name"] for each in kube.objects(NAMESPACE)}
    except KubeError as error:
        if error.status != 403:
            raise
        return []
    found = []
    for binding in bindings:
        of = {each.get("namespace") or "" for each in binding.get("subjects") or []}
        runs = [match[1] for namespace in of - namespaces if (match := _OF_RUN.match(namespace))]
        # All of its subjects are gone with their run's namespaces, or it is somebody else's, too.
        if runs and len(runs) == len(of) and run in (None, *runs):
            found.append(Leftover(CLUSTER_ROLE_BINDING, "", binding["metadata"]["name"], runs[0]))
    return found


def _labelled(kube: Kube, labels: str, kind: Kind) -> tuple[list[Object], str]:
    """Objects of a kind in all namespaces, or why they cannot be listed; no answer at all is raised."""
    try:
        return kube.objects(kind, labels=labels), ""
    except NotFound:
        return [], ""  # its definition went in between
    except KubeError as error:
        if error.status == 0:
            raise
        # Whoever may not list a kind has hardly made one; the API server's words would only repeat its name.
        return [], f"{kind.resource}: {_MAY_NOT if error.status == 403 else f'{error.status}: {error.message[:200]}'}"
