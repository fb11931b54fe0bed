"""The credentials of a context, looked at before they are used: the client library would go on without them."""

import base64
import binascii
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from tools.cluster.kubeconfig import Entry
from tools.errors import UserError
from tools.waiting.timeouts import seconds

# How the plugins of large platforms are installed; a kubeconfig's own hint comes first.
_INSTALL = {
    "gke-gcloud-auth-plugin": "gcloud components install gke-gcloud-auth-plugin",
    "aws": "install the AWS CLI, version 2",
    "aws-iam-authenticator": "install aws-iam-authenticator",
    "kubelogin": "install kubelogin",
    "oc": "install the OpenShift CLI `oc`",
}
# How to log in again.
_LOGIN = {
    "gke-gcloud-auth-plugin": "gcloud auth login",
    "aws": "aws sso login",
    "kubelogin": "az login",
    "oc": "oc login",
}


def check(entry: Entry, environ: Mapping[str, str]) -> None:
    """Look at a user's credentials, and run the plugin that gives them where there is one.

    Raises:
        UserError: there are none, they cannot be had, or they have expired.
    """
    user, now = entry.user, datetime.now(UTC)
    if "auth-provider" in user and (provider := (user["auth-provider"] or {}).get("name")) != "oidc":
        raise _refused(entry, f"`auth-provider: {provider}`, which Kubernetes gave up with 1.26", _renew(entry.server))
    if file := user.get("tokenFile"):
        _read(entry, "tokenFile", str(file))
    elif token := user.get("token"):
        if (ended := token_expiry(str(token))) and ended <= now:
            raise _refused(entry, f"a token that expired at {_told(ended)}", _renew(entry.server))
    elif plugin := user.get("exec"):
        _ask_plugin(entry, plugin, environ, now)
    elif certificate := _certificate(entry):
        if (ended := certificate.not_valid_after_utc) <= now:
            raise _refused(entry, f"a client certificate that expired at {_told(ended)}", _renew(entry.server))
    elif "auth-provider" not in user and not (user.get("username") and user.get("password")):
        raise _refused(entry, "no token, no certificate, no plugin and no password", _renew(entry.server))


def token_expiry(token: str) -> datetime | None:
    """When a bearer token expires, if it is a JWT that says so. Pure."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        said = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(said["exp"], UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return None


def _ask_plugin(entry: Entry, plugin: Mapping[str, Any], environ: Mapping[str, str], now: datetime) -> None:
    """Run a credential plugin: the client library logs its failure and asks as nobody."""
    name = str(plugin.get("command", ""))
    short = Path(name).name
    # As kubectl does it: a name is looked for on PATH, a relative path beside the kubeconfig.
    program = shutil.which(str(entry.file.parent / name) if os.sep in name else name, path=environ.get("PATH"))
    if program is None:
        hint = " ".join(str(plugin.get("installHint") or _INSTALL.get(short, f"install {short}")).split())
        raise _refused(entry, f"the plugin `{name}`, which is not on PATH", hint)
    more = {each["name"]: each["value"] for each in plugin.get("env") or []}
    spec = {"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential", "spec": {"interactive": False}}
    again = _LOGIN.get(short, f"run `{short}` by hand, and log in again")
    try:
        done = subprocess.run(
            [program, *map(str, plugin.get("args") or [])],
            env={**environ, **more, "KUBERNETES_EXEC_INFO": json.dumps(spec)},
            cwd=entry.file.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds("credentials-plugin"),
        )
    except subprocess.TimeoutExpired:
        observed = f"the plugin `{short}`, which did not answer within {seconds('credentials-plugin'):.0f} s"
        raise _refused(entry, observed, again, cause="it waits for an answer or for a browser") from None
    except OSError as error:
        raise _refused(entry, f"the plugin `{short}`, which cannot be run: {error.strerror}", again) from None
    if done.returncode:
        said = _last(done.stderr.splitlines()) or "and said nothing"
        raise _refused(entry, f"the plugin `{short}`, which ended with exit status {done.returncode}: {said}", again)
    _check_answer(entry, short, done.stdout, now, again)


def _check_answer(entry: Entry, plugin: str, answer: str, now: datetime, again: str) -> None:
    try:
        status = json.loads(answer)["status"]
        ended = datetime.fromisoformat(until) if (until := status.get("expirationTimestamp")) else None
        given = status.get("token") or status.get("clientCertificateData")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _refused(entry, f"the plugin `{plugin}`, whose answer is no ExecCredential", again) from None
    if not given:
        raise _refused(entry, f"the plugin `{plugin}`, which gave neither token nor certificate", again)
    if ended is not None and ended.replace(tzinfo=ended.tzinfo or UTC) <= now:
        raise _refused(entry, f"the plugin `{plugin}`, whose credentials expired at {_told(ended)}", again)


def _certificate(entry: Entry) -> x509.Certificate | None:
    user, key = entry.user, "client-certificate"
    if not (user.get(key) or user.get(f"{key}-data")):
        return None
    try:
        data = user.get(f"{key}-data")
        pem = base64.b64decode(data, validate=True) if data else _read(entry, key, str(user[key]))
        found = x509.load_pem_x509_certificate(pem)
    except (ValueError, TypeError, binascii.Error):
        raise _refused(entry, f"a {key} that is no certificate in PEM", _renew(entry.server)) from None
    if not (user.get("client-key") or user.get("client-key-data")):
        raise _refused(entry, f"a {key} without its client-key", _renew(entry.server))
    return found


def _read(entry: Entry, key: str, name: str) -> bytes:
    path = entry.file.parent / name
    try:
        return path.read_bytes()
    except OSError as error:
        raise _refused(entry, f"{key} {path}, which cannot be read: {error.strerror}", _renew(entry.server)) from None


def _refused(entry: Entry, observed: str, next_step: str, *, cause: str = "") -> UserError:
    return UserError(
        f"credentials for context {entry.context} in {entry.file}", observed, cause=cause, next_step=next_step
    )


def _renew(server: str) -> str:
    return f"log in to {server} again with the platform's own tool, so that the kubeconfig is written anew"


def _told(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _last(lines: Sequence[str]) -> str:
    """The last line that says something."""
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")
