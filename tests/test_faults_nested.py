"""Denials and mutations inside others: each is seen to begin and to end by a probe of its own."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.kube_server import Serve
from tools.faults.denial import Denial, denied
from tools.faults.mutation import Mutation, mutated
from tools.kube.kinds import DEPLOYMENT
from tools.kube.labels import RUN
from tools.kube.llm_service import LlmService, Place

Object = dict[str, Any]
Enter = Callable[[LlmService, str], AbstractContextManager[None]]


class Admission:
    """An API server with admission policies that do to ConfigMaps what the expressions of ours say.

    Attributes:
        there: the policies in force, by name.
    """

    def __init__(self) -> None:
        self.there: dict[str, Object] = {}

    def __call__(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Answer as the API server does."""
        kind, _, name = path.rpartition("/")
        if kind.endswith(("admissionpolicies", "policybindings")) and method == "PATCH":
            if kind.endswith("policies"):
                self.there[name] = body
            return 200, body or {}
        if method == "DELETE":
            self.there.pop(name, None)
            return 200, {}
        if method == "POST" and query.get("dryRun"):
            return self._judged(body)
        return 200, {"metadata": {"name": name, "labels": {RUN: "run"}}}

    def _judged(self, body: Object) -> tuple[int, Any]:
        probe = body["metadata"]["name"]
        for policy in self.there.values():
            spec = policy["spec"]
            for each in spec.get("validations", []):
                if f"'{probe}'" in each["expression"]:
                    return 422, {"message": f"ValidatingAdmissionPolicy denied request: {each['message']}"}
            for each in spec.get("mutations", []):
                if f'"{probe}"' in each["jsonPatch"]["expression"]:
                    mark = each["jsonPatch"]["expression"].split('value: {"')[1].split('"')[0]
                    body = body | {"metadata": body["metadata"] | {"labels": {mark: "true"}}}
        return 201, body


def denial(service: LlmService, name: str) -> AbstractContextManager[None]:
    """A denial of this name."""
    return denied(service, Denial(name, [("apps", "deployments")], ["CREATE"], "false"))


def mutation(service: LlmService, name: str) -> AbstractContextManager[None]:
    """A mutation of this name."""
    return mutated(service, Mutation(name, DEPLOYMENT, "true", "[]"))


@pytest.mark.parametrize("enter", [denial, mutation])
def test_one_inside_another_begins_and_ends(serve: Serve, enter: Enter) -> None:
    admission = Admission()
    _, kube = serve(admission)
    service = LlmService(kube, "ns", "llm", Place("ns", "gw"))
    with enter(service, "outer"):
        with enter(service, "inner_one"):
            assert len(admission.there) == 2
        assert len(admission.there) == 1
    assert admission.there == {}
