"""Credentials are looked at before they are used; plugins are real programs here."""

import base64
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tools.cluster.credentials import check, token_expiry
from tools.cluster.kubeconfig import Entry
from tools.errors import UserError
from tools.waiting import timeouts

_PAST, _FUTURE = "2020-01-02T03:04:05Z", "2120-01-02T03:04:05Z"


def _entry(tmp_path: Path, **user: Any) -> Entry:
    return Entry(tmp_path / "config", "ctx", "c", "https://api.example.com", user)


def _refusal(entry: Entry, **environ: str) -> UserError:
    with pytest.raises(UserError) as refused:
        check(entry, environ)
    return refused.value


def _jwt(**claims: Any) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in ({}, claims)]
    return ".".join([*parts, "signature"])


def _plugin(tmp_path: Path, name: str, script: str) -> dict[str, str]:
    """A program of that name on a PATH of its own."""
    directory = tmp_path / "bin"
    directory.mkdir()
    program = directory / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{directory}:/bin:/usr/bin"}


def _exec(name: str, **more: Any) -> dict[str, Any]:
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": name, **more}}


def _answer(**status: str) -> str:
    return f"echo '{json.dumps({'kind': 'ExecCredential', 'status': status})}'"


@pytest.mark.parametrize(
    "user",
    [
        {"token": "opaque"},
        {"token": _jwt(exp=4_000_000_000)},
        {"token": _jwt(sub="no expiry")},
        {"username": "u", "password": "p"},
        {"auth-provider": {"name": "oidc"}},
    ],
)
def test_credentials_that_may_be_good(tmp_path: Path, user: dict[str, Any]) -> None:
    check(_entry(tmp_path, **user), {})


def test_no_credentials(tmp_path: Path) -> None:
    assert "no token, no certificate" in _refusal(_entry(tmp_path)).observed


def test_expired_token_is_told_with_its_time_and_not_with_itself(tmp_path: Path) -> None:
    token = _jwt(exp=1_577_934_245)
    refused = _refusal(_entry(tmp_path, token=token))
    assert "expired at 2020-01-02 03:04:05 UTC" in refused.observed
    assert token not in str(refused)


@pytest.mark.parametrize("token", ["", "a.b", "a.!!.c", _jwt(exp="never"), _jwt(exp=1e40)])
def test_token_that_does_not_tell_its_expiry(token: str) -> None:
    assert token_expiry(token) is None


def test_token_file_that_is_not_there(tmp_path: Path) -> None:
    refused = _refusal(_entry(tmp_path, tokenFile="token"))
    assert f"tokenFile {tmp_path}/token, which cannot be read: No such file" in refused.observed


def test_auth_provider_that_is_gone(tmp_path: Path) -> None:
    assert "auth-provider: gcp" in _refusal(_entry(tmp_path, **{"auth-provider": {"name": "gcp"}})).observed


def test_plugin_that_is_not_installed(tmp_path: Path) -> None:
    refused = _refusal(_entry(tmp_path, **_exec("gke-gcloud-auth-plugin")), PATH=str(tmp_path))
    assert "`gke-gcloud-auth-plugin`, which is not on PATH" in refused.observed
    assert refused.next_step == "gcloud components install gke-gcloud-auth-plugin"


def test_kubeconfigs_own_hint_comes_first(tmp_path: Path) -> None:
    refused = _refusal(_entry(tmp_path, **_exec("login-tool", installHint="see\n  the wiki")), PATH=str(tmp_path))
    assert refused.next_step == "see the wiki"


def test_plugin_that_gives_a_token(tmp_path: Path) -> None:
    # It is told who asks, and gets its arguments and environment.
    script = f'[ "$1" = get ] && [ "$WHO" = me ] && [ -n "$KUBERNETES_EXEC_INFO" ] || exit 3\n{_answer(token="t")}'
    environ = _plugin(tmp_path, "plugin", script)
    check(_entry(tmp_path, **_exec("plugin", args=["get"], env=[{"name": "WHO", "value": "me"}])), environ)


def test_plugin_beside_the_kubeconfig(tmp_path: Path) -> None:
    _plugin(tmp_path, "plugin", _answer(clientCertificateData="c"))
    check(_entry(tmp_path, **_exec("bin/plugin")), {"PATH": "/bin"})


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo first >&2; echo 'token has been revoked' >&2; exit 4", "exit status 4: token has been revoked"),
        ("exit 1", "exit status 1: and said nothing"),
        ("echo hello", "whose answer is no ExecCredential"),
        ("echo '{}'", "whose answer is no ExecCredential"),
        (_answer(), "gave neither token nor certificate"),
        (_answer(token="t", expirationTimestamp=_PAST), "expired at 2020-01-02 03:04:05 UTC"),
        (_answer(token="t", expirationTimestamp="soon"), "whose answer is no ExecCredential"),
    ],
)
def test_plugin_that_gives_nothing(tmp_path: Path, script: str, words: str) -> None:
    environ = _plugin(tmp_path, "gke-gcloud-auth-plugin", script)
    refused = _refusal(_entry(tmp_path, **_exec("gke-gcloud-auth-plugin")), **environ)
    assert words in refused.observed
    assert refused.next_step == "gcloud auth login"


def test_plugin_that_waits_for_somebody(tmp_path: Path) -> None:
    environ = _plugin(tmp_path, "plugin", "exec sleep 20")
    timeouts.override({"credentials-plugin": 0.2})
    try:
        refused = _refusal(_entry(tmp_path, **_exec("plugin")), **environ)
    finally:
        timeouts.override({})
    assert "did not answer within 0 s" in refused.observed


def test_plugin_that_is_no_program(tmp_path: Path) -> None:
    environ = _plugin(tmp_path, "plugin", "")
    (tmp_path / "bin" / "plugin").write_text("no program")
    assert "cannot be run: Exec format error" in _refusal(_entry(tmp_path, **_exec("plugin")), **environ).observed


def _certificate(until: str) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    ends = dt.datetime.fromisoformat(until)
    signed = builder.not_valid_before(ends - dt.timedelta(days=1)).not_valid_after(ends).sign(key, hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()


def test_certificate_with_its_key(tmp_path: Path) -> None:
    data = {"client-certificate-data": _certificate(_FUTURE)}
    check(_entry(tmp_path, **data, **{"client-key-data": "k"}), {})
    assert "without its client-key" in _refusal(_entry(tmp_path, **data)).observed


def test_expired_certificate(tmp_path: Path) -> None:
    data = {"client-certificate-data": _certificate(_PAST), "client-key-data": "k"}
    assert "expired at 2020-01-02 03:04:05 UTC" in _refusal(_entry(tmp_path, **data)).observed


@pytest.mark.parametrize("data", ["!!", base64.b64encode(b"no certificate").decode()])
def test_what_is_no_certificate(tmp_path: Path, data: str) -> None:
    assert "no certificate in PEM" in _refusal(_entry(tmp_path, **{"client-certificate-data": data})).observed


def test_certificate_file_that_is_not_there(tmp_path: Path) -> None:
    assert "cannot be read" in _refusal(_entry(tmp_path, **{"client-certificate": "c.pem"})).observed
