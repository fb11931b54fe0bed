"""Every case is seen to fail: for the fault that it is there for, with the words that help, and to pass again after it.

`pytest tests/live -m faults` runs them on the local cluster. A fault is injected once; the cases that it must break are
called under it with the very fixtures that they have in suites/.
"""

import inspect
from collections.abc import Callable

import pytest

from fixtures.cluster import Cluster
from tests.live.proofs import PROOFS, Case, Proof
from tools.explain import Violation
from tools.kube.llm_service import LlmService
from tools.openai.settling import settle

pytestmark = [
    pytest.mark.faults,
    # What the faults break is the same for both accelerators.
    pytest.mark.parametrize("accelerator", [pytest.param("gpu", marks=pytest.mark.gpu)], indirect=True),
]

RECOVERY_SECONDS = 60.0


@pytest.mark.parametrize("proof", PROOFS, ids=[proof.fault.__name__ for proof in PROOFS])
def test_cases_fail_under_fault(
    request: pytest.FixtureRequest, cluster: Cluster, service: LlmService, proof: Proof
) -> None:
    """The cases pass, fail under the fault for the right reason, and pass again when it is gone."""
    calls = {case: _bound(request, case) for case in proof.cases}
    for call in calls.values():
        call()  # else its failure would show nothing
    with proof.fault(service):
        wrong = [line for case, words in proof.cases.items() for line in _not_seen(case, calls[case], words)]

    def all_pass() -> None:
        for call in calls.values():
            call()

    settle("all cases to pass again", all_pass, budget=RECOVERY_SECONDS, in_a_row=1)
    cluster.alive()
    assert not wrong, "\n".join(wrong)


def _not_seen(case: Case, call: Callable[[], None], words: list[str]) -> list[str]:
    """How a case under the fault differed from the failure that was to be seen."""
    try:
        call()
    except (Violation, pytest.fail.Exception) as error:
        return [f"{case.__name__} failed without saying {word!r}:\n{error}" for word in words if word not in str(error)]
    except Exception as error:
        return [f"{case.__name__} broke instead of failing: {type(error).__name__}: {error}"]
    return [f"{case.__name__} passed"]


def _bound(request: pytest.FixtureRequest, case: Case) -> Callable[[], None]:
    """The case as it is called in suites/: with the fixtures that its parameters name."""
    arguments = {name: request.getfixturevalue(name) for name in inspect.signature(case).parameters}
    return lambda: case(**arguments)
