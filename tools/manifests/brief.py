"""What documents about LLMInferenceService get wrong beyond fields of manifests (`hints`), with what is right. Data.

Commands, names and prerequisites that go round in tutorials of KServe on Istio, each seen to fail against KServe 0.19.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Erratum:
    """Something that is typed and does not work.

    Attributes:
        wrong: pattern of it.
        right: what to type, or to know, instead.
    """

    wrong: re.Pattern[str]
    right: str


def _erratum(wrong: str, right: str) -> Erratum:
    return Erratum(re.compile(wrong), right)


ERRATA: tuple[Erratum, ...] = (
    _erratum(
        r"kserve/releases/download/v0\.1[0-5]\S*|KServe v0\.1[0-5]\b",
        "KServe 0.16 or newer has LLMInferenceService: helm install kserve-llmisvc-crd, kserve-llmisvc-resources and"
        " kserve-runtime-configs (--set kserve.llmisvcConfigs.enabled=true), certificates first, CRDs by server-side"
        " apply (2.2 MB)",
    ),
    _erratum(
        r"openshift-service-mesh/sail-operator/releases\S*",
        "helm install from https://istio-ecosystem.github.io/sail-operator, and an Istio resource",
    ),
    _erratum(
        r"(?:OSSM|OpenShift Service Mesh)\W+3\.1\b\S*",
        "KServe 0.17 and newer needs Istio 1.28 or newer, with ENABLE_GATEWAY_API_INFERENCE_EXTENSION=true in istiod;"
        " OpenShift Service Mesh 3.1 is Istio 1.26",
    ),
    _erratum(r"\bllmis\b", "llmisvc (kubectl get llmisvc)"),
    _erratum(
        r"kubectl (?:get|describe) (?:\S+,)?inferencepools?(?![.\w])",
        "inferencepools.inference.networking.k8s.io: two API groups have the kind",
    ),
    _erratum(
        r"deployment/kserve-controller-manager|\bkserve-controller-manager\b",
        "deployment/llmisvc-controller-manager in namespace kserve (kubectl logs -n kserve"
        " deployment/llmisvc-controller-manager)",
    ),
    _erratum(r"svc/jaeger-query(?: \d+:\d+)?", "svc/tracing 16686:80, in Istio's addon"),
    _erratum(
        r"kubectl delete (?:networkpolicy|networkpolicies|netpol)\b[^\n]* --all|kubectl delete networkpolicy --all",
        "delete one policy by its name, or allow one more flow: without policies the namespace is open",
    ),
    _erratum(
        r"Efficient Parameter Partitioning",
        "EPP is the Endpoint Picker: it chooses a server for each request by their metrics; it checks nobody's health",
    ),
    _erratum(
        r"vllm, istio-proxy",
        "the server's container is `main`; `istio-proxy` is an init container with restartPolicy Always on Kubernetes"
        " 1.33 and newer, and the namespace's label istio-injection=enabled decides whether there is one",
    ),
    _erratum(
        r"[Rr]outes `?/v1/\*`?",
        "/NAMESPACE/NAME/v1/completions, …/v1/chat/completions and …/v1/responses go to the InferencePool, all else"
        " below /NAMESPACE/NAME to the Service; /v1/… alone is 404",
    ),
    _erratum(
        r"http://<vllm-service>:8000\S*",
        "http://NAME-kserve-workload-svc.NAMESPACE:8000/v1/models, which NetworkPolicies should refuse to strangers",
    ),
    _erratum(
        r"google\.com/tpu: 1\b",
        "as many as the machine type has (ct6e-standard-4t: 4), with nodeSelector cloud.google.com/gke-tpu-accelerator"
        " and gke-tpu-topology; 1 is for one-chip machines only",
    ),
    _erratum(
        r"key: token\b",
        "key HF_TOKEN, of a Secret that the ServiceAccount lists in `secrets`: the download is not the server's",
    ),
)

_OPTION = r" -\S+(?: (?!get |describe |explain )[^\s-]\S*)?"
_COMMAND = re.compile(rf"kubectl(?:{_OPTION})* (?:get|describe|explain) ([a-z][a-z0-9.,/-]*)")


def errata(text: str) -> list[tuple[str, str]]:
    """What in a text does not work, each once with what is right, in its order."""
    found = [(match.start(), match[0], each.right) for each in ERRATA for match in each.wrong.finditer(text)]
    return list(dict.fromkeys((wrong, right) for _, wrong, right in sorted(found)))


def resources(text: str) -> list[str]:
    """Names of resources in the kubectl commands of a text, each once; `explain a.b` and `get a/b` name `a`."""
    words = [word for match in _COMMAND.finditer(text) for word in match[1].split(",")]
    # `explain` is followed by a path of fields, other words by NAME or TYPE/NAME.
    plain = [word.partition("/")[0].rstrip(".") for word in words]
    return list(dict.fromkeys(each.partition(".spec")[0] for each in plain if each))
