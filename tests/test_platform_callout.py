"""Why the API server could not ask a webhook: told apart by its words, the time, and the endpoints."""

import pytest

from tools.platform.callout import Behind, is_call, service_of, why

HOOK = (
    'Internal error occurred: failed calling webhook "llminferenceservice.kserve-webhook-server.v1alpha2.validator":'
    ' failed to call webhook: Post "https://llmisvc-webhook-server-service.kserve.svc:443/validate?timeout=10s": '
)
READY = Behind("kserve/llmisvc-webhook-server-service", "9443", 1, 10)
NOBODY = Behind("kserve/llmisvc-webhook-server-service", "9443", 0, 10)


@pytest.mark.parametrize(
    ("words", "seconds", "behind", "cause"),
    [
        ("context deadline exceeded", 10.0, READY, "the control plane cannot reach webhook port 9443: 1 endpoint(s)"),
        ("context deadline exceeded", 9.1, READY, "private GKE clusters: add a rule"),
        ("context deadline exceeded", 2.0, READY, "overloaded"),
        ("context deadline exceeded", 10.0, NOBODY, "no pod stands behind Service"),
        ('no endpoints available for service "x"', 0.1, NOBODY, "no pod stands behind Service kserve/llmisvc-webhook"),
        ("dial tcp 10.0.0.1:443: connect: connection refused", 0.1, NOBODY, "no pod stands behind"),
        ("dial tcp 10.0.0.1:443: connect: connection refused", 0.1, READY, "a port on which its pods do not listen"),
        (
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            0,
            READY,
            "caBundle is not",
        ),
        ("x509: certificate has expired or is not yet valid", 0, READY, "has expired"),
        ("x509: certificate is valid for a.svc, not b.svc", 0, READY, "another name than its Service's"),
        ('service "kserve-webhook-server-service" not found', 0, READY, "left behind by an earlier installation"),
        ("the server could not find the requested resource", 0, READY, "left behind by an earlier installation"),
        ("EOF", 0, READY, "did not answer as it should"),
    ],
)
def test_each_failure_has_its_cause(words: str, seconds: float, behind: Behind, cause: str) -> None:
    found = why(HOOK + words, seconds, behind)
    assert cause in found.cause
    assert "llminferenceservice.kserve-webhook-server.v1alpha2.validator" in found.seen
    assert found.next_step.startswith("kubectl ")


def test_only_calls_of_webhooks_are_explained() -> None:
    assert is_call(HOOK)
    assert is_call("conversion webhook for serving.kserve.io/v1alpha2, Kind=X failed: Post: EOF")
    assert not is_call('admission webhook "x" denied the request: no')
    assert service_of(HOOK) == "kserve/llmisvc-webhook-server-service"
    assert service_of("etcd has no leader") == ""
