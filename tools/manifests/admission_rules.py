"""What the API server must refuse of LLMInferenceServices, each rule with its words and with the right form. Data.

The rules are those of the CRD (types, limits, CEL) and of KServe's validating webhook, read in the sources of 0.17 to
0.20. A rule speaks of the smallest service to which its fields are added.
"""

from collections.abc import Iterator
from typing import Any

from tools.manifests import Document
from tools.manifests.admission import Fields, Rule

_GATEWAY = {"refs": [{"name": "a", "namespace": "b"}]}
_POD: Fields = {"containers": [{"name": "main", "image": "i"}]}
_BELOW_ONE = ("should be greater than or equal to 1",)
_HPA: Fields = {"hpa": {}}
_KEDA: Fields = {"keda": {}}


def _route(**http: Any) -> Document:
    return {"router": {"route": {"http": http}}}


def _refs(**more: Any) -> Document:
    return {"router": {"route": {"http": {"refs": [{"name": "r"}]}}, **more}}


def _parents(name: str) -> Document:
    spec = {"parentRefs": [{"name": name, "namespace": "b"}]}
    return {"router": {"gateway": _GATEWAY, "route": {"http": {"spec": spec}}}}


def _scheduler(**fields: Any) -> Document:
    return {"router": {"route": {}, "gateway": {}, "scheduler": fields}}


def _pool(**reference: Any) -> Document:
    spec = {"selector": {"matchLabels": {"a": "b"}}, "targetPorts": [{"number": 8000}]}
    return _scheduler(pool={"spec": spec | {"endpointPickerRef": {"name": "p", **reference}}})


def _adapters(*names: str | None) -> Document:
    rows = [{"uri": "hf://o/a"} | ({"name": name} if name is not None else {}) for name in names]
    return {"model": {"uri": "hf://o/m", "name": "base", "lora": {"adapters": rows}}}


def _lora(**fields: Any) -> Document:
    return {"model": {"uri": "hf://o/m", "lora": {**fields, "adapters": [{"name": "a", "uri": "hf://o/a"}]}}}


def _scaling(wva: Fields | None = _HPA, **fields: Any) -> Document:
    return {"scaling": {"maxReplicas": 2, **fields, **({} if wva is None else {"wva": wva})}}


def _parallel(**sizes: Any) -> Document:
    return {"parallelism": sizes}


_INLINE: Fields = {"kind": "EndpointPickerConfig", "apiVersion": "inference.networking.x-k8s.io/v1alpha1"}
_REF: Fields = {"name": "c", "key": "epp"}

RULES: tuple[Rule, ...] = (
    Rule(
        "router",
        "routes by reference and in place at once",
        _route(refs=[{"name": "r"}], spec={}),
        ("cannot use both custom HTTPRoute refs",),
        _refs(),
    ),
    Rule(
        "router",
        "routes of one's own with the Gateway that KServe chooses",
        _refs(gateway={}),
        ("cannot be used with a managed gateway",),
        _refs(gateway=_GATEWAY),
    ),
    Rule(
        "router",
        "a route for another Gateway than gateway.refs names",
        _parents("other"),
        ("has parentRefs that conflict with custom gateway refs",),
        _parents("a"),
        versions=">=0.18",
        warns=True,
    ),
    Rule(
        "router",
        "a picker Service without a port",
        _pool(),
        ("port is required when kind is 'Service' or unspecified",),
        _pool(port={"number": 9002}),
    ),
    Rule(
        "router",
        "a picker Service whose failureMode does not exist",
        _pool(port={"number": 9002}, failureMode="FailSafe"),
        ('Unsupported value: "FailSafe"',),
        _pool(port={"number": 9002}, failureMode="FailClose"),
    ),
    Rule("workload", "fewer than no replicas", {"replicas": -1}, ("greater than or equal to 0",), {"replicas": 0}),
    Rule(
        "workload",
        "workers without parallelism",
        {"worker": _POD},
        ("when worker is specified, parallelism must be configured",),
        {"worker": _POD, **_parallel(data=2, dataLocal=1)},
    ),
    Rule(
        "workload",
        "workers with tensor parallelism only",
        {"worker": _POD, **_parallel(tensor=2)},
        ("when worker is specified, parallelism must be configured",),
        {"worker": _POD, **_parallel(tensor=2, pipeline=2)},
    ),
    Rule(
        "workload",
        "workers of the prefill without parallelism",
        {"prefill": {"worker": _POD}},
        ("spec.prefill.worker",),
        {"prefill": {"worker": _POD, **_parallel(data=2, dataLocal=1)}},
    ),
    Rule(
        "workload",
        "pipeline and data parallelism at once",
        _parallel(pipeline=2, data=2, dataLocal=1),
        ("cannot set both pipeline parallelism and data parallelism",),
        _parallel(pipeline=2),
    ),
    Rule(
        "workload",
        "data without dataLocal",
        _parallel(data=2),
        ("dataLocal must be set when data is set",),
        _parallel(data=2, dataLocal=1),
    ),
    Rule(
        "workload",
        "dataLocal without data",
        _parallel(dataLocal=1),
        ("data must be set when dataLocal is set",),
        _parallel(data=1, dataLocal=1),
    ),
    Rule("workload", "no stage of a pipeline", _parallel(pipeline=0), _BELOW_ONE, _parallel(pipeline=1)),
    Rule("workload", "no tensor rank", _parallel(tensor=0), _BELOW_ONE, _parallel(tensor=1)),
    Rule(
        "workload",
        "a port that does not exist",
        _parallel(data=2, dataLocal=1, dataRPCPort=70000),
        ("less than or equal to 65535",),
        _parallel(data=2, dataLocal=1, dataRPCPort=7000),
    ),
    Rule(
        "scheduler",
        "a scheduler without replicas",
        _scheduler(replicas=0),
        ("scheduler replicas must be greater than zero", "greater than or equal to 1"),
        _scheduler(replicas=1),
    ),
    Rule(
        "scheduler",
        "a configuration that is none",
        _scheduler(config={}),
        ("either inline or ref is required",),
        _scheduler(config={"inline": _INLINE}),
    ),
    Rule(
        "scheduler",
        "a configuration in two places",
        _scheduler(config={"inline": _INLINE, "ref": _REF}),
        ("both inline and ref are set",),
        _scheduler(config={"ref": _REF}),
    ),
    Rule(
        "scheduler",
        "an empty configuration",
        _scheduler(config={"inline": {}}),
        ("inline configuration is invalid",),
        _scheduler(config={"inline": _INLINE}),
    ),
    Rule(
        "scheduler",
        "a ConfigMap without a name",
        _scheduler(config={"ref": {"name": "", "key": "epp"}}),
        ("name is empty",),
        _scheduler(config={"ref": _REF}),
    ),
    Rule("adapters", "no rank", _lora(maxRank=0), ("maxRank must be at least 1", *_BELOW_ONE), _lora(maxRank=8)),
    Rule(
        "adapters",
        "no adapters",
        _lora(maxAdapters=0),
        ("maxAdapters must be at least 1", *_BELOW_ONE),
        _lora(maxAdapters=1),
    ),
    Rule("adapters", "an adapter without a name", _adapters(None), ("adapter name is required",), _adapters("a")),
    Rule("adapters", "a name that is a path", _adapters(".."), ("path traversal risk",), _adapters("a..b")),
    Rule(
        "adapters",
        "two adapters of one name",
        _adapters("a", "a"),
        ("duplicate name (same as adapters[0])",),
        _adapters("a", "b"),
    ),
    Rule(
        "adapters",
        "an adapter that is called like its model",
        _adapters("base"),
        ('adapter name must differ from base model name "base"',),
        _adapters("base-a"),
    ),
    Rule(
        "scaling",
        "replicas and scaling at once",
        {"replicas": 1, **_scaling()},
        ("replicas and scaling are mutually exclusive", "scaling and replicas are mutually exclusive"),
        _scaling(),
    ),
    Rule(
        "scaling", "scaling by nothing", _scaling(wva=None), ("wva is required when scaling is configured",), _scaling()
    ),
    Rule(
        "scaling",
        "a minimum above the maximum",
        _scaling(minReplicas=3),
        ("cannot exceed maxReplicas",),
        _scaling(minReplicas=2),
    ),
    Rule("scaling", "scaling to nothing by minReplicas", _scaling(minReplicas=0), _BELOW_ONE, _scaling(minReplicas=1)),
    Rule(
        "scaling",
        "two actuators",
        _scaling(wva={**_HPA, **_KEDA}),
        ("hpa and keda are mutually exclusive",),
        _scaling(wva=_KEDA),
    ),
    Rule("scaling", "no actuator", _scaling(wva={}), ("either hpa or keda must be specified",), _scaling(wva=_HPA)),
    Rule(
        "scaling",
        "a cost that is no number",
        _scaling(wva={**_HPA, "variantCost": "cheap"}),
        ("spec.scaling.wva.variantCost",),
        _scaling(wva={**_HPA, "variantCost": "0.5"}),
    ),
    Rule(
        "scaling",
        "scaling to nothing when idle",
        _scaling(wva={"keda": {"idleReplicaCount": 0}}, minReplicas=1),
        _BELOW_ONE,
        _scaling(wva={"keda": {"idleReplicaCount": 1}}, minReplicas=2),
        # A later KServe allows it.
        versions=">=0.19,<0.21",
    ),
    Rule(
        "scaling",
        "as many replicas when idle as at least",
        _scaling(wva={"keda": {"idleReplicaCount": 1}}, minReplicas=1),
        ("must be less than minReplicas",),
        _scaling(wva={"keda": {"idleReplicaCount": 1}}, minReplicas=2),
    ),
    Rule(
        "scaling",
        "another actuator for the prefill",
        {**_scaling(), "prefill": _scaling(wva=_KEDA)},
        ("decode and prefill must use the same actuator backend",),
        {**_scaling(), "prefill": _scaling()},
    ),
)

# Fields of `spec` of a running service that cannot be changed, with the words, and what can be in their place.
CHANGES: tuple[Rule, ...] = (
    Rule(
        "change",
        "another size of the whole",
        _parallel(data=4, dataLocal=2),
        ("total parallelism size is immutable",),
        _parallel(tensor=2),
    ),
)


# The same for configurations, which services take fields from.
CONFIGS: tuple[Rule, ...] = (
    Rule(
        "configuration",
        "a configuration of configurations",
        {"baseRefs": [{"name": "c"}]},
        ("baseRefs is not a permitted field in LLMInferenceServiceConfig",),
        {"replicas": 2},
    ),
    Rule(
        "configuration",
        "a template of a field that does not exist",
        {"template": {"containers": [{"name": "main", "args": ["{{ .Spec.NoSuchField }}"]}]}},
        ("NoSuchField",),
        {"template": {"containers": [{"name": "main", "args": ["{{ .Spec.Model.Name }}"]}]}},
    ),
    Rule(
        "configuration",
        "a template that does not end",
        {"template": {"containers": [{"name": "main", "args": ["{{ .Spec.Model.Name"]}]}},
        ("template",),
        {"template": {"containers": [{"name": "main", "args": ["{{ .Name }}"]}]}},
    ),
)


def of_topic(topic: str, version: str) -> Iterator[Rule]:
    """The rules of a topic that a version of KServe has."""
    return (each for each in (*RULES, *CHANGES, *CONFIGS) if each.topic == topic and each.holds_in(version))
