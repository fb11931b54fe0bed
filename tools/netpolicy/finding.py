"""What is wrong with a NetworkPolicy, with the rule that would be right. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from tools.netpolicy.world import Object

_SHOWN = 4


@dataclass(frozen=True)
class Finding:
    """A finding.

    Attributes:
        where: policy and rule, as `NAMESPACE/NAME ingress[1]`; a flow's name where no policy is to blame alone.
        seen: what it does, with the pods concerned.
        why: why that is wrong, and what comes of it.
        corrected: rules that would be right, as YAML; or what to do instead.
        policy: NAMESPACE/NAME of the policy to change; empty where one is lacking.
        pods: whom a rule lets in or out wrongly, by name.
    """

    where: str
    seen: str
    why: str
    corrected: str
    policy: str = ""
    pods: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Where and what."""
        return f"{self.where} {self.seen}"


def rule_text(direction: str, rules: Sequence[Object]) -> str:
    """Rules of a direction as they stand in a policy's spec."""
    return yaml.safe_dump({direction: list(rules)}, sort_keys=False, default_flow_style=None, width=100).rstrip()


def names(found: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more
