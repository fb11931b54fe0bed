"""Everything that KServe makes for one LLMInferenceService (0.17 to 0.20), by its name and specification. Pure.

`LlmService.children` are those that a service with a scheduler always has and that everybody may read; here are all.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tools.kube.client import Object
from tools.kube.kinds import (
    CLUSTER_ROLE_BINDING,
    DEPLOYMENT,
    HTTP_ROUTE,
    OLD_POOL,
    POOL,
    ROLE,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    Kind,
)
from tools.manifests.names import child_name

_WORKLOAD = "llminferenceservice-workload"
_ROUTER = "llminferenceservice-router"
_PICKER = "llminferenceservice-router-scheduler"
# Kinds that not everybody may read who may read the service.
GUARDED = (SERVICE_ACCOUNT, ROLE, ROLE_BINDING, CLUSTER_ROLE_BINDING, SECRET, OLD_POOL)


@dataclass(frozen=True)
class Child:
    """An object that KServe makes for a service.

    Attributes:
        part: what it is to the service.
        kind, name, namespace: the object; a ClusterRoleBinding has no namespace.
        labels: that it must have; it may have more.
    """

    part: str
    kind: Kind
    name: str
    namespace: str
    labels: Mapping[str, str]

    @property
    def owned(self) -> bool:
        """Whether the service owns it: nothing without a namespace can be owned by what has one."""
        return self.kind.namespaced

    def __str__(self) -> str:
        return f"{self.kind.kind} {self.name} ({self.part})"


def family(name: str, namespace: str, spec: Object) -> list[Child]:
    """All children of a service, in no order.

    Args:
        name, namespace: of the service.
        spec: its specification. What `worker` and `scaling` add is of other projects' kinds, and not known here.
    """
    router = spec.get("router") or {}
    scheduler = router.get("scheduler")
    picks = scheduler is not None and not (scheduler.get("pool") or {}).get("ref")
    routes = router.get("route") is not None and not ((router["route"].get("http") or {}).get("refs"))
    own_account = picks and not ((scheduler or {}).get("template") or {}).get("serviceAccountName")

    def child(part: str, kind: Kind, suffix: str, component: str) -> Child:
        labels = {
            "app.kubernetes.io/component": component,
            "app.kubernetes.io/name": name,
            "app.kubernetes.io/part-of": "llminferenceservice",
        }
        if not kind.namespaced:
            return Child(part, kind, child_name(namespace, f"-{name}{suffix}"), "", labels)
        return Child(part, kind, child_name(name, suffix), namespace, labels)

    found = [child("workload service", SERVICE, "-kserve-workload-svc", _WORKLOAD)]
    found += [child("certificate", SECRET, "-kserve-self-signed-certs", _WORKLOAD)]
    found += [] if "worker" in spec else [child("workload", DEPLOYMENT, "-kserve", _WORKLOAD)]
    found += [child("prefill", DEPLOYMENT, "-kserve-prefill", f"{_WORKLOAD}-prefill")] if "prefill" in spec else []
    found += [child("route", HTTP_ROUTE, "-kserve-route", _ROUTER)] if routes else []
    if picks:
        found += [
            child("pool", POOL, "-inference-pool", _PICKER),
            child("pool of the old group", OLD_POOL, "-inference-pool", _PICKER),
            child("picker", DEPLOYMENT, "-kserve-router-scheduler", _PICKER),
            child("picker service", SERVICE, "-epp-service", _PICKER),
            child("picker role", ROLE, "-epp-role", _PICKER),
            child("picker role binding", ROLE_BINDING, "-epp-rb", _PICKER),
            child("picker token reviews", CLUSTER_ROLE_BINDING, "-epp-auth-rb", _PICKER),
        ]
    found += [child("picker account", SERVICE_ACCOUNT, "-epp-sa", _PICKER)] if own_account else []
    return found


def wrong_with(child: Child, found: Object | None, uid: str) -> list[str]:
    """What is wrong with the metadata of a child as found, one line each.

    Args:
        child: as it must be.
        found: the object, or None.
        uid: of the service.
    """
    if found is None:
        return [f"there is no such {child.kind.kind}: {child.name} ({child.part})"]
    meta = found["metadata"]
    owners = [(each["kind"], each["uid"], each.get("controller", False)) for each in meta.get("ownerReferences", [])]
    wanted = [("LLMInferenceService", uid, True)] if child.owned else []
    lines = [] if owners == wanted else [f"{child}: its owners are {owners or 'none'}, and not {wanted or 'none'}"]
    labels = meta.get("labels") or {}
    lines += [
        f"{child}: label {key} is {labels.get(key)}, and not {value}"
        for key, value in child.labels.items()
        if labels.get(key) != value
    ]
    if "deletionTimestamp" in meta:
        lines.append(f"{child}: it is being deleted since {meta['deletionTimestamp']}")
    return lines
