"""Kubernetes itself: its version, and what comes with it. Pure."""

from tools.features.feature import Feature
from tools.features.reading import untold
from tools.features.served import served
from tools.features.survey import Survey
from tools.features.version import at_least, guess

# Init containers that go on running: on by default from 1.29.
_NATIVE_SIDECARS = "1.29"
# With this API server no supported kubelet, which may be three minor versions older, lacks them.
_SURELY = "1.32"
_POLICIES = ("admissionregistration.k8s.io", "validatingadmissionpolicies")


def features(survey: Survey) -> list[Feature]:
    """`kubernetes`, `native-sidecars`, `validating-admission-policy`."""
    return [_kubernetes(survey), _native_sidecars(survey), _policies(survey)]


def _kubernetes(survey: Survey) -> Feature:
    reading = survey.version
    if reading.body is None:
        return untold("kubernetes", reading)
    text = str(reading.body["gitVersion"])
    return Feature("kubernetes", True, text, f"{reading.where}: gitVersion", {"kubernetes": guess(text)})


def _native_sidecars(survey: Survey) -> Feature:
    name, server, nodes = "native-sidecars", survey.version, survey.nodes
    if server.body is None:
        return untold(name, server)
    kubelets = {str(node["status"]["nodeInfo"]["kubeletVersion"]) for node in nodes.items}
    found = {str(server.body["gitVersion"]), *kubelets}
    where = f"{server.where}: gitVersion; {nodes.where}: status.nodeInfo.kubeletVersion"
    known = ", ".join(sorted(kubelets)) or f"unknown ({nodes.problem or 'no node'})"
    have = f"API server {server.body['gitVersion']}, kubelets {known}; on by default from {_NATIVE_SIDECARS}"
    if not kubelets and at_least(guess(server.body["gitVersion"]), _NATIVE_SIDECARS):
        surely = at_least(guess(server.body["gitVersion"]), _SURELY)
        return Feature(name, True if surely else None, have, where)
    return Feature(name, all(at_least(guess(each), _NATIVE_SIDECARS) for each in found), have, where)


def _policies(survey: Survey) -> Feature:
    name, apis = "validating-admission-policy", survey.apis
    if apis.body is None:
        return untold(name, apis)
    versions = served(apis.body, *_POLICIES)
    have = f"served in {', '.join(versions)}" if versions else "not served"
    return Feature(name, bool(versions), have, f"{apis.where}: {'.'.join(reversed(_POLICIES))}")
