"""How an endpoint picker is started, read from its container: flags as they take effect, and its config. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml
from kubernetes.utils import parse_quantity

Object = dict[str, Any]

# Of --v: ordinary lines, without those for debugging.
_ORDINARY = 2
_LEAST_CPU = Decimal("0.5")

# What the binary does where nothing is said: the Gateway API Inference Extension 1.0 to 1.5, and llm-d's pickers on it.
DEFAULTS: Mapping[str, str] = {
    "pool-group": "inference.networking.k8s.io",
    "pool-namespace": "default",
    "grpc-port": "9002",
    "grpc-health-port": "9003",
    "metrics-port": "9090",
    "metrics-endpoint-auth": "true",
    "model-server-metrics-scheme": "http",
    "model-server-metrics-path": "/metrics",
    "model-server-metrics-port": "0",
    "secure-serving": "true",
    "ha-enable-leader-election": "false",
    # 2 is that of ordinary lines, 4 that of debugging.
    "v": "2",
}
# These take no separate value: `--secure-serving false` is true, followed by a word that is no flag.
_SWITCHES = frozenset(
    {
        "disable-endpoint-subset-filter",
        "enable-cert-reload",
        "enable-pprof",
        "ha-enable-leader-election",
        "health-checking",
        "metrics-endpoint-auth",
        "model-server-metrics-https-insecure-skip-verify",
        "secure-serving",
        "tracing",
        "zap-devel",
    }
)
# As they were called up to 0.5 of the Extension (KServe 0.16).
_FORMER = {
    "poolName": "pool-name",
    "poolNamespace": "pool-namespace",
    "grpcPort": "grpc-port",
    "grpcHealthPort": "grpc-health-port",
    "metricsPort": "metrics-port",
    "secureServing": "secure-serving",
    "certPath": "cert-path",
    "configText": "config-text",
    "configFile": "config-file",
}


@dataclass(frozen=True)
class Flags:
    """Flags of a picker.

    Attributes:
        given: those on its command line, by their present names; of one that is given twice the last.
    """

    given: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        """The value that takes effect; empty where there is neither a given one nor a default."""
        return self.given.get(name, DEFAULTS.get(name, ""))

    def on(self, name: str) -> bool:
        """Whether a switch is on."""
        return self[name].lower() in ("true", "1", "t")

    @property
    def config(self) -> Object | None:
        """The EndpointPickerConfig on the command line; None if there is none, or if it is not YAML of an object."""
        try:
            found = yaml.safe_load(self["config-text"])
        except yaml.YAMLError:
            return None
        return found if isinstance(found, dict) else None


def flags(container: Object) -> Flags:
    """Read a picker's container."""
    words = [*container.get("command", [])[1:], *container.get("args", [])]
    return Flags(dict(_pairs([str(word) for word in words if word != ""])))


def scorers(config: Object) -> dict[str, float]:
    """Weights of the scorers of all scheduling profiles, by type; one without a weight has 1."""
    types = {each.get("name") or each.get("type"): each.get("type", "") for each in config.get("plugins") or []}
    found = {}
    for profile in config.get("schedulingProfiles") or []:
        for each in profile.get("plugins") or []:
            kind = types.get(each.get("pluginRef"), "")
            if kind.endswith("scorer"):
                found[kind] = float(each.get("weight", 1))
    return found


def undefined(config: Object) -> list[str]:
    """Plugins to which profiles refer and which nobody defines."""
    names = {each.get("name") or each.get("type") for each in config.get("plugins") or []}
    profiles = config.get("schedulingProfiles") or []
    return sorted({each["pluginRef"] for one in profiles for each in one.get("plugins") or []} - names)


# KServe's own configurations, by release, for a service without prefill.
PRESETS: Mapping[str, Mapping[str, float]] = {
    "0.17 to 0.19": {"queue-scorer": 2.0, "prefix-cache-scorer": 3.0},
    "0.20": {
        "queue-scorer": 2.0,
        "kv-cache-utilization-scorer": 2.0,
        "prefix-cache-scorer": 3.0,
        "no-hit-lru-scorer": 2.0,
    },
    "0.16": {"prefix-cache-scorer": 2.0, "load-aware-scorer": 1.0},
}


def promised_scorers(spec: Object) -> list[dict[str, float]] | None:
    """Scorers that a service's specification allows: its own, or those of any KServe release.

    None where it does not tell, because its configuration is in a ConfigMap or in a LLMInferenceServiceConfig.
    """
    config = spec.get("router", {}).get("scheduler", {}).get("config", {})
    if config.get("inline"):
        return [scorers(config["inline"])]
    elsewhere = config.get("ref") or spec.get("baseRefs")
    return None if elsewhere else [dict(each) for each in PRESETS.values()]


def main(deployment: Object) -> Object:
    """The picker's own container of its Deployment."""
    containers: list[Object] = deployment["spec"]["template"]["spec"]["containers"]
    return next((each for each in containers if each["name"] == "main"), containers[0])


def slow(container: Object) -> list[str]:
    """What slows a picker down under load, one line each."""
    verbosity = flags(container)["v"]
    wrong = [f"v is {verbosity}"] if verbosity.isdigit() and int(verbosity) > _ORDINARY else []
    limit = container.get("resources", {}).get("limits", {}).get("cpu", "")
    low = limit and parse_quantity(limit) < _LEAST_CPU
    return wrong + ([f"its CPU limit is {limit}"] if low else [])


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(words):
        word = words[place]
        place += 1
        if not word.startswith("-"):
            continue
        name, equals, value = word.lstrip("-").partition("=")
        name = _FORMER.get(name, name)
        if not equals and name in _SWITCHES:
            value = "true"
        elif not equals and place < len(words):
            value, place = words[place], place + 1
        yield name, value
