"""A canary for NetworkPolicies: a server, a probe that reaches it, a policy that forbids it, and the probe again.

That a probe does not come through says something only if it came through before, and comes through again afterwards.
"""

import secrets
import time
from collections.abc import Callable, Mapping

from tools.explain import Violation
from tools.features.canary_verdict import DENIED, Enforcement, Probe, Seen, judge, outcome
from tools.features.feature import Feature
from tools.features.policy import NAME
from tools.kube.client import Kube, Object
from tools.kube.convergence import Selection, converge
from tools.kube.errors import KubeError
from tools.kube.kinds import NAMESPACE, NETWORK_POLICY, POD
from tools.kube.pods import is_ready, trouble
from tools.probe.pod import probe_pod, user_of
from tools.probe.until import probes_until

_LABEL = "llmisvc-conformance/canary"
_PORT = 8080


def canary(
    kube: Kube,
    namespace: str,
    image: str,
    *,
    labels: Mapping[str, str],
    effect_seconds: float = 15.0,
    start_seconds: float = 60.0,
) -> Feature:
    """Try whether a NetworkPolicy has an effect between two pods of a namespace.

    Args:
        kube: the cluster.
        namespace: that may be used for it; no other policy may select its pods.
        image: agnhost, whose `netexec` serves and whose `connect` probes.
        labels: of everything that is made.
        effect_seconds: how long the policy, and its removal, may take to have an effect.
        start_seconds: how long one pod may take to run.

    Returns:
        The feature: present if ENFORCED, absent if NOT_ENFORCED, untold if INVALID or if the canary could not be run.
        What was made is deleted; its going is not waited for.
    """
    trial = _Trial(kube, namespace, image, dict(labels), start_seconds)
    where = f"pods {trial.name}-* and NetworkPolicy {trial.name} in namespace {namespace}"
    try:
        found, why = judge(trial.run(effect_seconds))
    except (KubeError, Violation) as error:
        found, why = Enforcement.INVALID, " ".join(str(error).split())
    finally:
        left = trial.remove()
    present = {Enforcement.ENFORCED: True, Enforcement.NOT_ENFORCED: False}.get(found)
    return Feature(NAME, present, "; ".join([f"{found}: {why}", *left]), f"{where}: {trial.nodes}")


class _Trial:
    """The pods and the policy of one canary."""

    def __init__(self, kube: Kube, namespace: str, image: str, labels: dict[str, str], start_seconds: float) -> None:
        self.name = f"canary-{secrets.token_hex(2)}"
        self.nodes = "no pod ran"
        self._kube, self._namespace, self._image, self._labels = kube, namespace, image, labels
        self._start_seconds = start_seconds
        self._user: dict[str, int] = {}
        self._pods: list[str] = []
        self._has_policy = False

    def remove(self) -> list[str]:
        """Delete what was made; what could not be deleted, one line each."""
        left = []
        for kind, name in [(NETWORK_POLICY, self.name)] * self._has_policy + [(POD, pod) for pod in self._pods]:
            try:
                self._kube.delete(kind, name, self._namespace)
            except KubeError as error:
                left.append(f"left behind: {kind.kind} {name}: {error.status or 'no answer'}: {error.message}")
        return left

    def run(self, effect_seconds: float) -> Seen:
        """Server, control, policy, probes, removal, control."""
        self._user = user_of(self._kube.get(NAMESPACE, self._namespace))
        server = self._server()
        target = _address(server["status"]["podIP"])

        def probe() -> Probe:
            return self._probe(target)

        before = probe()
        if before is not Probe.ALLOWED:
            return Seen(before)
        self._has_policy = True
        self._kube.create(self._policy())
        started = time.monotonic()
        under = probes_until(probe, lambda seen: seen in DENIED, effect_seconds)
        seconds = time.monotonic() - started
        self._kube.delete(NETWORK_POLICY, self.name, self._namespace)
        after = probes_until(probe, lambda seen: seen is Probe.ALLOWED, effect_seconds)
        return Seen(before, under, after, seconds)

    def _server(self) -> Object:
        ready = {"tcpSocket": {"port": _PORT}, "periodSeconds": 1}
        pod = self._create("server", ["netexec", f"--http-port={_PORT}"], {"readinessProbe": ready})
        found = self._wait(pod, "the canary's server to be ready", is_ready)
        self.nodes = f"server on {found['spec'].get('nodeName')}"
        return found

    def _probe(self, target: str) -> Probe:
        pod = self._create("probe", ["connect", "--timeout=2s", target], {})
        ended = self._wait(pod, "the canary's probe to end", _has_ended)
        self.nodes = f"{self.nodes.partition(',')[0]}, last probe on {ended['spec'].get('nodeName')}"
        return outcome(ended)

    def _create(self, role: str, arguments: list[str], container: Object) -> str:
        name = f"{self.name}-{role}-{len(self._pods)}"
        self._pods.append(name)
        metadata = self._metadata(name, {_LABEL: f"{self.name}-{role}"})
        more = {"name": role, "terminationMessagePolicy": "FallbackToLogsOnError", **container}
        self._kube.create(probe_pod(metadata, self._image, arguments, user=self._user, container=more))
        return name

    def _policy(self) -> Object:
        selected = {"matchLabels": {_LABEL: f"{self.name}-server"}}
        return {
            "apiVersion": NETWORK_POLICY.api,
            "kind": NETWORK_POLICY.kind,
            "metadata": self._metadata(self.name, {}),
            "spec": {"podSelector": selected, "policyTypes": ["Ingress"]},
        }

    def _metadata(self, name: str, labels: Mapping[str, str]) -> Object:
        return {"name": name, "namespace": self._namespace, "labels": {**self._labels, **labels}}

    def _wait(self, pod: str, what: str, enough: Callable[[Object], bool]) -> Object:
        def lacking(found: list[Object]) -> str:
            if not found:
                return "there is no such pod"
            return (
                "" if enough(found[0]) else "; ".join(trouble(found[0])) or str(found[0].get("status", {}).get("phase"))
            )

        selection = Selection(POD, self._namespace, name=pod)
        return converge(self._kube, what, selection, lacking, budget=self._start_seconds).objects[0]


def _has_ended(pod: Object) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def _address(ip: str) -> str:
    return f"[{ip}]:{_PORT}" if ":" in ip else f"{ip}:{_PORT}"
