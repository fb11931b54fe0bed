"""Servers are told to use what they are given."""

import pytest

from tools.explain import bullets, check
from tools.faults import specified
from tools.kube import accelerator_rules as rules
from tools.kube.argv import argv
from tools.kube.llm_service import LlmService
from tools.kube.server_specs import limit, specs
from tools.profile import Profile


@pytest.mark.conformance(
    name="accelerator-is-used-in-full",
    level="core",
    fault=[
        specified.parallelism_lost.shows("2 accelerators and a server that computes on 1", "spec.parallelism.tensor"),
        specified.parallelism_exceeded.shows("computes on 4", "--tensor-parallel-size 4"),
    ],
    checks=["accelerator"],
)
def test_accelerators_are_used_in_full(service: LlmService, profile: Profile) -> None:
    """A server computes on as many accelerators as it is given: tensor × pipeline × local data parallel size."""
    resource = profile.accelerator.resource
    for spec in specs(service):
        given = argv(spec.container)
        wrong = rules.parallel(given, limit(spec, resource)) if given else "it does not start vLLM"
        check(
            not wrong,
            f"{spec.where}: its limit of {resource} to be the product of its parallel sizes",
            wrong,
            cause="KServe up to 0.19 does not turn spec.parallelism.tensor into an option of a server on one node: it"
            " has to be in `args` as --tensor-parallel-size",
            next_step=service.kubectl("get", "deployment", service.children["workload"][1], "-o", "yaml"),
        )


@pytest.mark.conformance(
    name="accelerator-computes-the-number-format",
    level="core",
    fault=specified.number_format_missing.shows("--dtype is ", "would end at its start"),
    checks=["accelerator"],
)
def test_accelerator_computes_the_number_format(service: LlmService, profile: Profile) -> None:
    """Servers are told a number format that vLLM knows and their accelerator has: on a T4 --dtype=half."""
    for spec in specs(service):
        given = argv(spec.container)
        labels = {
            **profile.accelerator.node_labels,
            **spec.pod.get("nodeSelector", {}),
            "name": profile.accelerator.name,
        }
        wrong = rules.dtype(labels, given) if given else "it does not start vLLM"
        check(
            not wrong,
            f"{spec.where}: {rules.formats(labels)} on {profile.accelerator.name}",
            wrong,
            cause="vLLM has no such --dtype, or the GPU's compute capability is below 8.0 (T4, V100) and it has no"
            " bfloat16, which most models are in: the server would end at its start",
            next_step=service.kubectl("get", "deployment", service.children["workload"][1], "-o", "yaml"),
        )


@pytest.mark.conformance(
    name="accelerator-variables-fit",
    level="core",
    fault=specified.bounds_of_another_host.shows("TPU_CHIPS_PER_HOST_BOUNDS=2,4,1 means 8 chips"),
    checks=["accelerator"],
)
def test_variables_fit_the_chips(service: LlmService, profile: Profile) -> None:
    """What a server's environment says of its TPU host is true of the chips that it is given."""
    resource = profile.accelerator.resource
    for spec in specs(service):
        chips = limit(spec, resource) if resource == rules.TPU else 0
        wrong = rules.bounds(spec.container.get("env", []), chips)
        check(
            not wrong,
            f"{spec.where}: TPU variables that go with {chips} chips on one host",
            bullets(wrong),
            cause="they are of another machine type; libtpu ends with `Failed to get global TPU topology`",
            next_step=service.kubectl("get", "deployment", service.children["workload"][1], "-o", "yaml"),
        )
