"""Servers are started as KServe's presets mean it."""

import pytest

from tools.explain import bullets, check
from tools.faults import specified
from tools.kube.argv import problems
from tools.kube.llm_service import LlmService
from tools.kube.server_specs import specs


@pytest.mark.conformance(
    name="server-command-is-sane",
    level="core",
    fault=[
        specified.script_in_arguments.shows("a program among its arguments", "2 models", "--port 2 times"),
        specified.port_given_twice.shows("--port 2 times: 8000, 8080", "port 8080"),
    ],
)
def test_command_is_sane(service: LlmService) -> None:
    """A server's command line names one model and one port, no option twice, and no program among its arguments."""
    for spec in specs(service):
        wrong = problems(spec.container)
        check(
            not wrong,
            f"{spec.where}: `vllm serve` with one model, one --port, and options only in `args`",
            bullets(wrong),
            cause="KServe's presets from 0.17 on have the whole command and append `args` to it; manifests for older"
            " ones have a whole program there",
            next_step="have options only in `args` of spec.template.containers[name=main]; see "
            + service.kubectl("get", "deployment", service.children["workload"][1], "-o", "yaml"),
        )
