"""Which versions of KServe, Gateway API, Inference Extension and Istio work together. Pure, from their sources."""

from collections.abc import Iterator
from dataclasses import dataclass

from tools.features.gateway import pools
from tools.features.version import at_least
from tools.platform.trouble import Trouble


@dataclass(frozen=True)
class Versions:
    """Numbers as found; empty where they could not be told.

    Attributes:
        kserve, istio, gateway_api: of the component.
        pool: bundle of InferencePool `inference.networking.k8s.io`.
        old_pool: bundle of InferencePool `inference.networking.x-k8s.io`.
    """

    kserve: str = ""
    istio: str = ""
    gateway_api: str = ""
    pool: str = ""
    old_pool: str = ""


@dataclass(frozen=True)
class _Line:
    """What a minor release of KServe was built and tested with."""

    kserve: str
    gateway_api: str
    inference_extension: str
    pools: str


# Newest first: `kserve-deps.env` of each release, and the pools that its routes end up with.
_TABLE = (
    _Line("0.20", "1.5.1", "1.5.0", "v1"),
    _Line("0.18", "1.4.1", "1.3.1", "v1"),
    _Line("0.17", "1.4.1", "1.3.0", "v1"),
    _Line("0.16", "1.2.1", "0.3.0", "v1alpha2"),
)


def misfits(found: Versions) -> list[Trouble]:
    """What does not fit together, each with what to install instead."""
    if found.kserve and not at_least(found.kserve, _TABLE[-1].kserve):
        cause = "LLMInferenceService came with KServe 0.16"
        return [Trouble(f"KServe {found.kserve}", cause, f"install KServe {_TABLE[0].kserve}")]
    # A release that could not be told is held to what the newest but one needs: nothing older is worth a guess.
    line = next((each for each in _TABLE if at_least(found.kserve, each.kserve)), _TABLE[1])
    return [*_older(found, line), *_istio(found, line)]


def _older(found: Versions, line: _Line) -> Iterator[Trouble]:
    kserve = f"KServe {found.kserve or line.kserve}"
    if found.gateway_api and not at_least(found.gateway_api, line.gateway_api):
        yield Trouble(
            f"Gateway API {found.gateway_api} under {kserve}",
            f"{kserve} is built on Gateway API {line.gateway_api}: older definitions lack fields that it sets",
            f"install the standard channel of Gateway API v{line.gateway_api} or newer",
        )
    bundle = found.pool if line.pools == "v1" else found.old_pool
    if bundle and not at_least(bundle, line.inference_extension):
        yield Trouble(
            f"InferencePool of Inference Extension {bundle} under {kserve}",
            f"{kserve} is built on Inference Extension {line.inference_extension}",
            f"install the definitions of Inference Extension v{line.inference_extension} or newer",
        )


def _istio(found: Versions, line: _Line) -> Iterator[Trouble]:
    if not found.istio:
        return
    understood = pools(found.istio)
    if understood != line.pools:
        fix = "Istio 1.28 or newer" if line.pools == "v1" else "KServe 0.17 or newer, or Istio 1.27"
        yield Trouble(
            f"Istio {found.istio} under KServe {found.kserve or line.kserve}",
            f"Istio {found.istio} understands {f'InferencePool {understood}' if understood else 'no InferencePool'},"
            f" and KServe's routes lead to InferencePool {line.pools}: no pool is ever accepted",
            f"install {fix}",
        )
