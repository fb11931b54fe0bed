"""Services that serve a model of the same name. Pure."""

from collections.abc import Iterable

from tools.kube.client import Object


def model_of(found: Object) -> str:
    """What a LLMInferenceService calls its model."""
    return str(found["spec"].get("model", {}).get("name") or found["metadata"]["name"])


def namesakes(services: Iterable[Object], found: Object) -> list[str]:
    """Names of other services in the same namespace whose model has the same name, or an adapter that has it."""
    own = _names(found)
    return sorted(
        each["metadata"]["name"]
        for each in services
        if each["metadata"]["name"] != found["metadata"]["name"]
        and each["metadata"].get("namespace") == found["metadata"].get("namespace")
        and own & _names(each)
    )


def _names(found: Object) -> set[str]:
    adapters = found["spec"].get("model", {}).get("lora", {}).get("adapters", [])
    return {model_of(found), *(each["name"] for each in adapters if each.get("name"))}
