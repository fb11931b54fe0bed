"""Who gets a sidecar and why not; who a sidecar says that it is."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tools.mesh import identity
from tools.mesh.injection import contradictions, image, lacking, revisions

Object = dict[str, Any]
KNOWN = frozenset({"default", "1-31", "stable"})


def namespace(**labels: str) -> Object:
    """A namespace; two underscores in a key stand for a slash, one for a dash or dot of Istio's."""
    keys = {"injection": "istio-injection", "rev": "istio.io/rev"}
    return {"metadata": {"name": "llm", "labels": {keys[key]: value for key, value in labels.items()}}}


@pytest.mark.parametrize(
    ("labels", "pod", "why"),
    [
        ({"injection": "enabled"}, {}, ""),
        ({"rev": "1-31"}, {}, ""),
        ({"rev": "stable"}, {}, ""),
        ({}, {"sidecar.istio.io/inject": "true"}, ""),
        ({}, {"istio.io/rev": "stable"}, ""),
        ({}, {}, "has neither label istio-injection=enabled nor istio.io/rev"),
        ({"injection": "disabled"}, {}, "has label istio-injection=disabled"),
        ({"injection": "disabled"}, {"sidecar.istio.io/inject": "true"}, "has label istio-injection=disabled"),
        ({"injection": "enabled"}, {"sidecar.istio.io/inject": "false"}, "the pod opts out"),
        ({"rev": "1-30"}, {}, "nobody injects for revision or tag 1-30"),
        # The first label counts, and the revision that nobody answers for is not looked at.
        ({"injection": "enabled", "rev": "1-30"}, {}, ""),
    ],
)
def test_why_a_pod_gets_no_sidecar(labels: dict[str, str], pod: dict[str, str], why: str) -> None:
    found = lacking(namespace(**labels), pod, KNOWN)
    assert bool(found) == bool(why)
    assert why in found


def test_injection_without_a_default_control_plane() -> None:
    found = lacking(namespace(injection="enabled"), {}, frozenset({"1-31"}))
    assert "revision or tag default" in found
    assert found.endswith("(there is: 1-31)")


def test_labels_that_do_not_go_together() -> None:
    assert contradictions(namespace(injection="enabled")) == []
    assert "the first counts" in contradictions(namespace(injection="enabled", rev="1-31"))[0]


def test_revisions_and_tags_that_somebody_answers_for() -> None:
    def configuration(**labels: str) -> Object:
        return {"metadata": {"labels": {f"istio.io/{key}": value for key, value in labels.items()}}, "webhooks": [{}]}

    # A tag that is kept without a webhook answers for nobody.
    dead = configuration(rev="1-29") | {"webhooks": []}
    assert revisions([configuration(rev="default"), configuration(rev="1-31", tag="stable"), dead]) == KNOWN


def test_the_image_of_a_native_sidecar_and_of_an_ordinary_one() -> None:
    sidecar = {"name": "istio-proxy", "image": "proxyv2:1"}
    assert image({"spec": {"containers": [{"name": "main", "image": "a"}], "initContainers": [sidecar]}}) == "proxyv2:1"
    assert image({"spec": {"containers": [{"name": "main", "image": "a"}, sidecar]}}) == "proxyv2:1"
    assert image({"spec": {"containers": [{"name": "main", "image": "a"}]}}) == ""


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
POD: Object = {"metadata": {"namespace": "llm"}, "spec": {"serviceAccountName": "vllm"}}
OWN = "spiffe://cluster.local/ns/llm/sa/vllm"
LEAST = timedelta(minutes=15)


def answer(uri: str, since: datetime, until: datetime) -> str:
    """What Envoy answers to /certs."""
    names = [{"uri": uri}]
    chain = {
        "path": "<inline>",
        "subject_alt_names": names,
        "valid_from": f"{since:%Y-%m-%dT%H:%M:%SZ}",
        "expiration_time": f"{until:%Y-%m-%dT%H:%M:%SZ}",
    }
    root = chain | {"subject_alt_names": []}
    return json.dumps({"certificates": [{"ca_cert": [root], "cert_chain": [chain]}]})


def told(uri: str, since: timedelta, until: timedelta) -> list[str]:
    """What is wrong with a certificate whose times are given from now."""
    return identity.trouble(identity.certificates(answer(uri, NOW + since, NOW + until)), POD, NOW, LEAST)


def test_a_certificate_of_the_servers_account_is_in_order() -> None:
    assert told(OWN, -timedelta(hours=1), timedelta(hours=23)) == []
    assert told(OWN, -timedelta(hours=12), timedelta(hours=12)) == []
    other = identity.certificates(answer(OWN, NOW, NOW + timedelta(hours=24)))
    assert identity.trouble(other, {"metadata": {"namespace": "llm"}, "spec": {}}, NOW, LEAST) == [
        f"it says that it is {OWN}, not spiffe://…/ns/llm/sa/default"
    ]


@pytest.mark.parametrize(
    ("uri", "since", "until", "words"),
    [
        ("spiffe://cluster.local/ns/other/sa/vllm", -1, 23, "it says that it is spiffe://cluster.local/ns/other"),
        ("https://cluster.local/ns/llm/sa/vllm", -1, 23, "not spiffe://…/ns/llm/sa/vllm"),
        (OWN, -25, -1, "alone"),
        (OWN, 1, 25, "alone"),
        # Three quarters of its life are over.
        (OWN, -20, 4, "ends in 240 minutes"),
        (OWN, 0, 0.2, "ends in 12 minutes"),
    ],
)
def test_what_is_wrong_with_a_certificate(uri: str, since: float, until: float, words: str) -> None:
    (line,) = told(uri, timedelta(hours=since), timedelta(hours=until))
    assert words in line


def test_a_proxy_without_a_certificate() -> None:
    assert identity.trouble(identity.certificates('{"certificates": []}'), POD, NOW, LEAST) == [
        "it has no certificate of the mesh"
    ]


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"certificates": [{"cert_chain": [{"subject_alt_names": []}]}]}'])
def test_what_is_no_answer_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match=r"not an answer of Envoy|Expecting value"):
        identity.certificates(body)
