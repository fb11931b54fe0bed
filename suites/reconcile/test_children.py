"""What the controller makes belongs to the service, is complete, and goes when the service goes."""

import pytest

from tools.cases.capabilities import ACCOUNTS
from tools.explain import bullets, check
from tools.faults import children as faults
from tools.faults import pool, routing
from tools.kube import pods, relatives
from tools.kube.client import Object
from tools.kube.family import GUARDED, Child, family, wrong_with
from tools.kube.kinds import DEPLOYMENT, HTTP_ROUTE, POD
from tools.kube.likeness import lacks
from tools.kube.llm_service import PART_OF, SERVER_CONTAINER, LlmService, source

# Owners of pods of services with workers.
_OF_WORKERS = {"StatefulSet", "LeaderWorkerSet"}


@pytest.mark.conformance(
    name="reconcile-children-are-owned",
    level="core",
    fault=[
        routing.route_deleted.shows("there is no such HTTPRoute"),
        faults.owner_taken_off.shows("Service vllm-gemma-epp-service (picker service)", "its owners are none"),
        faults.label_taken_off.shows("label app.kubernetes.io/part-of is None"),
        faults.former_child.shows("vllm-gemma-kserve-prefill", "nothing in the specification calls for it"),
    ],
    checks=["route", "pool"],
)
def test_children_belong_to_service(service: LlmService) -> None:
    """The service's children are those that it calls for, all and no others, with its labels, owned by it alone."""
    _hold_family(service, guarded=False)


@pytest.mark.conformance(
    name="reconcile-accounts-are-made",
    level="core",
    requires=[ACCOUNTS],
    fault=[
        faults.token_reviews_unbound.shows("there is no such ClusterRoleBinding", "HTTP 401 or 403"),
        faults.account_disowned.shows("picker account", "its owners are none"),
    ],
    checks=["picker"],
)
def test_accounts_are_made(service: LlmService) -> None:
    """The picker has the account, Role and bindings by which it reads pods and pools and asks who reads its metrics."""
    _hold_family(service, guarded=True)
    account = next(each for each in relatives.expected(service) if each.part == "picker token reviews")
    found = service.kube.get(account.kind, account.name)
    bound = [(each["kind"], each.get("namespace"), each["name"]) for each in found.get("subjects") or []]
    wanted = [("ServiceAccount", service.namespace, _account_of(service))]
    check(
        bound == wanted and found["roleRef"]["name"] == "system:auth-delegator",
        f"ClusterRoleBinding {account.name} to bind system:auth-delegator to {wanted}",
        f"it binds {found['roleRef']['name']} to {bound}",
        cause="two services whose names make the same ClusterRoleBinding, or somebody changed it",
        next_step=service.kube.kubectl("get", account.kind.resource, account.name, "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="reconcile-pods-are-its-own",
    level="core",
    fault=[
        pool.stray_member.shows("-stray", "belongs to no ReplicaSet"),
        faults.server_unlabelled.shows("has lost the label kserve.io/component", "no request reaches it"),
    ],
    checks=["pool"],
)
def test_pods_are_its_own(service: LlmService) -> None:
    """Every pod that has a label of the service's, or came of its Deployments, is theirs, with all of their labels."""
    made = [each for each in family(service.name, service.namespace, service.read()["spec"]) if each.kind == DEPLOYMENT]
    selectors = {each.name: _selector(service, each) for each in made}
    pods_there = service.kube.objects(POD, service.namespace)
    lines = [line for pod in pods_there for line in _strange(service, pod, selectors)]
    check(
        not lines,
        f"pods of {service.name} that belong to its Deployments and have their labels",
        bullets(lines),
        cause="a pod with the servers' labels is sent requests whatever it is; one that has lost a label is let go by"
        " its ReplicaSet, is replaced, and keeps its accelerator: no request reaches it and nobody ends it",
        next_step=service.kubectl("get", "pods", "--show-labels"),
    )


@pytest.mark.conformance(
    name="reconcile-servers-have-what-is-stated",
    level="core",
    fault=[
        faults.argument_dropped.shows("containers[main].args", "--max-model-len=2048"),
        faults.probe_of_another_scheme.shows("containers[main].readinessProbe.httpGet.scheme is HTTPS"),
    ],
)
def test_servers_have_what_is_stated(service: LlmService) -> None:
    """Whatever spec.template states is in the servers' Deployment as stated; presets only add to it."""
    stated = service.read()["spec"].get("template", {})
    found = service.child("workload")
    lines = list(lacks(stated, found["spec"]["template"]["spec"], "spec.template"))
    check(
        not lines,
        "the servers' Deployment to have every field of spec.template",
        f"in {source(found)}: {bullets(lines)}",
        cause="the Deployment was changed and not put back, or a configuration is put over what the service states",
        next_step=service.kubectl("get", "deployment", found["metadata"]["name"], "-o", "yaml"),
    )


@pytest.mark.conformance(
    name="reconcile-probes-speak-as-the-server",
    level="core",
    fault=[
        faults.probe_of_another_scheme.shows("readinessProbe speaks HTTPS, the server HTTP", "HTTPS client"),
        faults.service_of_another_protocol.shows("appProtocol https"),
    ],
)
def test_probes_speak_as_the_server(service: LlmService) -> None:
    """Probes and the workload Service speak TLS exactly if the server is started with a certificate."""
    found = service.child("workload")
    containers = found["spec"]["template"]["spec"]["containers"]
    main = next(each for each in containers if each["name"] == SERVER_CONTAINER)
    command = " ".join([*main.get("command", []), *main.get("args", [])])
    scheme = "HTTPS" if "--ssl-certfile" in command else "HTTP"
    probes = {
        name: main[name]["httpGet"].get("scheme", "HTTP")
        for name in ("startupProbe", "livenessProbe", "readinessProbe")
        if "httpGet" in main.get(name, {})
    }
    lines = [f"{name} speaks {each}, the server {scheme}" for name, each in probes.items() if each != scheme]
    ports = service.child("workload service")["spec"]["ports"]
    lines += [
        f"the workload Service says appProtocol {each['appProtocol']}, the server speaks {scheme}"
        for each in ports
        if each.get("appProtocol", scheme.lower()) != scheme.lower()
    ]
    check(
        not lines,
        f"probes and Service that speak {scheme}, as the server does",
        f"in {source(found)}: {bullets(lines)}",
        cause="a probe was written for another TLS switch than the cluster has (events say: server gave HTTP response"
        " to HTTPS client); KServe's enableLLMInferenceServiceTLS decides, and its own probes follow it",
        next_step=service.kubectl("describe", f"deployment/{found['metadata']['name']}"),
    )


@pytest.mark.conformance(
    name="reconcile-status-names-the-route",
    level="core",
    fault=routing.status_of_another_gateway.shows("another-gateway"),
    checks=["route"],
)
def test_status_names_the_route(service: LlmService) -> None:
    """status.router says through which Gateway and by which HTTPRoute the service is reached."""
    gateways = service.read().get("status", {}).get("router", {}).get("gateways", [])
    _, route = service.children["route"]
    told = [(each["namespace"], each["name"], [on["name"] for on in each.get("httpRoutes", [])]) for each in gateways]
    check(
        told == [(service.gateway.namespace, service.gateway.name, [route])],
        f"Gateway {service.gateway} with HTTPRoute {route}, and nothing else",
        f"status.router.gateways has {told or 'nothing'}",
        cause="the route is attached to another Gateway than spec.router.gateway.refs names",
        next_step=service.kubectl("get", HTTP_ROUTE.resource, route, "-o", "yaml"),
    )


def _hold_family(service: LlmService, *, guarded: bool) -> None:
    """Children of the kinds that everybody may read, or of the others but Secrets: all that must be, and no more."""
    owner = service.read()
    made = family(service.name, service.namespace, owner["spec"])
    known = relatives.expected(service, owner) if guarded else made
    children = [each for each in known if (each.kind in GUARDED) is guarded and each.kind.kind != "Secret"]
    lines = [
        line
        for each in children
        for line in wrong_with(each, relatives.find(service.kube, each), owner["metadata"]["uid"])
    ]
    # Accounts of workers and of routing sidecars are not known here.
    simple = not guarded or not {"worker", "prefill"} & owner["spec"].keys()
    for kind in {each.kind for each in children if each.kind.namespaced and simple}:
        named = {each.name for each in children if each.kind == kind}
        lines += [
            f"{kind.kind} {name} has the service's labels, and nothing in the specification calls for it"
            for name in sorted(relatives.labelled(service, kind) - named)
        ]
    check(
        not lines,
        f"{len(children)} children with the service's labels, owned by it alone (uid {owner['metadata']['uid']})",
        bullets(lines),
        cause=_why(lines, children),
        next_step=service.kubectl("get", children[0].kind.resource, children[0].name, "-o", "yaml"),
    )


def _why(lines: list[str], children: list[Child]) -> str:
    missing = [each for each in children if any(each.name in line and "there is no such" in line for line in lines)]
    if any(each.part == "picker token reviews" for each in missing):
        return (
            "KServe does not watch ClusterRoleBindings, so it comes back with the next change only; without it the"
            " picker answers everybody who reads its metrics with HTTP 401 or 403"
        )
    if missing:
        return "the controller does not run, failed on it (its log), or does not watch this kind"
    return (
        "it was there before the service, somebody changed or made it, or KServe left it from an earlier specification"
    )


def _account_of(service: LlmService) -> str:
    return str(service.child("picker")["spec"]["template"]["spec"]["serviceAccountName"])


def _strange(service: LlmService, pod: Object, selectors: dict[str, dict[str, str]]) -> list[str]:
    """What is strange about a pod that has to do with the service, one line each."""
    meta = pod["metadata"]
    labels = meta.get("labels") or {}
    came_of = [name for name in selectors if meta.get("generateName", "").startswith(f"{name}-")]
    if came_of:
        # Of several the longest: `x-kserve` begins the names of pickers as well.
        wanted = selectors[max(came_of, key=len)]
        lost = sorted(key for key, value in wanted.items() if labels.get(key) != value)
        return [f"{pods.line(pod)}: it has lost the label {', '.join(lost)}, no request reaches it"] if lost else []
    key, value = PART_OF.split("=")
    owners = {each["kind"] for each in meta.get("ownerReferences", []) if each.get("controller")}
    if labels.get(key) == value and labels.get("app.kubernetes.io/name") == service.name and not owners & _OF_WORKERS:
        return [f"{pods.line(pod)}: it has the service's labels and belongs to no ReplicaSet of its Deployments"]
    return []


def _selector(service: LlmService, deployment: Child) -> dict[str, str]:
    """The labels by which a Deployment knows its pods; none where it is not there."""
    found = service.kube.find(deployment.kind, deployment.name, deployment.namespace)
    return dict(found["spec"]["selector"]["matchLabels"]) if found else {}
