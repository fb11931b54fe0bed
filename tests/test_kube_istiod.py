"""istiod's word on what proxies have taken."""

from tools.kube.istiod import behind
from tools.kube.picker_path import tls_trouble

TYPE = "type.googleapis.com/envoy.config"


def test_what_was_sent_and_not_taken_is_told() -> None:
    resources = {
        f"{TYPE}.cluster.v3.Cluster": {"sent": "v2", "acked": "v2"},
        f"{TYPE}.listener.v3.Listener": {"sent": "v2", "acked": "v1"},
        f"{TYPE}.route.v3.RouteConfiguration": {"sent": "v2"},
        f"{TYPE}.core.v3.TypedExtensionConfig": {},
    }
    assert behind({"proxy": "a.ns", "resources": resources}) == [
        "Listener: v2 was sent, v1 taken",
        "RouteConfiguration: v2 was sent, none taken",
    ]


def test_destination_rules_of_a_picker() -> None:
    def rule(host: str, **policy: object) -> dict[str, object]:
        return {"metadata": {"name": "r"}, "spec": {"host": host, "trafficPolicy": policy}}

    assert tls_trouble([rule("epp.ns.svc.cluster.local", tls={"mode": "SIMPLE"})], "epp", "ns") == []
    assert "there is no DestinationRule for epp in ns" in tls_trouble([rule("other")], "epp", "ns")[0]
    assert tls_trouble([rule("epp")], "epp", "ns") == ["DestinationRule r for epp has tls mode none, not SIMPLE"]
