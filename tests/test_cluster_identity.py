"""Names that speak of production."""

import pytest

from tools.cluster.identity import production_word


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("prod", "prod"),
        ("gke_acme-llm_europe-west4_PROD-1", "prod"),
        ("eu-production", "production"),
        ("https://api.prd.example.com:6443", "prd"),
        ("default/api-live-example-com:6443/admin", "live"),
        ("myProdCluster", "prod"),
        ("prod01", "prod"),
        ("euprod", "euprod"),
        ("prodeu", "prodeu"),
        ("arn:aws:eks:eu-west-1:123:cluster/shop_prod", "prod"),
    ],
)
def test_production(name: str, word: str) -> None:
    assert production_word(name) == word


@pytest.mark.parametrize(
    "name",
    [
        "",
        "staging",
        "nonprod",
        "non-prod-eu",
        "pre-prod",
        "preprod",
        "products-dev",
        "https://olive.example.com",
        "delivery-test",
        "kind-kind",
        "https://203.0.113.2:6443",
    ],
)
def test_something_else(name: str) -> None:
    assert production_word(name) == ""
