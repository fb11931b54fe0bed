"""Options that do not go together are refused before anything starts. Pure."""

from collections.abc import Iterable

from tools.cluster.rules import Disruption, refuse_floating, simulators
from tools.errors import UserError
from tools.kube.rights import Mode
from tools.kubectl import kubectl
from tools.profile import Profile
from tools.settings import Settings, Where, list_services


def refuse(settings: Settings) -> None:
    """Raise for options that do not go together.

    Raises:
        UserError: saying which.
    """
    for wrong, expected, observed, next_step in _rules(settings):
        if wrong:
            raise UserError(expected, observed, next_step=next_step)
    if settings.probe_image:
        refuse_floating(settings.probe_image)


def _rules(settings: Settings) -> list[tuple[bool, str, str, str]]:
    existing = settings.where is Where.EXISTING
    audits = settings.mode is not Mode.DEPLOY
    return [
        (
            existing and not settings.context,
            "--context NAME with --cluster existing",
            "no context: the current one of a kubeconfig is never taken by default",
            kubectl("config", "get-contexts", kubeconfig=settings.kubeconfig),
        ),
        (
            not existing and bool(settings.context or settings.kubeconfig),
            "--cluster existing with --context and --kubeconfig",
            f"--cluster {settings.where}",
            "add --cluster existing",
        ),
        (
            audits and settings.target is None,
            "--target NAMESPACE/NAME with --read-only",
            "no target: a run that changes nothing deploys nothing",
            list_services(settings.context, settings.kubeconfig),
        ),
        (
            settings.install and not existing,
            "--install with --cluster existing only",
            f"--cluster {settings.where}, where the stack is always installed",
            "leave out --install",
        ),
        (
            settings.install and audits,
            "--install or --read-only",
            "both",
            "leave out one of them",
        ),
        (
            settings.proving is not None and audits,
            "--prove on a service that this run deploys",
            f"a run that is {settings.mode}, of {settings.target or 'none'}: faults would break somebody's service",
            "leave out --target and --read-only",
        ),
        (
            settings.proving is not None and existing and settings.disruption is Disruption.NONE,
            "--allow-disruption=service or =cluster with --prove on an existing cluster",
            "faults break the service, and nothing allows that",
            "add --allow-disruption=service",
        ),
        (
            settings.disruption is not Disruption.NONE and not existing,
            "--allow-disruption with --cluster existing only",
            f"--cluster {settings.where}, which the run may disturb anyway",
            "leave it out",
        ),
        (
            bool(_differences(settings.profiles.values())),
            "profiles that are for one cluster: with the same identity, controllers and Gateway",
            "; ".join(_differences(settings.profiles.values())),
            "one run for each of them",
        ),
        (
            settings.where is Where.KIND and any(map(_is_local, settings.profiles.values())),
            "--profile with images that a kind cluster can pull",
            ", ".join(each.server_image for each in settings.profiles.values() if _is_local(each)),
            "a profile of your own: docs/profiles.md",
        ),
        (
            settings.target is not None and len(settings.profiles) != 1,
            "one profile for the one service of --target",
            f"{len(settings.profiles)} profiles: {', '.join(each.name for each in settings.profiles.values())}",
            "--profile NAME, or -m gpu or -m tpu",
        ),
    ]


def _differences(profiles: Iterable[Profile]) -> list[str]:
    """What profiles of one run do not have in common and must, one line each."""
    places = {each.name: _where(each) for each in profiles}
    return [
        f"{what} is {', '.join(f'{place[what]} in {name}' for name, place in places.items())}"
        for what in ("identity", "KServe", "Istio", "Gateway")
        if len({place[what] for place in places.values()}) > 1
    ]


def _where(profile: Profile) -> dict[str, str]:
    namespaces, deployments, gateway = profile.namespaces, profile.deployments, profile.gateway.reference
    return {
        "identity": profile.identity or "(any)",
        "KServe": f"{namespaces.kserve}/{deployments.kserve}",
        "Istio": f"{namespaces.istio}/{deployments.istio}",
        "Gateway": f"{gateway.namespace}/{gateway.name}" if gateway else "(its own)",
    }


def _is_local(profile: Profile) -> bool:
    return bool(simulators([], [profile.server_image]))
