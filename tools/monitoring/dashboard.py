"""The Grafana dashboard that ships, made of manifests/monitoring/queries.yaml. Pure."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from tools.monitoring.shipped import Panel

_WIDTH, _HEIGHT, _ACROSS = 8, 7, 3
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def dashboard(panels: Sequence[Panel]) -> str:
    """The dashboard's JSON, with rows as the panels have them."""
    made = {
        "title": "LLMInferenceService",
        "uid": "llmisvc-conformance",
        "tags": ["kserve", "vllm"],
        "schemaVersion": 36,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus"},
            _variable("namespace", "label_values(vllm:num_requests_running, namespace)"),
            # Pods of a service begin with its name and -kserve-.
            _variable("service", 'label_values(vllm:num_requests_running{namespace="$namespace"}, pod)',
                      "/(.+?)-kserve-.*/"),
        ]},
        "panels": list(_panels(panels)),
    }  # fmt: skip
    return json.dumps(made, indent=1) + "\n"


def _variable(name: str, query: str, pattern: str = "") -> dict[str, Any]:
    return {"name": name, "type": "query", "datasource": _SOURCE, "query": query, "regex": pattern, "refresh": 2}


def _panels(panels: Sequence[Panel]) -> Iterator[dict[str, Any]]:
    top = number = 0
    for row, members in groupby(panels, key=lambda each: each.row):
        number += 1
        yield {"id": number, "type": "row", "title": row, "gridPos": {"x": 0, "y": top, "w": 24, "h": 1}, "panels": []}
        top += 1
        count = 0
        for count, panel in enumerate(members):
            number += 1
            place = {"x": count % _ACROSS * _WIDTH, "y": top + count // _ACROSS * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
            yield {
                "id": number,
                "type": "timeseries",
                "title": panel.title,
                "datasource": _SOURCE,
                "gridPos": place,
                "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
                "targets": [{"refId": "A", "datasource": _SOURCE, "expr": panel.query}],
            }
        top += (count // _ACROSS + 1) * _HEIGHT
