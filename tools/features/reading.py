"""One guarded read of the cluster: found, not there, or not to be told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tools.features.feature import Feature
from tools.kube.errors import KubeError, NotFound

Object = dict[str, Any]


@dataclass(frozen=True)
class Reading:
    """What a read gave.

    Attributes:
        where: what was read, for evidence: a path of the API, or `pod/NAME:PORT/path`.
        body: what was found; None if it is not there or could not be read.
        problem: why it could not be read; empty if it could, be it that nothing is there.
    """

    where: str
    body: Object | None = None
    problem: str = ""

    @property
    def items(self) -> list[Object]:
        """Objects of a list; none if there is no such kind."""
        return list(self.body.get("items") or []) if self.body else []


def read(where: str, ask: Callable[[], Object]) -> Reading:
    """Ask, and keep a refusal as an answer."""
    try:
        return Reading(where, ask())
    except NotFound:
        return Reading(where)
    except (KubeError, ValueError) as error:
        return Reading(where, problem=_words(error))


def untold(name: str, *readings: Reading) -> Feature:
    """The feature that could not be told, because of the first of the readings that gave nothing."""
    failed = next(each for each in readings if each.body is None)
    return Feature(name, None, f"could not be told: {failed.problem or 'it is not there'}", failed.where)


def _words(error: KubeError | ValueError) -> str:
    if isinstance(error, KubeError):
        return f"{error.status or 'no answer'}: {error.message}"
    return f"not the expected answer: {error}"
