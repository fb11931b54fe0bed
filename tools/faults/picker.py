"""Faults of how the picker is started: its Deployment is changed while KServe's controller is held."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import yaml

from tools.explain import check
from tools.faults.common import recreatable, wait_for_answer, wait_ready, wait_until
from tools.faults.fault import fault
from tools.faults.hold import controller_held
from tools.kube import pods
from tools.kube.client import Object
from tools.kube.convergence import Selection, converge
from tools.kube.kinds import DEPLOYMENT, DESTINATION_RULE, NAMESPACE, PEER_AUTHENTICATION, POD, ROLE, ROLE_BINDING
from tools.kube.labels import made_for
from tools.kube.llm_service import PICKER_LABELS, SERVER_CONTAINER, LlmService
from tools.manifests.metrics_reader import METRICS_READER
from tools.metrics import picker, scrape
from tools.openai.client import Client
from tools.secret import Secret
from tools.waiting.eventually import eventually
from tools.waiting.timeouts import seconds

# Whether pods, as they are now, show that the change took effect: what is lacking, or nothing.
Shows = Callable[[list[Object]], str]


@fault()
def picker_of_unknown_plugin(service: LlmService) -> Iterator[None]:
    """The picker's configuration names a plugin that its image does not have, as after an upgrade of one of the two."""
    extra = {"type": "no-such-scorer"}
    with picker_changed(service, _config(lambda it: it["plugins"].append(extra)), _ended):
        yield


@fault()
def picker_of_unknown_flag(service: LlmService) -> Iterator[None]:
    """The picker is started with a flag that its image does not have, as after an upgrade of one of the two."""
    with picker_changed(service, _args("--no-such-flag=1"), _ended):
        yield


@fault()
def picker_of_refused_flag(service: LlmService) -> Iterator[None]:
    """The picker is told a metric's name by the flag that the Extension 1.3 had for it and 1.4 refuses."""
    flag = "--kv-cache-usage-percentage-metric=vllm:gpu_cache_usage_perc"
    with picker_changed(service, _args(flag), _ended):
        yield


@fault()
def picker_of_unknown_field(service: LlmService) -> Iterator[None]:
    """The picker's configuration has a field that its image does not know."""
    with picker_changed(service, _config(lambda it: it.update(noSuchField=True)), _ended):
        yield


@fault()
def picker_of_another_pool(service: LlmService) -> Iterator[None]:
    """The picker watches a pool that does not exist."""
    with picker_changed(service, _args("--pool-name=no-such-pool"), _running_unready):
        yield


@fault()
def picker_of_another_namespace(service: LlmService) -> Iterator[None]:
    """The picker looks for its pool in another namespace, in which it has no rights."""
    with picker_changed(service, _args("--pool-namespace=default"), _running_unready):
        yield


@fault()
def picker_plaintext(service: LlmService) -> Iterator[None]:
    """The picker serves plaintext, and the gateway goes on speaking TLS to it."""
    with picker_changed(service, _args("--secure-serving=false"), ready):
        wait_for_answer(service, "completions are 500", Client.complete, lambda reply: reply.status == 500, in_a_row=1)
        yield


@fault()
def picker_verified(service: LlmService) -> Iterator[None]:
    """The gateway is to verify the picker's certificate, which the picker has signed itself."""
    kube, namespace = service.kube, service.namespace
    host = service.children["picker service"][1]
    rules = [rule for rule in kube.objects(DESTINATION_RULE, namespace) if rule["spec"]["host"].split(".")[0] == host]
    verified = {"trafficPolicy": {"tls": {"mode": "SIMPLE", "insecureSkipVerify": False}}}
    try:
        for rule in rules:
            kube.patch(DESTINATION_RULE, rule["metadata"]["name"], namespace, {"spec": verified})
        wait_for_answer(service, "completions are 500", Client.complete, lambda reply: reply.status == 500, in_a_row=1)
        yield
    finally:
        for rule in rules:
            kube.apply(recreatable(rule))
        wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)


@fault()
def picker_scrapes_https(service: LlmService) -> Iterator[None]:
    """The picker asks the servers for their metrics over TLS, which they do not speak."""
    with picker_changed(service, _args("--model-server-metrics-scheme=https"), ready):
        yield


@fault()
def picker_scrapes_another_port(service: LlmService) -> Iterator[None]:
    """The picker asks for metrics on a port on which no server listens."""
    with picker_changed(service, _args("--model-server-metrics-port=8001"), ready):
        yield


@fault()
def picker_reads_other_names(service: LlmService) -> Iterator[None]:
    """The picker looks for metrics under names that the servers do not have: those of an older vLLM."""
    names = {
        "name": "vllm",
        "queuedRequestsSpec": "vllm:no_such_requests_waiting",
        "runningRequestsSpec": "vllm:no_such_requests_running",
        "kvUsageSpec": "vllm:gpu_cache_usage_perc",
    }
    extractor = {"type": "core-metrics-extractor", "parameters": {"engineConfigs": [names]}}
    with picker_changed(service, _config(lambda it: it["plugins"].append(extractor)), ready):
        yield


@fault()
def servers_strict(service: LlmService) -> Iterator[None]:
    """Servers demand mTLS, and the picker asks their own port, in plaintext: its scrapes fail, completions are 200."""
    kube, namespace = service.kube, service.namespace
    name = f"{service.name}-strict"
    selector = {"matchLabels": {"kserve.io/component": "workload", "app.kubernetes.io/name": service.name}}
    labels = made_for(kube.get(NAMESPACE, namespace), "servers_strict")
    policy = {
        "apiVersion": PEER_AUTHENTICATION.api,
        "kind": PEER_AUTHENTICATION.kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"selector": selector, "mtls": {"mode": "STRICT"}},
    }
    direct = _args("--model-server-metrics-port=0", "--model-server-metrics-path=/metrics")
    try:
        kube.apply(policy)
        with picker_changed(service, direct, ready):
            _await_known(service, lambda known: known == 0)
            yield
    finally:
        kube.delete(PEER_AUTHENTICATION, name, namespace)
        _await_known(service, lambda known: known > 0)


@fault()
def picker_without_prefix_scorer(service: LlmService) -> Iterator[None]:
    """The picker no longer scores by cached prefixes; nothing else changes."""
    with picker_changed(service, _config(_without_prefix_scorer), ready):
        yield


@fault()
def picker_metrics_open(service: LlmService) -> Iterator[None]:
    """The picker shows its metrics to everybody."""
    with picker_changed(service, _args("--metrics-endpoint-auth=false"), ready):
        yield


@fault()
def picker_debugs(service: LlmService) -> Iterator[None]:
    """The picker logs at debugging level, which makes its requests wait for each other."""
    with picker_changed(service, _args("--v=5"), ready):
        yield


@fault()
def picker_throttled(service: LlmService) -> Iterator[None]:
    """The picker may use a tenth of a CPU."""

    def throttle(container: Object) -> None:
        container["resources"]["limits"] = {"cpu": "100m"}

    with picker_changed(service, throttle, ready):
        yield


@fault()
def picker_probed_by_stream(service: LlmService) -> Iterator[None]:
    """The liveness probe asks for the stream's service, which only a leader serves: others are restarted for ever."""

    def ask(container: Object) -> None:
        container["livenessProbe"]["grpc"]["service"] = "envoy.service.ext_proc.v3.ExternalProcessor"

    with picker_changed(service, ask, ready):
        yield


@fault()
def picker_doubled(service: LlmService) -> Iterator[None]:
    """A second picker runs without leader election: each knows half of the requests, both are asked."""
    kube, namespace, name = service.kube, service.namespace, service.children["picker"][1]
    with controller_held(service):
        try:
            kube.patch(DEPLOYMENT, name, namespace, {"spec": {"replicas": 2}})
            wait_until(service, DEPLOYMENT, name, "two pickers", lambda it: it["status"].get("readyReplicas") == 2)
            yield
        finally:
            kube.patch(DEPLOYMENT, name, namespace, {"spec": {"replicas": 1}})
            wait_until(service, DEPLOYMENT, name, "one picker", lambda it: it["status"].get("replicas") == 1)


@fault()
def picker_may_not_list_pods(service: LlmService) -> Iterator[None]:
    """The picker's Role no longer lets it read pods, and it was started anew since."""
    kube, namespace, name = service.kube, service.namespace, f"{service.name}-epp-role"
    rules = kube.get(ROLE, name, namespace)["rules"]
    with controller_held(service):
        try:
            kube.patch(ROLE, name, namespace, {"rules": [each for each in rules if "pods" not in each["resources"]]})
            with _restarted(service, _running_unready):
                yield
        finally:
            kube.patch(ROLE, name, namespace, {"rules": rules})
            _restart(service)
            _await_pickers(service, ready)
            wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)
    wait_ready(service)


@fault()
def picker_unbound(service: LlmService) -> Iterator[None]:
    """The picker's RoleBinding names another account: what it watches stops being told to it with the next restart."""
    kube, namespace, name = service.kube, service.namespace, f"{service.name}-epp-rb"
    subjects = kube.get(ROLE_BINDING, name, namespace)["subjects"]
    other = [each | {"name": "somebody-else"} for each in subjects]
    with controller_held(service):
        try:
            kube.patch(ROLE_BINDING, name, namespace, {"subjects": other})
            yield
        finally:
            kube.patch(ROLE_BINDING, name, namespace, {"subjects": subjects})


@contextmanager
def picker_changed(service: LlmService, change: Callable[[Object], None], shows: Shows) -> Iterator[None]:
    """A picker whose container is another while entered; `shows` tells when its pods are as the change makes them."""
    kube, namespace, name = service.kube, service.namespace, service.children["picker"][1]
    before = service.child("picker")["spec"]["template"]["spec"]["containers"]
    after = copy.deepcopy(before)
    change(next(each for each in after if each["name"] == SERVER_CONTAINER))
    with controller_held(service):
        try:
            old = _names(service)
            kube.patch(DEPLOYMENT, name, namespace, _with(after), how="json")
            _await_pickers(service, shows, old)
            yield
        finally:
            old = _names(service)
            kube.patch(DEPLOYMENT, name, namespace, _with(before), how="json")
            _await_pickers(service, ready, old)
            wait_for_answer(service, "completions are 200 again", Client.complete, lambda reply: reply.status == 200)
    wait_ready(service)


def ready(found: list[Object]) -> str:
    """Decides that all pods are ready."""
    good = found and all(pods.is_ready(pod) for pod in found)
    return "" if good else "; ".join(pods.line(pod) for pod in found) or "no pods"


def _ended(found: list[Object]) -> str:
    """Decides that the picker has ended, and said why in its status."""
    for pod in found:
        status = pods.container_status(pod, SERVER_CONTAINER) or {}
        if any("terminated" in status.get(when, {}) for when in ("state", "lastState")):
            return ""
    return "; ".join(pods.line(pod) for pod in found) or "no pods"


def _running_unready(found: list[Object]) -> str:
    """Decides that the picker runs, or has run, and is not ready."""
    for pod in found:
        status = pods.container_status(pod, SERVER_CONTAINER) or {}
        if "running" in status.get("state", {}) and not pods.is_ready(pod):
            return ""
    return "; ".join(pods.line(pod) for pod in found) or "no pods"


def _names(service: LlmService) -> frozenset[str]:
    return frozenset(pod["metadata"]["name"] for pod in service.picker_pods())


@contextmanager
def _restarted(service: LlmService, shows: Shows) -> Iterator[None]:
    old = _restart(service)
    _await_pickers(service, shows, old)
    yield


def _restart(service: LlmService) -> frozenset[str]:
    old = _names(service)
    for name in old:
        service.kube.delete(POD, name, service.namespace)
    return old


def _await_pickers(service: LlmService, shows: Shows, old: frozenset[str] = frozenset()) -> None:
    def decide(found: list[Object]) -> str:
        still = [each["metadata"]["name"] for each in found if each["metadata"]["name"] in old]
        return f"still there: {', '.join(still)}" if still else shows(found)

    selection = Selection(POD, service.namespace, labels=PICKER_LABELS.format(name=service.name))
    converge(service.kube, "another picker", selection, decide, budget=seconds("fault-recovery"))


def _await_known(service: LlmService, wanted: Callable[[float], bool]) -> None:
    """Wait until pickers know as many servers with fresh metrics as a fault makes them know."""
    token = Secret(service.kube.token(METRICS_READER, service.namespace))

    def shows() -> None:
        told = scrape.pickers(service, token)
        known = {pod: found.total(picker.READY_PODS) for pod, found in told.items()}
        check(all(map(wanted, known.values())), "pickers to know other servers than before", f"they know {known}")

    eventually("the picker's scrapes to be as the fault makes them", shows, budget=seconds("fault-effect"), in_a_row=1)


def _with(containers: list[Object]) -> list[Object]:
    return [{"op": "replace", "path": "/spec/template/spec/containers", "value": containers}]


def _args(*more: str) -> Callable[[Object], None]:
    def add(container: Object) -> None:
        container["args"] = [*container.get("args", []), *more]

    return add


def _config(edit: Callable[[Object], object]) -> Callable[[Object], None]:
    """A change of the configuration on the command line."""

    def change(container: Object) -> None:
        place = container["args"].index("--config-text") + 1
        config = yaml.safe_load(container["args"][place])
        edit(config)
        container["args"][place] = yaml.safe_dump(config)

    return change


def _without_prefix_scorer(config: Object) -> None:
    name = "prefix-cache-scorer"
    config["plugins"] = [each for each in config["plugins"] if each["type"] != name]
    for profile in config["schedulingProfiles"]:
        profile["plugins"] = [each for each in profile["plugins"] if each["pluginRef"] != name]
