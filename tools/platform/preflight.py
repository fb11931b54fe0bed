"""What makes it pointless to deploy a service at all: asked once, before anything is made.

The same functions that the cases of suites/install ask; what they find there in full is here in one line each.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tools.kube.errors import KubeError
from tools.kube.platform import Platform
from tools.platform import admission, controllers, definitions, istio, presets, rights
from tools.platform.trouble import Trouble

Look = Callable[[Platform], list[Trouble]]


def definitions_trouble(platform: Platform) -> list[Trouble]:
    """Kinds that are not served."""
    return definitions.served_trouble(platform.kube, *definitions.read(platform))


def presets_trouble(platform: Platform) -> list[Trouble]:
    """Presets that are missing."""
    return presets.missing(platform, controllers.find(platform), presets.read(platform))


def obstacles(platform: Platform, *, reviews: bool, dry_runs: bool) -> tuple[str, ...]:
    """Reasons not to deploy, one line each; what cannot be read is no reason, the cases tell it.

    Args:
        platform: where.
        reviews: whether the user may ask for others' rights.
        dry_runs: whether he may create services, as a dry run.
    """
    looks: list[Look] = [definitions_trouble, controllers.available, istio.class_trouble, istio.switch_trouble]
    looks += [presets_trouble, *([rights.trouble] if reviews else []), *([admission.trouble] if dry_runs else [])]

    def look(each: Look) -> list[Trouble]:
        try:
            return each(platform)
        except KubeError:
            return []

    with ThreadPoolExecutor(len(looks)) as pool:
        return tuple(trouble.line for found in pool.map(look, looks) for trouble in found)
