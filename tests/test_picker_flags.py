"""How a picker is started, as read from its container."""

from typing import Any

import pytest

from tools.kube.picker_flags import flags, promised_scorers, scorers, slow, undefined

_CONFIG = """
plugins:
- type: queue-scorer
- {type: prefix-cache-scorer, name: prefixes}
- type: max-score-picker
schedulingProfiles:
- name: default
  plugins:
  - {pluginRef: queue-scorer, weight: 2}
  - pluginRef: prefixes
  - pluginRef: max-score-picker
"""


def _container(*args: str, **fields: Any) -> dict[str, Any]:
    return {"name": "main", "command": ["/app/epp", "--pool-name", "p", "", ""], "args": list(args), **fields}


@pytest.mark.parametrize(
    ("args", "name", "value"),
    [
        ((), "pool-name", "p"),
        ((), "secure-serving", "true"),
        ((), "grpc-port", "9002"),
        (("--secure-serving=false",), "secure-serving", "false"),
        # A switch takes no separate value.
        (("--secure-serving", "false"), "secure-serving", "true"),
        (("-secureServing=false",), "secure-serving", "false"),
        (("--poolName", "q"), "pool-name", "q"),
        (("--pool-name=q", "--pool-name=r"), "pool-name", "r"),
        (("--cert-path",), "cert-path", ""),
        ((), "no-such-flag", ""),
    ],
)
def test_flag_takes_effect(args: tuple[str, ...], name: str, value: str) -> None:
    assert flags(_container(*args))[name] == value


def test_configuration_is_read() -> None:
    config = flags(_container("--config-text", _CONFIG)).config
    assert config is not None
    assert scorers(config) == {"queue-scorer": 2.0, "prefix-cache-scorer": 1.0}
    assert undefined(config) == []
    config["schedulingProfiles"][0]["plugins"].append({"pluginRef": "nobody"})
    assert undefined(config) == ["nobody"]


@pytest.mark.parametrize("text", ["", "{", "a word"])
def test_configuration_that_is_none(text: str) -> None:
    assert flags(_container("--config-text", text)).config is None


def test_own_configuration_goes_before_presets() -> None:
    inline = {
        "plugins": [{"type": "queue-scorer"}],
        "schedulingProfiles": [{"plugins": [{"pluginRef": "queue-scorer"}]}],
    }
    assert promised_scorers({"router": {"scheduler": {"config": {"inline": inline}}}}) == [{"queue-scorer": 1.0}]
    assert promised_scorers({"router": {"scheduler": {"config": {"ref": {"name": "c"}}}}}) is None
    presets = promised_scorers({"router": {"scheduler": {}}})
    assert presets is not None
    assert {"queue-scorer": 2.0, "prefix-cache-scorer": 3.0} in presets


@pytest.mark.parametrize(
    ("args", "cpu", "lines"),
    [
        ((), None, []),
        (("--v=2",), "500m", []),
        (("--v=4",), None, ["v is 4"]),
        (("-v", "3"), "0.1", ["v is 3", "its CPU limit is 0.1"]),
    ],
)
def test_what_slows_it_down(args: tuple[str, ...], cpu: str | None, lines: list[str]) -> None:
    resources = {"limits": {"cpu": cpu}} if cpu else {}
    assert slow(_container(*args, resources=resources)) == lines
