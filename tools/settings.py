"""What a command line asks for, as one value. Pure; `tools.conflicts` refuses what does not go together."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tools.cluster.rules import Disruption
from tools.errors import UserError
from tools.kube.llm_service import Place
from tools.kube.rights import Mode
from tools.kubectl import kubectl
from tools.profile import Profile

# All proofs: one part of one.
WHOLE = "0/1"


class Where(StrEnum):
    """Which provider makes or takes the cluster."""

    LOCAL = "local"
    EXISTING = "existing"
    KIND = "kind"


class Cleanup(StrEnum):
    """When what the run made is removed at its end."""

    ALWAYS = "always"
    ON_SUCCESS = "on-success"
    NEVER = "never"


@dataclass(frozen=True)
class Part:
    """One of several parts of the proofs, so that a short run proves some and many runs prove all.

    Attributes:
        number: 0 to `of` - 1.
        of: how many parts there are.
    """

    number: int
    of: int

    def has(self, place: int) -> bool:
        """Whether the group with this place in the order belongs to the part."""
        return place % self.of == self.number


@dataclass(frozen=True)
class Proving:
    """How `--prove` is to go.

    Attributes:
        part: which groups of proofs.
        resume: directory of an earlier run, whose proven cases are taken over; None begins anew.
    """

    part: Part = field(default_factory=lambda: Part(0, 1))
    resume: Path | None = None


@dataclass(frozen=True)
class Settings:
    """A command line.

    Attributes:
        where: provider of the cluster.
        context, kubeconfig: of an existing cluster.
        profiles: by accelerator; only these accelerators have cases.
        install: whether the stack is installed on an existing cluster.
        target: the deployed service that is audited; None deploys one.
        mode: what the run does to the cluster.
        disruption: how far it may disturb an existing one.
        lease_namespace: where the Lease is that keeps two runs on a cluster apart.
        cleanup: when what it made is removed.
        plan: whether it only tells what it would do.
        proving: how cases are proved; None runs them.
        minimal: whether evidence leaves out bodies and server logs.
        token_env: name of the environment variable with the bearer token for requests; empty for none.
        ca_file: authority for HTTPS at the gateway; None is the system's.
        probe_image: image of probe pods in place of the default one; empty for none.
        skips: file of skips by people.
        known_issues: file of known issues.
        timeouts: budgets in seconds in place of the documented ones, by name.
    """

    where: Where
    context: str
    kubeconfig: Path | None
    profiles: Mapping[str, Profile]
    install: bool
    target: Place | None
    mode: Mode
    disruption: Disruption
    lease_namespace: str
    cleanup: Cleanup
    plan: bool
    proving: Proving | None
    minimal: bool
    token_env: str
    ca_file: Path | None
    probe_image: str
    skips: Path
    known_issues: Path
    timeouts: Mapping[str, float]


def mode_of(*, audits: bool, read_only: bool, traffic: bool, probes: bool) -> Mode:
    """What `--target` and the three options beside it mean together.

    Raises:
        UserError: `--traffic` or `--probes` without `--read-only`, which they widen.
    """
    if not read_only:
        if traffic or probes:
            raise UserError(
                "--traffic and --probes together with --read-only",
                "--read-only is missing",
                cause="a run without it sends requests and uses probes anyway",
                next_step="add --read-only, or leave them out",
            )
        # An audit deploys nothing, whatever else it may do.
        return Mode.PROBES if audits else Mode.DEPLOY
    return Mode.PROBES if probes else Mode.TRAFFIC if traffic else Mode.READ


def list_services(context: str, kubeconfig: Path | None) -> str:
    """The command that lists what can be audited on the cluster that the user has named."""
    return kubectl("get", "llmisvc", "--all-namespaces", context=context, kubeconfig=kubeconfig)


def target_of(text: str, context: str = "", kubeconfig: Path | None = None) -> Place | None:
    """`NAMESPACE/NAME` as a place; None for an empty text.

    Args:
        text: of the option.
        context, kubeconfig: of the cluster, for the message.

    Raises:
        UserError: it is no such text.
    """
    if not text:
        return None
    name = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
    if not re.fullmatch(f"{name}/{name}", text):
        raise UserError("--target NAMESPACE/NAME", repr(text), next_step=list_services(context, kubeconfig))
    namespace, _, service = text.partition("/")
    return Place(namespace, service)


def part_of(text: str) -> Part:
    """`K/N` as a part: the K-th (from 0) of N.

    Raises:
        UserError: it is none.
    """
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    if found is None or not int(found[1]) < int(found[2]):
        raise UserError("--prove-part K/N with K from 0 to N-1", repr(text), next_step="--prove-part 0/10")
    return Part(int(found[1]), int(found[2]))


def proving_of(*, prove: bool, part: str, resume: str) -> Proving | None:
    """What the three options mean together; None for a run that proves nothing.

    Raises:
        UserError: `--prove-part` or `--prove-resume` without `--prove`, or a part that is none.
    """
    if prove:
        return Proving(part_of(part), Path(resume) if resume else None)
    if resume or part != WHOLE:
        raise UserError(
            "--prove together with --prove-part and --prove-resume",
            "--prove is missing",
            next_step="add --prove, or leave them out",
        )
    return None
