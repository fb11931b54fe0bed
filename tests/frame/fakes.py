"""What suites of a test's own are made of; imported by them in the sessions that a test starts."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tools.cases.requirement import Requirement
from tools.explain import check
from tools.faults.fault import Fault, Proof, Scope, fault
from tools.kube.llm_service import LlmService

# Of the session: it runs in the directory of its checkout, and so do its workers.
STATE = Path("state")


@fault()
def harmless(_: LlmService) -> Iterator[None]:
    """Breaks nothing; for cases that nobody proves."""
    yield


def case(
    name: str,
    *,
    level: str = "core",
    requires: Sequence[Requirement] = (),
    fault: Sequence[Proof] = (harmless.shows("words"),),
    checks: Sequence[str] = (),
) -> pytest.MarkDecorator:
    """The mark of a case, with everything that it must have."""
    return pytest.mark.conformance(name=name, level=level, requires=requires, fault=fault, checks=checks)


def note(what: str) -> None:
    """Write a line down for the test, in the order in which things happen in all processes."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "notes").open("a") as file:
        file.write(f"{what}\n")


def file_fault(name: str, scope: Scope = Scope.NAMESPACE) -> Fault:
    """A fault that is a file beside the checkout, one for each service: `is_broken` sees it."""

    def inject(service: LlmService) -> Iterator[None]:
        path = STATE / f"{name}-{service.namespace}"
        STATE.mkdir(exist_ok=True)
        note(f"{name} in")
        path.touch()
        try:
            yield
        finally:
            path.unlink()
            note(f"{name} out")

    inject.__name__, inject.__doc__ = name, f"Makes the file {name}."
    return fault(scope)(inject)


def is_broken(name: str, service: LlmService) -> bool:
    """Whether `file_fault(name)` is in effect for a service."""
    return (STATE / f"{name}-{service.namespace}").exists()


def holds(name: str, service: LlmService, cause: str = "a file") -> None:
    """A promise that `file_fault(name)` breaks."""
    check(not is_broken(name, service), f"no file {name}", f"there is one in {service.namespace}", cause=cause)
