"""Controllers, with image and version. Pure."""

from collections.abc import Collection, Iterable, Sequence

from tools.features import names
from tools.features.feature import Feature, Settings
from tools.features.reading import Object, untold
from tools.features.survey import Survey
from tools.features.version import guess, tag

_VERSION_LABEL = "app.kubernetes.io/version"
_PART_OF = "app.kubernetes.io/part-of"
# The first container by one of these names is the one whose image counts; else the first one.
_MAIN = ("manager", "discovery", "main")


def features(survey: Survey, settings: Settings) -> list[Feature]:
    """`kserve`, `istiod`, `endpoint-picker`, `sail-operator`."""
    return [_kserve(survey, settings), _istiod(survey, settings), _picker(survey), _sail(survey)]


def told(deployments: Iterable[Object]) -> str:
    """Deployments in words: name, readiness, image."""
    return "; ".join(
        f"Deployment {_name(each)}, {each.get('status', {}).get('readyReplicas', 0)} of"
        f" {each['spec'].get('replicas', 1)} ready, {image(each)}"
        for each in deployments
    )


def image(deployment: Object) -> str:
    """The image of its main container."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    main = next((each for each in containers if each["name"] in _MAIN), containers[0])
    return str(main["image"])


def with_label(deployments: Iterable[Object], labels: Iterable[str], values: Collection[str]) -> list[Object]:
    """Those that have one of the labels with one of the values, each once."""
    found = {
        _name(each): each
        for each in deployments
        if any(each["metadata"].get("labels", {}).get(label) in values for label in labels)
    }
    return list(found.values())


def istio_version(survey: Survey, settings: Settings) -> str:
    """The number of Istio's version, by the best witness that has one; empty if none has.

    The image's tag goes before the label, which charts that nobody released carry with a number of no meaning.
    """
    said = survey.istiod_words.body["text"] if survey.istiod_words and survey.istiod_words.body else ""
    main = _main_istiod(survey, settings)
    tags = [tag(image(each)) for each in main]
    wanted = [str(each.get("spec", {}).get("version", "")) for each in survey.istios.items]
    labels = [each["metadata"].get("labels", {}).get(_VERSION_LABEL, "") for each in main]
    return next((number for text in (said, *tags, *wanted, *labels) if (number := guess(text))), "")


def _kserve(survey: Survey, settings: Settings) -> Feature:
    name, reading, anywhere = "kserve", survey.kserve, survey.kserve_anywhere
    where = f"{reading.where}: spec.template.spec.containers.image, status"
    if reading.body is not None:
        number = guess(tag(image(reading.body))) or guess(
            reading.body["metadata"].get("labels", {}).get(_VERSION_LABEL, "")
        )
        return Feature(name, True, told([reading.body]), where, {"kserve": number} if number else {})
    if reading.problem:
        return untold(name, reading)
    lacking = f"no Deployment {settings.kserve_namespace}/{settings.kserve_controller}"
    elsewhere = ", ".join(_name(each) for each in anywhere.items)
    if elsewhere:
        return Feature(name, False, f"{lacking}, but {elsewhere}: name it in the profile", anywhere.where)
    return Feature(name, False, lacking, where)


def _istiod(survey: Survey, settings: Settings) -> Feature:
    name, istiods = "istiod", survey.istiods
    if istiods.problem:
        return untold(name, istiods)
    if not istiods.items:
        return Feature(name, False, "no Deployment with label app=istiod in any namespace", istiods.where)
    words = survey.istiod_words
    says = f"; it says {words.body['text']!r} of itself" if words and words.body else ""
    where = f"{istiods.where}: image, status" + (f"; {words.where}" if words else "")
    number = istio_version(survey, settings)
    return Feature(name, True, told(_main_first(survey, settings)) + says, where, {"istio": number} if number else {})


def _picker(survey: Survey) -> Feature:
    name, presets = "endpoint-picker", survey.presets
    if presets.problem:
        return untold(name, presets)
    found = {each["metadata"]["name"]: picker for each in presets.items if (picker := _picker_image(each))}
    where = f"{presets.where}: spec.router.scheduler.template.containers[main].image"
    if not found:
        return Feature(name, False, "no LLMInferenceServiceConfig has a scheduler", presets.where)
    have = "; ".join(f"{each} in preset {preset}" for preset, each in sorted(found.items()))
    numbers = {number for each in found.values() if (number := guess(tag(each)))}
    return Feature(name, True, have, where, {name: numbers.pop()} if len(numbers) == 1 else {})


def _sail(survey: Survey) -> Feature:
    name, operators, istios = "sail-operator", survey.operators, survey.istios
    where = f"{operators.where}; {istios.where}: spec.version, status.state"
    working = with_label(operators.items, [_PART_OF], names.SAIL)
    rows = [
        f"Istio {each['metadata']['name']}: {each.get('spec', {}).get('version', 'no version')},"
        f" {each.get('status', {}).get('state', 'no state')}"
        for each in istios.items
    ]
    if working or rows:
        return Feature(name, True, "; ".join([told(working)] * bool(working) + rows), where)
    if istios.problem or (operators.problem and istios.body is not None):
        return untold(name, operators, istios)
    if operators.problem:
        return Feature(name, False, "no kind Istio, which the operator brings with it", istios.where)
    return Feature(name, False, f"no Deployment with {_PART_OF} in ({', '.join(names.SAIL)}), no object Istio", where)


def _picker_image(config: Object) -> str:
    scheduler = config.get("spec", {}).get("router", {}).get("scheduler") or {}
    containers = (scheduler.get("template") or {}).get("containers") or []
    return next((str(each.get("image", "")) for each in containers if each["name"] == "main"), "")


def _main_istiod(survey: Survey, settings: Settings) -> Sequence[Object]:
    return _main_first(survey, settings)[:1]


def _main_first(survey: Survey, settings: Settings) -> list[Object]:
    """The one in the namespace that the settings name goes first: it is the mesh's, where there are several."""
    return sorted(survey.istiods.items, key=lambda each: each["metadata"]["namespace"] != settings.istio_namespace)


def _name(deployment: Object) -> str:
    return f"{deployment['metadata']['namespace']}/{deployment['metadata']['name']}"
