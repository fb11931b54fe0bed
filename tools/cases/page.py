"""The page docs/cases.md, made of the cases themselves. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from tools.cases.capabilities import BY_FIXTURE
from tools.cases.case import Case, by_level
from tools.faults.fault import Fault, Scope

_HEAD = """# Cases

Made by `python -m tools.cases > docs/cases.md`; a test keeps it true.

A case is one promise. Its name is stable: reports, baselines and `manifests/skips.yaml` know it by this name. Each runs
once for every accelerator that has a profile. **Core** cases decide on a release together with every extended case that
could run. A case whose requirements are not met is reported as NOT SUPPORTED, with what it needs and what there is;
nothing else leaves a case out but an entry of `manifests/skips.yaml`, with a reason, an issue and an expiry date.

`pytest -m gpu --prove` sees each case pass, fail under each of its faults with the words that stand beside it, and pass
again.
"""


def page(cases: Sequence[Case]) -> str:
    """The whole page."""
    levels = ", ".join(f"{count} {level}" for level, count in sorted(by_level(cases).items()))
    lines = [_HEAD, f"There are {len(cases)} cases: {levels}.", ""]
    for area, found in groupby(cases, key=lambda case: case.area):
        lines += [f"## {area}", ""]
        for case in found:
            lines += _case(case)
    lines += _faults(cases)
    lines += ["## Requirements that fixtures imply", "", "| fixture | the run has to be able to |", "|---|---|"]
    lines += [f"| `{fixture}` | {requirement.name} |" for fixture, requirement in BY_FIXTURE.items()]
    return "\n".join(lines) + "\n"


def _case(case: Case) -> Iterator[str]:
    yield f"### `{case.name}`"
    yield ""
    yield case.promise
    yield ""
    yield f"- level: {case.level}; in `{case.where.rpartition(':')[0]}`"
    if case.checks:
        yield f"- checks the promise: {', '.join(case.checks)}"
    if case.requires:
        yield f"- needs: {'; '.join(each.name for each in case.requires)}"
    for proof in case.proofs:
        words = ", ".join(f"`{word}`" for word in proof.words)
        yield f"- fails under `{proof.fault.name}` with {words}"
    yield ""


def _faults(cases: Iterable[Case]) -> Iterator[str]:
    found: dict[str, Fault] = {proof.fault.name: proof.fault for case in cases for proof in case.proofs}
    yield "## Faults"
    yield ""
    yield "| fault | reaches | what it breaks |"
    yield "|---|---|---|"
    for name, fault in sorted(found.items()):
        reach = "the service's namespace" if fault.scope is Scope.NAMESPACE else "the cluster: it is in effect alone"
        yield f"| `{name}` | {reach} | {fault.breaks} |"
    yield ""
