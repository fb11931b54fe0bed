"""Profiles: the shipped ones load and say why, and a wrong one is refused in the user's terms."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.errors import UserError
from tools.profile import (
    PROFILES,
    FailureMode,
    Isolation,
    Kind,
    Mesh,
    Mtls,
    Scheme,
    SecretReference,
    load_profile,
    profile_names,
)
from tools.profile.page import REFUSAL

SHIPPED = ["gke-t4", "gke-tpu-v6e", "local-gpu", "local-tpu", "openshift-ai"]
LEAST = {
    "accelerator": {
        "kind": "gpu",
        "name": "some GPU",
        "resource": "example.com/gpu",
        "count": 1,
        "node_labels": {"a": "b"},
    },
    "mesh": "sidecar",
    "model": {"name": "some/model"},
    "service": {"manifests": "manifests/services/gpu/gemma-2b-it/base", "name": "vllm-gemma"},
    "images": {"server": "example.com/server:1"},
}


def written(tmp_path: Path, *changes: dict[str, Any]) -> Path:
    """A profile of the least that must be said, changed."""
    value: dict[str, Any] = {**LEAST}
    for change in changes:
        for section, inner in change.items():
            both = isinstance(inner, dict) and isinstance(value.get(section), dict)
            value[section] = value[section] | inner if both else inner
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(value, sort_keys=False))
    return path


def test_these_are_shipped() -> None:
    assert profile_names() == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profiles_load(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert profile.file == PROFILES / f"{name}.yaml"
    assert len(profile.sha256) == 64
    assert (profile.manifests / "kustomization.yaml").is_file()
    assert profile.versions
    assert profile.signoff.minimum_executed > 1


@pytest.mark.parametrize("name", SHIPPED)
def test_every_value_of_a_shipped_profile_has_a_comment(name: str) -> None:
    commented = True
    lines = (PROFILES / f"{name}.yaml").read_text().splitlines()
    for line in lines:
        text = line.strip()
        if text.endswith(":") and not line.startswith(" "):
            commented = False  # a section's first key needs a comment of its own
        elif not text:
            commented = False
        elif text.startswith("#"):
            commented = True
        else:
            assert commented, text
    # Editors complete and check by it.
    assert lines[0] == "# yaml-language-server: $schema=schema.yaml"


@pytest.mark.parametrize("kind", list(Kind))
def test_local_profiles(kind: Kind) -> None:
    profile = load_profile(f"local-{kind}")
    assert profile.accelerator.kind is kind
    assert (profile.mesh, profile.mtls, profile.isolation) == (Mesh.SIDECAR, Mtls.STRICT, Isolation.DEFAULT_DENY)
    assert (profile.observability.metrics, profile.observability.prometheus) == (True, True)
    assert profile.service == "vllm-gemma"
    assert profile.secrets.token == SecretReference("huggingface-token", ("HF_TOKEN",))


def test_a_tpu_host_is_given_as_a_whole() -> None:
    accelerator = load_profile("gke-tpu-v6e").accelerator
    assert (accelerator.resource, accelerator.count) == ("google.com/tpu", 4)


def test_openshift_has_names_of_its_own() -> None:
    profile = load_profile("openshift-ai")
    reference = profile.gateway.reference
    assert reference
    assert (reference.namespace, reference.name) == ("openshift-ingress", "openshift-ai-inference")
    assert (profile.namespaces.kserve, profile.deployments.istio) == (
        "redhat-ods-applications",
        "istiod-openshift-gateway",
    )
    assert profile.gateway.scheme is Scheme.HTTPS
    overlay = yaml.safe_load((profile.manifests / "kustomization.yaml").read_text())
    operations = {each["path"]: each for each in yaml.safe_load(overlay["patches"][0]["patch"])}
    assert operations["/spec/template/nodeSelector"]["value"] == profile.accelerator.node_labels


@pytest.mark.parametrize("name", SHIPPED)
def test_a_profile_describes_its_service(name: str) -> None:
    """What can be said without kustomize; the local ones are rendered in tests/stack."""
    profile = load_profile(name)
    base = profile.manifests if profile.manifests.name == "base" else profile.manifests.parents[1] / "base"
    service = yaml.safe_load((base / "service.yaml").read_text())
    template = service["spec"]["template"]
    assert service["metadata"]["name"] == profile.service
    assert service["spec"]["model"]["name"] == profile.model
    assert template["containers"][0]["resources"]["limits"][profile.accelerator.resource] == str(
        profile.accelerator.count
    )
    pull, token = profile.secrets.pull, profile.secrets.token
    assert template["imagePullSecrets"] == [{"name": pull.name if pull else ""}]
    accounts = base / "service-account.yaml"
    named = yaml.safe_load(accounts.read_text())["secrets"] if accounts.is_file() else []
    assert named == ([{"name": token.name}] if token else [])
    if base == profile.manifests:
        assert template["nodeSelector"] == profile.accelerator.node_labels
        assert template["containers"][0]["image"] == profile.server_image


def test_what_is_unsaid_has_its_default(tmp_path: Path) -> None:
    profile = load_profile(str(written(tmp_path)))
    assert profile.name == "mine"
    assert (profile.mtls, profile.isolation, profile.identity) == (Mtls.OFF, Isolation.NONE, "")
    assert (profile.picker.tls, profile.picker.failure_mode) == (True, FailureMode.OPEN)
    gateway = profile.gateway
    assert (gateway.class_name, gateway.controller) == ("istio", "istio.io/gateway-controller")
    assert (gateway.reference, gateway.scheme, gateway.host, gateway.proxy) == (None, Scheme.HTTP, "", "")
    assert (profile.secrets.pull, profile.secrets.token) == (None, None)
    assert (profile.namespaces.kserve, profile.deployments.istio) == ("kserve", "istiod")
    assert (profile.budgets.ready_seconds, profile.budgets.load.error_rate) == (900, None)
    assert profile.versions == {}
    assert (profile.signoff.minimum_executed, profile.signoff.budgets_certified) == (1, True)
    assert set(profile.claims()) == {
        "route",
        "pool",
        "gateway",
        "open-access",
        "picker",
        "accelerator",
        "sidecars",
    }


@pytest.mark.parametrize("name", ["local-gpus", "gke", "schema", ""])
def test_an_unknown_name_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(UserError, match=", ".join(SHIPPED)):
        load_profile(name)


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one() -> None:
    with pytest.raises(UserError, match="did you mean gke-tpu-v6e"):
        load_profile("gke-tpu-v6")


def test_what_has_a_slash_or_a_suffix_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path)
    (tmp_path / "plain").write_text(path.read_text())
    monkeypatch.chdir(tmp_path)
    assert load_profile("mine.yaml").name == "mine"
    assert load_profile("./plain").name == "plain"
    with pytest.raises(UserError, match=r"there is no file local-gpu\.yaml"):
        load_profile("local-gpu.yaml")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"accelerator": {"kind": "npu"}}, r"mine\.yaml:2:3: accelerator\.kind: npu is none of gpu, tpu"),
        ({"accelerator": {"count": 0}}, r"mine\.yaml:5:3: accelerator\.count: 0 is less than"),
        ({"accelerator": {"nodelabels": {}}}, "did you mean node_labels"),
        ({"service": {"manifests": "manifests/nowhere"}}, "no kustomization.yaml in"),
        ({"images": {"server": "simulator"}}, "images.server: simulator is not of the form"),
        ({"mesh": "none", "mtls": "strict"}, "mtls: strict needs a mesh, and mesh is none"),
        ({"mesh": "none", "authorization": {"enforced": True}}, "needs mesh: sidecar, or nobody looks at who asks"),
        ({"observability": {"prometheus": True}}, "observability.prometheus: needs metrics: true"),
        ({"gateway": {"reference": "no-slash"}}, "gateway.reference: no-slash is not of the form"),
        ({"gateway": {"reference": "a/b", "annotations": {"c": "d"}}}, "gateway.annotations: are for a Gateway that"),
        ({"gateway": {"proxy": "http://me:secret@proxy:3128"}}, "gateway.proxy"),
        ({"gateway": {"plaintext": "closed"}}, "gateway.plaintext: closed needs scheme: https"),
        ({"gateway": {"plaintext": "shut"}}, "gateway.plaintext: shut is none of open, redirect, closed"),
        ({"gateway": {"tls": {"terminated": True}}}, "gateway.tls.host: the run's own Gateway needs a name"),
        ({"gateway": {"scheme": "https"}}, "gateway.scheme: https needs tls.terminated: true"),
        ({"picker": {"tls": False, "verified": True}}, "picker.verified: needs tls: true"),
        ({"versions": {"kserve": "0.19"}}, "versions.kserve: '0.19' is not a range, for example"),
        ({"versions": {"kserve": 0.19}}, r"versions\.kserve: text is wanted, not the number 0\.19"),
        ({"versions": {"knative": ">=1"}}, "versions.knative: no such key"),
        ({"cluster": {"identity": "prod"}}, "cluster.identity: prod is not of the form"),
        ({"budgets": {"ready_seconds": 0}}, "budgets.ready_seconds: 0 is less than or equal to"),
        ({"budgets": {"load": {"error_rate": 3}}}, "budgets.load.error_rate: 3 is greater than"),
        ({"signoff": {"core_all_passed": False}}, "signoff.core_all_passed: no such key"),
        ({"secrets": {"token": {"name": "a", "value": "hf_x"}}}, "secrets.token.value: no such key"),
        ({"secrets": {"token": "a"}}, r"secrets\.token: a mapping \(key: value\) is wanted"),
    ],
)
def test_a_wrong_profile_is_refused(tmp_path: Path, change: dict[str, Any], expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        load_profile(str(written(tmp_path, change)))


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    wrong = written(tmp_path, {"mesh": "none", "mtls": "strict", "accelerator": {"count": 0, "knid": "gpu"}})
    with pytest.raises(UserError) as refused:
        load_profile(str(wrong))
    lines = [line.split(": ", 2)[1] for line in refused.value.observed.splitlines()[1:]]
    assert lines == ["accelerator.count", "accelerator.knid", "mtls"]


def test_the_refusal_in_the_documentation_is_the_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (PROFILES / "local-gpu.yaml").read_text()
    text = text.replace("\n  count: 1\n", "\n  cuont: 1\n").replace("\nmesh: sidecar\n", "\nmesh: sidecars\n")
    (tmp_path / "my-release.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as refused:
        load_profile("my-release.yaml")
    assert refused.value.observed == "".join(f"\n    - {line}" for line in REFUSAL.splitlines())


@pytest.mark.parametrize(
    "text", ["", "- a\n", "mesh\n", "mesh: [\n", "mtls: strict\nversions: 3\ngateway: [x]\nservice:\n"]
)
def test_what_is_no_profile_at_all_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"mine\.yaml"):
        load_profile(str(path))
