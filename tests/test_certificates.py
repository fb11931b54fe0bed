"""Certificates in place of cert-manager."""

import base64
import datetime as dt
from typing import Any

from cryptography import x509

from tools.install import certificates

_ASKED: dict[str, Any] = {
    "apiVersion": "cert-manager.io/v1",
    "kind": "Certificate",
    "metadata": {"name": "serving", "namespace": "n"},
    "spec": {"secretName": "hook-cert", "dnsNames": ["hook.n.svc"]},
}


def test_a_certificate_is_signed_by_its_authority_for_its_names_and_not_near_expiry() -> None:
    issued = certificates.issue(["hook.n.svc", "hook"])
    authority, leaf = (x509.load_pem_x509_certificate(pem) for pem in (issued.authority, issued.certificate))
    leaf.verify_directly_issued_by(authority)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["hook.n.svc", "hook"]
    assert leaf.not_valid_after_utc - dt.datetime.now(dt.UTC) > dt.timedelta(days=30)


def test_only_certificates_are_answered() -> None:
    other = {"apiVersion": "v1", "kind": "Service"}
    assert certificates.asked_for([_ASKED, other]) == [_ASKED]


def test_the_secret_has_the_name_and_keys_that_the_chart_mounts() -> None:
    secret = certificates.secret(_ASKED, "n", certificates.issue(["hook.n.svc"]))
    assert secret["metadata"] == {"name": "hook-cert", "namespace": "n"}
    assert set(secret["data"]) == {"ca.crt", "tls.crt", "tls.key"}


def test_the_authority_goes_into_every_webhook_and_keeps_the_rest() -> None:
    hooks = [{"name": name, "clientConfig": {"service": {"name": "s"}}} for name in "ab"]
    patch = certificates.with_authority({"kind": "ValidatingWebhookConfiguration", "webhooks": hooks}, b"ca")
    bundle = base64.b64encode(b"ca").decode()
    assert [hook["clientConfig"] for hook in patch["webhooks"]] == [{"service": {"name": "s"}, "caBundle": bundle}] * 2
