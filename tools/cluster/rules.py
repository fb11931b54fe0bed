"""What a run may do to a cluster: disturb it, and bring which images. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tools.cases.requirement import Finding
from tools.errors import UserError

_BY_DIGEST = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}")


class Disruption(StrEnum):
    """How far something disturbs, and how much of it the user allows (`--allow-disruption`).

    Attributes:
        NONE: it only looks, or makes things of its own.
        SERVICE: the service under test fails, or is loaded above a smoke test.
        CLUSTER: things that others share fail: controllers, nodes, the gateway of several services.
    """

    NONE = "none"
    SERVICE = "service"
    CLUSTER = "cluster"


_ORDER = list(Disruption)


@dataclass(frozen=True)
class Grant:
    """What decides about disruption.

    Attributes:
        owned: the cluster was made for us alone.
        allowed: what the user allows.
        pinned: the profile pins the cluster's identity, and the cluster has it.
    """

    owned: bool
    allowed: Disruption = Disruption.NONE
    pinned: bool = False


def permitted(disturbs: Disruption, grant: Grant) -> Finding:
    """Whether something may run that disturbs so far: a disruptive case, a proof by fault, load above smoke."""
    if grant.owned:
        return Finding(True, "a cluster that may be disturbed", "it was made for this run")
    if disturbs is Disruption.NONE:
        return Finding(True, "nothing that disturbs others", "an existing cluster")
    need = f"--allow-disruption={disturbs}"
    have = "it is not given" if grant.allowed is Disruption.NONE else f"--allow-disruption={grant.allowed}"
    enough = _ORDER.index(grant.allowed) >= _ORDER.index(disturbs)
    if disturbs is Disruption.CLUSTER:
        need += " and a profile that pins the cluster (`cluster.identity`)"
        have += ", the cluster is pinned" if grant.pinned else ", the cluster is not pinned"
        enough = enough and grant.pinned
    return Finding(enough, need, f"{have} (an existing cluster)")


def simulators(documents: Sequence[Mapping[str, Any]], images: Sequence[str] = ()) -> list[str]:
    """Images that exist on a local cluster only: the simulator of a model server, and all of `localhost/`.

    Args:
        documents: what a run would apply.
        images: further ones, for example the profile's.
    """
    found = [*images, *(image for document in documents for image in _images(document))]
    return sorted({image for image in found if image.startswith("localhost/") or "simulator" in image.lower()})


def refuse_simulators(documents: Sequence[Mapping[str, Any]], images: Sequence[str] = ()) -> None:
    """Refuse stand-ins of the model server on an existing cluster.

    Raises:
        UserError: naming the images.
    """
    if found := simulators(documents, images):
        raise UserError(
            "images that an existing cluster can pull and that serve a real model",
            ", ".join(found),
            cause="the profile is one for the local cluster",
            next_step="--profile with a profile of this cluster (manifests/profiles)",
        )


def refuse_floating(image: str) -> None:
    """Refuse a probe image that is not named by its digest: a tag can be re-pointed to what nobody has read.

    Raises:
        UserError: it has no digest.
    """
    if not _BY_DIGEST.fullmatch(image):
        raise UserError(
            "a probe image by digest, NAME@sha256:64 hexadecimal digits",
            repr(image),
            next_step="--probe-image REGISTRY/NAME@sha256:DIGEST; for a mirror, the same digest under its name",
        )


def _images(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "image" and isinstance(inner, str):
                yield inner
            else:
                yield from _images(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _images(inner)
