"""Secrets are planted wherever evidence looks, and searched for in every file that is written."""

import base64
import json
from pathlib import Path

import pytest
import yaml

from tests.evidence_cluster import NAMESPACE, SERVICE, access_line, cluster
from tests.http_server import Answer, serving
from tests.kube_server import Serve
from tools.evidence.collect import collect
from tools.evidence.requests import RequestLog
from tools.evidence.subject import Subject
from tools.evidence.write import scan, write
from tools.openai.client import Client
from tools.redact import Redactor
from tools.secret import Secret

# The run knows the first two; the others are recognised by where they are or how they look.
TOKEN = "planted/token+of-the-client"
KUBE_TOKEN = "planted-token-of-the-kubeconfig"
IN_ENV = "planted-in-an-environment"
IN_ARGUMENT = "planted-in-an-argument"
IN_SECRET = "planted-in-a-secret"
IN_ANNOTATION = "planted-in-an-annotation"
IN_PROBE = "planted-in-a-probe"
HF = "hf_plantedplantedplantedplantedplanted"
PLANTED = (TOKEN, KUBE_TOKEN, IN_ENV, IN_ARGUMENT, IN_SECRET, IN_ANNOTATION, IN_PROBE, HF)


@pytest.fixture
def written(serve: Serve, tmp_path: Path) -> Path:
    """A directory with the evidence of a case that met all of them."""
    found = cluster()
    server = found.objects[NAMESPACE, "pods"][1]
    server["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"stringData": {"a": IN_ANNOTATION}}),
        "example.com/note": f"user={base64.b64encode(KUBE_TOKEN.encode()).decode()}",
    }
    server["spec"]["containers"][0] |= {
        "env": [{"name": "HF_TOKEN", "value": IN_ENV}, {"name": "LOG_LEVEL", "value": "debug"}],
        "args": ["--model", "qwen", "--api-key", IN_ARGUMENT],
        "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": f"Basic {IN_PROBE}"}]}},
    }
    found.add("secrets", {"kind": "Secret", "metadata": {"name": "hf"}, "stringData": {"token": IN_SECRET}})
    found.objects[NAMESPACE, "events"][0]["message"] = f"cannot pull: wrong token {KUBE_TOKEN}, useful-event"
    found.logs["qwen-kserve-2", "main"] = (
        f"useful-log\nlogin with {HF}\nmy environment has {IN_ENV}\nAuthorization: Bearer {TOKEN}\n"
        f"%{base64.b64encode(f'user:{TOKEN}'.encode()).decode()}\n--api-key {IN_ARGUMENT}\n"
    )
    found.logs["qwen-gateway-istio-1", "istio-proxy"] = access_line(
        "id", "suite (case)", 401, path=f"/x?key={KUBE_TOKEN}"
    )
    _, kube = serve(found.answer)
    redactor, log = Redactor([TOKEN, KUBE_TOKEN]), RequestLog()
    with serving(lambda asked: Answer(401, f"who is {asked.headers['authorization']}", {"X-Echo": TOKEN})) as (url, _):
        client = Client(url, "qwen", "suite (case)", token=Secret(TOKEN), on_reply=log.add)
        client.complete("useful-prompt", headers={"X-Api-Key": IN_ARGUMENT})
        client.close()
    subject = Subject(NAMESPACE, SERVICE, user_agents=("suite (case)",))
    write(collect(kube, subject, redactor, requests=log), tmp_path / "evidence", f"case[{TOKEN}]", redactor)
    return tmp_path / "evidence"


@pytest.mark.parametrize("planted", PLANTED)
def test_planted_secret_is_in_no_file(written: Path, planted: str) -> None:
    encoded = base64.b64encode(planted.encode()).decode()
    for file in written.rglob("*"):
        text = file.name + file.read_text()
        assert planted not in text
        assert encoded.rstrip("=")[:-1] not in text
    assert scan(written, PLANTED) == []


def test_what_is_useful_is_still_there(written: Path) -> None:
    text = "\n".join(file.read_text() for file in written.glob("*.txt"))
    for useful in ("useful-log", "useful-event", "useful-prompt", "HTTP 401", "$TOKEN", "OOMKilled", "Ready=False"):
        assert useful in text
    (objects,) = written.glob("*.objects.yaml")
    pods = [each for each in yaml.safe_load_all(objects.read_text()) if each["metadata"]["name"] == "qwen-kserve-2"]
    container = pods[0]["spec"]["containers"][0]
    assert [each["name"] for each in container["env"]] == ["HF_TOKEN", "LOG_LEVEL"]
    assert container["args"][:3] == ["--model", "qwen", "--api-key"]
