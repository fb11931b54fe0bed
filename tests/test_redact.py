"""What is hidden, and above all what is not."""

import base64
import json
import time
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from tools.errors import UserError
from tools.redact import HIDDEN, Redactor

SECRET = 'pl@nted/"value"+1234 <&>'
KEY = (
    "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEA0123456789abcdef+/==\n" * 3 + "-----END RSA PRIVATE KEY-----"
)

EVIDENCE = """\
vllm:prompt_tokens_total{model_name="a"} 5.0
tokens 12
time to first token: 3ms, per output token: 0.012, next token: 7
MountVolume.SetUp failed for volume "x" : secret "hf-token" not found
failed to get secret: secrets "x" is forbidden
failed to verify token: signature is invalid
wrong password: access denied
--tokenizer=Qwen/Qwen2.5 --max-tokens=8 max_tokens=8 --api-key $TOKEN
usage: vllm [--api-key API_KEY [API_KEY ...]] [--hf-token HF_TOKEN]
a bearer token of a service account; Bearer authentication is off. No bearer token.
{"token":" beginning","logprob":-1,"bytes":null}
eos_token='<|im_end|>' api_key=None
kind: AuthorizationPolicy, authorization.k8s.io/v1
curl -sS -H "Authorization: Bearer $TOKEN" http://203.0.113.7/ns/name
http://10.0.0.1:8000/v1/models and git@github.com:x/y
image@sha256:0123456789abcdef0123456789abcdef
secretName: huggingface-token
path: /var/run/secrets/kubernetes.io/serviceaccount/token
{"request_id":"7d1c1e3c-0000-4000-8000-000000000000","response_flags":"UH","authority":"203.0.113.7"}
outbound|9002||qwen-epp-service.llm.svc.cluster.local::10.0.0.1:9002::health_flags::healthy
-----BEGIN CERTIFICATE-----
"""


def test_evidence_stays() -> None:
    assert Redactor([SECRET]).text(EVIDENCE) == EVIDENCE


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc", "Authorization: Bearer ***"),
        ("authorization: Basic dXNlcjpwYXNz\nnext", "authorization: Basic ***\nnext"),
        ('{"Authorization":["Bearer abc"],"a":1}', '{"Authorization":["Bearer ***"],"a":1}'),
        ('key:"authorization" raw_value:"Bearer abc"', 'key:"authorization" raw_value:"Bearer ***"'),
        ("map[Authorization:[Bearer abc] Accept:[*/*]]", "map[Authorization:[Bearer ***] Accept:[*/*]]"),
        ("got Bearer AbCd1234efgh, refused", "got Bearer ***, refused"),
        ("Cookie: a=b; session=c", "Cookie: ***"),
        ("login with hf_abcdefghijklmnopqrstuvwxyz01234567", "login with ***"),
        (r'"line\nhf_abcdefghijklmnopqrstuvwxyz01234567"', r'"line\n***"'),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789 x", "*** x"),
        ("sha256~abcdefghijklmnopqrstuvwxyz0123456789 x", "*** x"),
        ("id AKIAABCDEFGHIJKLMNOP", "id ***"),
        ("key=AIzaabcdefghijklmnopqrstuvwxyz012345678", "key=***"),
        ("x eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl y", "x *** y"),
        ("Bearer%20eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0", "Bearer%20***"),
        ("postgres://user:hunter2@db:5432/x", "postgres://***@db:5432/x"),
        ("password=hunter2 token=abcdef api_key=x HF_TOKEN=some", "password=*** token=*** api_key=*** HF_TOKEN=some"),
        ("password: Hunter2, then", "password: ***, then"),
        ('{"password":"two words","client_secret":"x"}', '{"password":"***","client_secret":"***"}'),
        (r"{\"access_token\":\"abcdef\"}", r"{\"access_token\":\"***\"}"),
        ("vllm serve x --api-key hunter2 --hf-token=hunter2", "vllm serve x --api-key *** --hf-token=***"),
        ('{"auths":{"reg":{"auth":"dXNlcjpwYXNz"}}}', '{"auths":{"reg":{"auth":"***"}}}'),
        ("https://bucket/x?X-Amz-Signature=0123abcd&y=1", "https://bucket/x?X-Amz-Signature=***&y=1"),
        (f"before\n{KEY}\nafter", "before\n***\nafter"),
        (json.dumps({"key": KEY}), '{"key": "***"}'),
        (KEY[:80] + "\nINFO next line", f"{HIDDEN}\nINFO next line"),
        ("INFO first\n" + KEY[50:], "INFO first\n***"),
    ],
)
def test_shapes_are_hidden(text: str, shown: str) -> None:
    assert Redactor().text(text) == shown
    assert Redactor().text(shown) == shown, "a second time changes nothing"


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        json.dumps(SECRET),
        json.dumps(json.dumps(SECRET)),
        json.dumps(SECRET).replace("<", "\\u003c").replace("&", "\\u0026").replace(">", "\\u003e"),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        SECRET.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;"),
    ],
)
def test_known_value_is_hidden_in_every_form(form: str) -> None:
    redactor = Redactor([SECRET])
    found = redactor.text(f"before {form} after")
    assert found.startswith("before ")
    assert found.endswith(" after")
    assert HIDDEN in found
    assert "1234" not in found
    assert redactor.knows(form.encode())
    assert not redactor.knows(found.encode())


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
def test_known_value_inside_of_base64(before: str) -> None:
    secret = "planted-secret-value"
    encoded = base64.b64encode(f"{before}{secret}/more".encode()).decode()
    left, _, right = Redactor([secret]).text(encoded).partition(HIDDEN)
    assert "pl" not in base64.b64decode(left[: len(left) // 4 * 4]).decode()
    # Two characters at most can be part of its last letter.
    assert len(right) <= len(base64.b64encode(b"/more")) + 2


def test_lines_of_a_known_value_are_hidden_alone() -> None:
    assert Redactor([KEY]).text("x MIIEowIBAAKCAQEA0123456789abcdef+/== y") == "x *** y"


def test_bytes_of_any_kind_stay_what_they_are() -> None:
    data = bytes(range(256))
    redactor = Redactor(["planted-secret"])
    assert redactor.data(data) == data
    assert redactor.data(data + b"planted-secret" + data) == data + b"***" + data
    assert redactor.hidden(b"token=abcdef planted-secret") == b"token=abcdef ***"


def test_too_short_a_secret_is_refused() -> None:
    with pytest.raises(UserError, match="at least 6 characters"):
        Redactor(["abc"])
    assert Redactor(["", " \n"]).text("a b\n") == "a b\n"


def test_object_keeps_what_is_no_secret() -> None:
    reference = {"name": "B", "valueFrom": {"secretKeyRef": {"name": "token", "key": "HF_TOKEN"}}}
    probe = {"httpGet": {"path": "/health", "httpHeaders": [{"name": "Authorization", "value": "Basic eDp5"}]}}
    container = {
        "name": "main",
        "command": ["vllm", "serve", "--api-key", "hunter2", "--max-model-len", "1024", "--token"],
        "env": [{"name": "A", "value": "somewhat"}, reference],
        "livenessProbe": probe,
    }
    found = Redactor().objects({"spec": {"template": {"containers": [container]}, "value": 1}, "kind": "Deployment"})
    shown = found["spec"]["template"]["containers"][0]
    assert shown["env"] == [{"name": "A", "value": "(hidden)"}, reference]
    assert shown["command"] == ["vllm", "serve", "--api-key", HIDDEN, "--max-model-len", "1024", "--token"]
    assert shown["livenessProbe"]["httpGet"]["httpHeaders"] == [{"name": "Authorization", "value": HIDDEN}]
    assert found["spec"]["value"] == 1
    assert container["env"] == [{"name": "A", "value": "somewhat"}, reference], "the object itself is not changed"


def test_of_a_secret_only_keys_and_sizes_are_kept() -> None:
    data = {"token": base64.b64encode(b"hello").decode()}
    found = Redactor().objects({"kind": "Secret", "type": "Opaque", "data": data, "stringData": {"x": "abc"}})
    assert found == {
        "kind": "Secret",
        "type": "Opaque",
        "data": {"token": "(hidden, 5 bytes)"},
        "stringData": {"x": "(hidden, 3 bytes)"},
    }


def test_object_as_it_was_applied_is_dropped() -> None:
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": "{...}", "a": "b"}
    found = Redactor().objects({"metadata": {"annotations": annotations}})
    assert found == {"metadata": {"annotations": {"a": "b"}}}


def test_objects_stay_yaml() -> None:
    redactor = Redactor(["planted-secret"])
    shown = redactor.objects({"a": ["planted-secret", "planted-secret x"], "password": "x", "b": "token=abcdef"})
    text = redactor.text(yaml.safe_dump(shown))
    assert yaml.safe_load(text) == {"a": ["***", "*** x"], "password": "***", "b": "token=***"}


def test_values_of_environments_are_learned_by_their_names() -> None:
    redactor = Redactor()
    env = [
        {"name": "HF_TOKEN", "value": "something-long"},
        {"name": "TOKENIZER", "value": "Qwen/Qwen2.5"},
        {"name": "SECRET_NAME", "value": "huggingface"},
        {"name": "DB_PASSWORD", "value": "short"},
    ]
    redactor.learn([{"spec": {"containers": [{"env": env}]}}])
    text = "something-long Qwen/Qwen2.5 huggingface short"
    assert redactor.text(text) == "*** Qwen/Qwen2.5 huggingface short"


@pytest.mark.parametrize(
    "unit",
    [
        '{"method":"POST","path":"/ns/x/v1/completions","response_code":200,"request_id":"7d1c1e3c-0000"}\n',
        "eyJ",
        "token",
        "password=",
        "://a:",
        "-----BEGIN PRIVATE KEY-----\n",
        "A" * 64 + "\n",
        "Bearer ",
        '"auth":"',
        "authorization:",
        "--api-key ",
        "\\",
        " ",
    ],
)
def test_time_grows_no_faster_than_the_text(unit: str) -> None:
    redactor = Redactor(["planted-secret", "another-secret"])

    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        started = time.process_time()
        redactor.text(text)
        return time.process_time() - started

    # Ten megabytes would take minutes with anything quadratic.
    assert seconds(10_000_000 if "POST" in unit else 1_000_000) < 8


def test_nested_values_of_any_kind() -> None:
    found: Any = {"a": [1, None, True, 1.5, "token=abcdef"], "b": {"c": []}}
    assert Redactor().objects(found) == {"a": [1, None, True, 1.5, "token=***"], "b": {"c": []}}
