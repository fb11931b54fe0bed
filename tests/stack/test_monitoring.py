"""What ships for Prometheus, by Prometheus' own tool."""

import subprocess
from pathlib import Path

import yaml

from tools.manifests.monitoring import for_local_cluster
from tools.manifests.render import render
from tools.monitoring import shipped
from tools.paths import CHECKOUT
from tools.stack import locate_stack


def promtool(*words: object) -> str:
    command = [str(locate_stack().bin("promtool")), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_alerts_are_rules() -> None:
    wanted = len(shipped.alerts(shipped.ALERTS))
    assert f"{wanted} rules found" in promtool("check", "rules", shipped.MONITORING / shipped.ALERTS)
    promtool("check", "rules", shipped.MONITORING / shipped.ISTIO_ALERTS)


def test_queries_are_expressions(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": panel.for_service("llm", "chat", 60)}
             for number, panel in enumerate(shipped.panels())]  # fmt: skip
    file = tmp_path / "panels.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", file)


def test_local_configuration_is_one(tmp_path: Path) -> None:
    documents = for_local_cluster(render(CHECKOUT / "manifests/stack/local/monitoring", locate_stack().bin("kubectl")))
    (data,) = (each["data"] for each in documents if each["kind"] == "ConfigMap")
    for name, text in data.items():
        (tmp_path / name).write_text(text.replace("/etc/prometheus", str(tmp_path)))
    assert "is valid" in promtool("check", "config", "--syntax-only", tmp_path / "prometheus.yml")
