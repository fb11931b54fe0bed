"""What a snapshot leaves out."""

from tools.kube.snapshot import masked


def test_values_of_the_environment_are_hidden() -> None:
    reference = {"name": "B", "valueFrom": {"secretKeyRef": {"name": "token", "key": "HF_TOKEN"}}}
    container = {"name": "main", "args": ["--x"], "env": [{"name": "A", "value": "hf_secret"}, reference]}
    found = masked({"spec": {"template": {"containers": [container]}, "value": 1}})
    assert "hf_secret" not in str(found)
    assert found["spec"]["template"]["containers"][0]["env"] == [{"name": "A", "value": "(hidden)"}, reference]
    assert found["spec"]["value"] == 1
