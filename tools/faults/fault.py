"""What a fault is: a way to break a service, with a name, a scope, and a proof that it took effect."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from enum import StrEnum

from tools.kube.llm_service import LlmService

Inject = Callable[[LlmService], Iterator[None]]


class Scope(StrEnum):
    """How far a fault reaches.

    Attributes:
        NAMESPACE: the service's own namespace; faults of several services may be in effect at once.
        CLUSTER: things that other services share; it is in effect alone.
    """

    NAMESPACE = "namespace"
    CLUSTER = "cluster"


@dataclass(frozen=True)
class Fault:
    """A way to break a running service.

    Entering it returns when the fault is proved to be in effect, and raises when that cannot be seen; leaving it puts
    back what was found, whatever happened in between.

    Attributes:
        name: stable; the function's.
        breaks: what it breaks, in a sentence; the function's docstring.
        scope: how far it reaches.
        breaks_gateway: whether it breaks the Gateway for every service that is behind it.
        inject: the function; it yields once, while the fault is in effect.
    """

    name: str
    breaks: str
    scope: Scope
    breaks_gateway: bool
    inject: Inject

    def __call__(self, service: LlmService) -> AbstractContextManager[None]:
        """Break `service` while entered."""
        return contextmanager(self.inject)(service)

    def shows(self, *words: str) -> "Proof":
        """Under this fault a case must fail, and its failure must have these words."""
        return Proof(self, words)


@dataclass(frozen=True)
class Proof:
    """A fault and the words that the failure of a case under it must have."""

    fault: Fault
    words: tuple[str, ...]


def fault(scope: Scope = Scope.NAMESPACE, *, breaks_gateway: bool = False) -> Callable[[Inject], Fault]:
    """Make a fault of a generator function: named like it, described by the first sentence of its docstring."""

    def make(inject: Inject) -> Fault:
        # Functions have both; the type of a callable does not say so.
        name = str(getattr(inject, "__name__", ""))
        return Fault(name, " ".join((inject.__doc__ or "").split()), scope, breaks_gateway, inject)

    return make
