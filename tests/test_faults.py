"""What a fault is: named and described by its function, in effect inside, and put back whatever happens there."""

from collections.abc import Iterator

import pytest

from tests.kube_server import Serve
from tools.faults.fault import Proof, Scope, fault
from tools.kube.llm_service import LlmService, Place

SEEN: list[str] = []


@fault(scope=Scope.CLUSTER)
def lights_out(service: LlmService) -> Iterator[None]:
    """Turns off
    the lights.
    """
    SEEN.append(f"out in {service.namespace}")
    try:
        yield
    finally:
        SEEN.append("on")


@pytest.fixture
def llm(serve: Serve) -> LlmService:
    """A service of which nothing is asked."""
    SEEN.clear()
    _, kube = serve(lambda *_: (404, {}))
    return LlmService(kube, "ns", "llm", Place("ns", "gw"))


def test_it_is_named_and_described_by_its_function() -> None:
    assert (lights_out.name, lights_out.breaks) == ("lights_out", "Turns off the lights.")
    assert lights_out.scope is Scope.CLUSTER
    assert fault()(lights_out.inject).scope is Scope.NAMESPACE


def test_it_is_in_effect_inside(llm: LlmService) -> None:
    with lights_out(llm):
        assert SEEN == ["out in ns"]
    assert SEEN == ["out in ns", "on"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_it_is_put_back_whatever_happens_inside(llm: LlmService, error: type[BaseException]) -> None:
    with pytest.raises(error), lights_out(llm):
        raise error
    assert SEEN == ["out in ns", "on"]


def test_it_can_be_put_in_again(llm: LlmService) -> None:
    for _ in range(2):
        with lights_out(llm):
            pass
    assert SEEN == ["out in ns", "on"] * 2


def test_a_proof_has_the_words() -> None:
    assert lights_out.shows("dark", "why") == Proof(lights_out, ("dark", "why"))
