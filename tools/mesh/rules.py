"""Whether a rule of an AuthorizationPolicy is about a request: its sources, operations and conditions. Pure.

As Istio's reference of AuthorizationPolicy has them: values match exactly, by prefix (`abc*`), by suffix (`*abc`) or
when they are there at all (`*`); what a source says must all hold, of several sources one must.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Object = dict[str, Any]
_ACCOUNTS = ("serviceAccounts", "notServiceAccounts")


class Fit(StrEnum):
    """Whether a rule is about a request.

    Attributes:
        YES, NO: by what is known of the request.
        UNTOLD: it asks for something that is not known: addresses, tokens, hosts, conditions.
    """

    YES = "yes"
    NO = "no"
    UNTOLD = "untold"

    @staticmethod
    def any_of(found: Iterable["Fit"]) -> "Fit":
        """Of alternatives; of none, NO."""
        seen = {*found}
        return next((each for each in (Fit.YES, Fit.UNTOLD) if each in seen), Fit.NO)

    @staticmethod
    def all_of(found: Iterable["Fit"]) -> "Fit":
        """Of what must all hold; of nothing, YES."""
        seen = {*found}
        return next((each for each in (Fit.NO, Fit.UNTOLD) if each in seen), Fit.YES)


@dataclass(frozen=True)
class Asking:
    """A request.

    Attributes:
        who: the one who asks, in words.
        namespace, account: the one's identity in the mesh; empty for a client that shows no certificate of it.
        port: of the pod.
        method, path: of HTTP.
        domain: trust domain of the mesh.
    """

    who: str
    namespace: str
    account: str
    port: int
    method: str = "POST"
    path: str = "/v1/completions"
    domain: str = "cluster.local"

    def __str__(self) -> str:
        shown = f"{self.namespace}/{self.account}" if self.namespace else "no identity in the mesh"
        return f"{self.who} ({shown}) on port {self.port}"

    @property
    def principal(self) -> str:
        """As policies write it; empty without an identity."""
        return f"{self.domain}/ns/{self.namespace}/sa/{self.account}" if self.namespace else ""


def fits(rule: Object, asking: Asking, home: str) -> Fit:
    """Whether a rule is about a request; one that says nothing is about all.

    Args:
        rule: one of `spec.rules`.
        asking: the request.
        home: namespace of the policy.
    """
    sources = [_source(each.get("source") or {}, asking, home) for each in rule.get("from") or []]
    operations = [_operation(each.get("operation") or {}, asking) for each in rule.get("to") or []]
    parts = [Fit.any_of(each) for each in (sources, operations) if each]
    return Fit.all_of([*parts, *(Fit.UNTOLD for _ in rule.get("when") or [])])


def _source(source: Mapping[str, list[str]], asking: Asking, home: str) -> Fit:
    known = {
        "principals": asking.principal,
        "namespaces": asking.namespace,
        "serviceAccounts": f"{asking.namespace}/{asking.account}" if asking.namespace else "",
    }
    # An account without a namespace is one of the policy's own.
    whole = {
        key: [f"{home}/{each}" if "/" not in each else each for each in values] if key in _ACCOUNTS else values
        for key, values in source.items()
    }
    return _all(whole, known)


def _operation(operation: Mapping[str, list[str]], asking: Asking) -> Fit:
    known = {"ports": str(asking.port), "methods": asking.method, "paths": asking.path}
    return _all(operation, known)


def _all(said: Mapping[str, list[str]], known: Mapping[str, str]) -> Fit:
    return Fit.all_of(_field(key, values, known) for key, values in said.items() if values)


def _field(key: str, values: list[str], known: Mapping[str, str]) -> Fit:
    if key in known:
        return Fit.any_of(_value(each, known[key]) for each in values)
    positive = key.removeprefix("not")
    positive = positive[:1].lower() + positive[1:]
    if key.startswith("not") and positive in known:
        found = Fit.any_of(_value(each, known[positive]) for each in values)
        return {Fit.YES: Fit.NO, Fit.NO: Fit.YES}.get(found, Fit.UNTOLD)
    return Fit.UNTOLD


def _value(pattern: str, value: str) -> Fit:
    # Templates of paths, `{*}` and `{**}`.
    if "{" in pattern:
        return Fit.UNTOLD
    if pattern == "*":
        return Fit.YES if value else Fit.NO
    if pattern.startswith("*"):
        return Fit.YES if value.endswith(pattern[1:]) else Fit.NO
    if pattern.endswith("*"):
        return Fit.YES if value.startswith(pattern[:-1]) else Fit.NO
    return Fit.YES if value == pattern else Fit.NO
