"""What the run may do, decided from its options and the user's rights, as findings that requirements refer to. Pure."""

from collections.abc import Iterable, Mapping

from tools.cases import capabilities
from tools.cases.requirement import Finding, may
from tools.cluster.rules import Disruption, Grant, permitted
from tools.kube.access import Access, Permissions, missing
from tools.kube.rights import (
    ACCOUNTS,
    AUTHORIZATIONS,
    BESIDE,
    CHILDREN,
    FEATURES,
    FORWARD,
    ISOLATION,
    ISTIOD,
    LOGS,
    MESH_POLICIES,
    NODES,
    PICKER_METRICS,
    PLATFORM,
    POLICIES,
    PROMETHEUS,
    REVIEWS,
    ROUTES,
    STORAGE,
    THROUGH,
    THROUGH_ISTIO,
    Mode,
    Places,
    ready_role,
    to_disturb_cluster,
    to_disturb_service,
    to_look_deeper,
    to_read_secrets,
    useful,
)
from tools.report.record import FeatureRecord

# Modes in which HTTP requests go to the service; in the first, objects are made for it as well.
_SENDING = (Mode.DEPLOY, Mode.PROBES, Mode.TRAFFIC)
_MAKING = (Mode.DEPLOY, Mode.PROBES)


def findings(
    mode: Mode, grant: Grant, places: Places, permissions: Permissions | None, *, audits: bool
) -> Mapping[str, Finding]:
    """Every capability by name.

    Args:
        mode: what the run does to the cluster.
        grant: what decides about disruption.
        places: namespaces that it has to do with.
        permissions: of the user; None where the cluster is ours, with every right.
        audits: whether the service was there before (`--target`), also where the run might have made one.
    """
    looks, sends = useful(Mode.READ, places), useful(Mode.TRAFFIC, places)
    may_send = Finding(mode in _SENDING, "--traffic, or a run that deploys", f"a run that is {mode}")
    deeper = {may(name): _allowed(permissions, wanted) for name, wanted in to_look_deeper(places).items()}
    deploys = Finding(
        mode is Mode.DEPLOY and not audits, "a service that this run deploys", "an audited service (--target)"
    )
    reads = Finding(
        mode in _MAKING, "an account that may read /metrics of the picker (--probes)", f"a run that is {mode}"
    )
    found = {
        capabilities.TRAFFIC: may_send,
        capabilities.FORWARD: _first(may_send, _allowed(permissions, sends[FORWARD])),
        capabilities.THROUGH: _first(may_send, _allowed(permissions, sends[THROUGH])),
        capabilities.THROUGH_ISTIO: _first(may_send, _allowed(permissions, sends[THROUGH_ISTIO])),
        capabilities.NODES: _allowed(permissions, looks[NODES]),
        capabilities.CONTROLLERS: _allowed(permissions, looks[FEATURES]),
        capabilities.READS_POLICIES: _allowed(permissions, looks[POLICIES]),
        capabilities.READS_ISOLATION: _with_role(_allowed(permissions, looks[ISOLATION]), mode),
        capabilities.READS_AUTHORIZATIONS: _allowed(permissions, looks[AUTHORIZATIONS]),
        capabilities.MESH_POLICIES: _first(deploys, _allowed(permissions, useful(Mode.DEPLOY, places)[MESH_POLICIES])),
        capabilities.ACCOUNTS: _allowed(permissions, looks[ACCOUNTS]),
        capabilities.BESIDE: _first(deploys, _allowed(permissions, useful(Mode.DEPLOY, places)[BESIDE])),
        capabilities.CHILDREN: _first(deploys, _allowed(permissions, useful(Mode.DEPLOY, places)[CHILDREN])),
        capabilities.REVIEWS: _allowed(permissions, looks[REVIEWS]),
        capabilities.READS_SECRETS: _allowed(permissions, to_read_secrets(places)),
        capabilities.READS_ROUTES: _allowed(permissions, looks[ROUTES]),
        capabilities.PLATFORM: _allowed(permissions, looks[PLATFORM]),
        **deeper,
        capabilities.READS_LOGS: _allowed(permissions, looks[LOGS]),
        capabilities.READS_STORAGE: _allowed(permissions, looks[STORAGE]),
        capabilities.PROMETHEUS: _allowed(permissions, looks[PROMETHEUS]),
        capabilities.ISTIOD: _first(may_send, _allowed(permissions, sends[ISTIOD])),
        capabilities.PICKER_METRICS: _first(reads, _allowed(permissions, useful(Mode.PROBES, places)[PICKER_METRICS])),
        capabilities.EXCLUSIVE: _named(deploys, "a service that nobody else uses, or its counters prove nothing"),
        capabilities.DEPLOY: deploys,
        capabilities.DISRUPT_SERVICE: _first(
            permitted(Disruption.SERVICE, grant), _allowed(permissions, to_disturb_service(places))
        ),
        capabilities.DISRUPT_CLUSTER: _first(
            permitted(Disruption.CLUSTER, grant), _allowed(permissions, to_disturb_cluster(places))
        ),
    }
    return {requirement.name: finding for requirement, finding in found.items()}


def exclusive(found: Finding, idle: FeatureRecord | None) -> Finding:
    """Whether the service is ours alone: because we deployed it, or because its counters stood still. Pure.

    Args:
        found: what the mode says.
        idle: the feature `idle-counters` of an audited service; None where it was not looked for.
    """
    if found.ok or idle is None:
        return found
    return Finding(idle.present is True, found.need, f"{found.have}: {idle.have}")


def _first(*found: Finding) -> Finding:
    """The first that is not met, or the last."""
    return next((each for each in found if not each.ok), found[-1])


def _with_role(found: Finding, mode: Mode) -> Finding:
    """Names the ready role that grants what is lacking: a right in every namespace is not everybody's to give."""
    return found if found.ok else Finding(found.ok, found.need, f"{found.have}; {ready_role(mode)} grants it")


def _named(found: Finding, need: str) -> Finding:
    return Finding(found.ok, need, found.have)


def _allowed(permissions: Permissions | None, wanted: Iterable[Access]) -> Finding:
    kept = list(wanted)
    words = missing(kept).strip()
    if permissions is None:
        return Finding(True, f"the rights {words}", "a cluster of our own")
    lacking = permissions.lacking(kept)
    have = f"{permissions.user or 'this user'} lacks {missing(lacking).strip()}" if lacking else "they are granted"
    return Finding(not lacking, f"the rights {words}", have)
