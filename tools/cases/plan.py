"""A plan in words: what a run would do. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tools.cases.case import Case
from tools.cases.requirement import Facts, unmet
from tools.kube.rights import Mode
from tools.settings import Settings, Where
from tools.skips import SkipDecision


@dataclass(frozen=True)
class Step:
    """A case for one accelerator, with what is known before there is a cluster.

    Attributes:
        case, accelerator: which.
        facts: what its requirements are decided on.
        skip: what the file of skips says of it.
        fault: by which it is to be proved; empty in a run that proves nothing.
    """

    case: Case
    accelerator: str
    facts: Facts
    skip: SkipDecision = field(default_factory=SkipDecision)
    fault: str = ""


@dataclass(frozen=True)
class Planned:
    """What a command line selects."""

    settings: Settings
    steps: Sequence[Step]


def tell(plan: Planned) -> str:
    """The plan as text."""
    return "\n".join([*_cluster(plan.settings), "", *_made(plan), "", *_cases(plan), "", "nothing was touched"])


def _cluster(settings: Settings) -> Iterator[str]:
    match settings.where:
        case Where.LOCAL:
            yield "cluster: local; started if it does not run, and then removed at the end"
        case Where.KIND:
            yield "cluster: kind, made and removed by this run"
        case Where.EXISTING:
            yield f"cluster: existing, context {settings.context}; {settings.mode}"
    for kind, profile in settings.profiles.items():
        yield f"profile for {kind}: {profile.name} ({', '.join(profile.claims())})"
    if settings.target:
        yield f"service: {settings.target}, as it is deployed"
    if settings.where is Where.EXISTING:
        yield "rights: asked of the cluster when the run begins; here they are taken for granted"


def _made(plan: Planned) -> Iterator[str]:
    settings = plan.settings
    yield "would be made:"
    if settings.install or settings.where is not Where.EXISTING:
        yield "  Istio, KServe and what they need, unless they are there"
    if settings.mode is not Mode.DEPLOY:
        yield "  nothing" if settings.mode is not Mode.PROBES else "  a namespace with probe pods, and a Lease"
        return
    for accelerator in dict.fromkeys(step.accelerator for step in plan.steps):
        profile = settings.profiles[accelerator]
        gateway = profile.gateway.reference
        yield (
            f"  for {accelerator}: namespace llmisvc-RUN-{accelerator} with LLMInferenceService {profile.service}"
            f" ({profile.model}), {f'at Gateway {gateway.namespace}/{gateway.name}' if gateway else 'its own Gateway'},"
            " an account that reads metrics"
        )
    yield f"  a Lease; all of it is removed at the end (--cleanup {settings.cleanup})"


def _cases(plan: Planned) -> Iterator[str]:
    told = [(step, _left_out(step)) for step in plan.steps]
    counted = Counter(step.accelerator for step, left_out in told if not left_out)
    what = "proofs" if any(step.fault for step in plan.steps) else "cases"
    yield f"would run: {', '.join(f'{count} {name}' for name, count in sorted(counted.items())) or 'none'} ({what})"
    for step, left_out in told:
        by = f" by {step.fault}" if step.fault else ""
        why = f"  {left_out}" if left_out else _open(step)
        yield f"  {step.accelerator:<4} {step.case.level:<9} {step.case.name}{by}{why}"


def _left_out(step: Step) -> str:
    """Why a case would not run; empty if it would."""
    if step.skip.expired:
        return f"FAILED: {step.skip.text}"
    if step.skip.skipped:
        return f"SKIPPED: {step.skip.text}"
    lacking = unmet(step.case.requires, step.facts)
    return f"NOT SUPPORTED: {'; '.join(str(each) for each in lacking)}" if lacking else ""


def _open(step: Step) -> str:
    """What is decided when there is a cluster."""
    findings = [each.decide(step.facts) for each in step.case.requires]
    needs = dict.fromkeys(each.need for each in findings if each.ok is None)
    return f"  if it may or has: {'; '.join(needs)}" if needs else ""
