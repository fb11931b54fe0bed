"""Whether NetworkPolicies have an effect: without the canary only which engines there are. Pure."""

from tools.features.feature import Feature
from tools.features.survey import Survey

NAME = "network-policy-enforcement"
# DaemonSets of what enforces NetworkPolicies, on some clusters only if told so.
_ENGINES = {
    "anetd": "GKE Dataplane V2",
    "antrea-agent": "Antrea",
    "aws-node": "Amazon VPC CNI",
    "azure-npm": "Azure NPM",
    "calico-node": "Calico",
    "canal": "Canal",
    "cilium": "Cilium",
    "kube-network-policies": "kube-network-policies",
    "kube-router": "kube-router",
    "ovnkube-node": "OVN-Kubernetes",
    "weave-net": "Weave Net",
}


def features(survey: Survey) -> list[Feature]:
    """`network-policy-enforcement`, not told: that an engine runs does not show that it enforces."""
    reading = survey.daemon_sets
    found = [f"{_ENGINES[name]} ({name})" for each in reading.items if (name := each["metadata"]["name"]) in _ENGINES]
    engines = ", ".join(found) or (f"not readable: {reading.problem}" if reading.problem else "none that is known")
    have = f"could not be told: no canary was run; engines by DaemonSet: {engines}"
    return [Feature(NAME, None, have, f"{reading.where}: names")]
