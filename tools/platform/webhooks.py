"""Webhooks of LLMInferenceServices: all at one Service, with somebody behind it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.kube.client import Object
from tools.kube.kinds import CRD, DEPLOYMENT, ENDPOINT_SLICE, MUTATING_WEBHOOK, SERVICE, VALIDATING_WEBHOOK
from tools.kube.llm_service import Place
from tools.kube.platform import Platform
from tools.platform import definitions, release
from tools.platform.callout import Behind
from tools.platform.trouble import Trouble

_PREFIX = "llminferenceservice"
_VALIDATING = ("llminferenceservice.serving.kserve.io", "llminferenceserviceconfig.serving.kserve.io")


@dataclass(frozen=True)
class Entry:
    """Something that the API server asks.

    Attributes:
        where: the configuration and the entry's own name, in words.
        service: that it points at; None for one that points at a URL.
        port: of the Service.
        bundle: authority that it trusts, PEM in base64.
        timeout: seconds that the API server waits for it; 0 where that is not said.
    """

    where: str
    service: Place | None
    port: int
    bundle: str
    timeout: float


@dataclass(frozen=True)
class Webhooks:
    """What there is.

    Attributes:
        names: of the configurations that were found.
        entries: of them all, and the conversions of definitions.
        kserve: the release.
    """

    names: frozenset[str]
    entries: Sequence[Entry]
    kserve: str

    @property
    def service(self) -> Place | None:
        """The Service that most entries point at."""
        counted = Counter(each.service for each in self.entries if each.service)
        return counted.most_common(1)[0][0] if counted else None


def read(platform: Platform) -> Webhooks:
    """Configurations of both kinds, and conversions."""
    kube = platform.kube
    listed = [
        each
        for kind in (VALIDATING_WEBHOOK, MUTATING_WEBHOOK)
        for each in kube.objects(kind)
        if each["metadata"]["name"].startswith(_PREFIX)
    ]
    crds = [found for name in definitions.OWN if (found := kube.find(CRD, name)) is not None]
    names = frozenset(each["metadata"]["name"] for each in listed)
    deployment = kube.find(DEPLOYMENT, platform.controller.name, platform.controller.namespace)
    return Webhooks(names, [*_hooks(listed), *_conversions(crds)], release.version(deployment))


def scattered(platform: Platform, found: Webhooks) -> list[Trouble]:
    """Configurations that are missing, and entries that point anywhere but at the one Service."""
    kube, one = platform.kube, found.service
    show = kube.kubectl("get", "validatingwebhookconfigurations,mutatingwebhookconfigurations")
    wrong = [
        Trouble(f"there is no ValidatingWebhookConfiguration {name}", "nothing refuses wrong services", show)
        for name in _VALIDATING
        if name not in found.names
    ]
    wrong += [
        Trouble(
            f"{each.where} points at {each.service or 'a URL'}, the others at {one}",
            "a stale entry of an earlier installation survived an upgrade: every write that it matches fails",
            kube.kubectl("get", *each.where.split(", ")[0].split(), "-o", "yaml"),
        )
        for each in found.entries
        if each.service != one
    ]
    if one is None:
        return wrong
    service = kube.find(SERVICE, one.name, one.namespace)
    if service is None:
        cause = "it was deleted, or its chart was removed"
        return [
            *wrong,
            Trouble(f"there is no Service {one}", cause, kube.kubectl("-n", one.namespace, "get", "services")),
        ]
    ports = [each["port"] for each in service["spec"]["ports"]]
    wrong += [
        Trouble(
            f"{each.where} asks port {each.port} of Service {one}, which has {ports}", "they differ in release", show
        )
        for each in found.entries
        if each.service == one and each.port not in ports
    ]
    return wrong


def behind(platform: Platform, found: Webhooks) -> Behind:
    """What stands behind the Service."""
    one = found.service or Place(platform.controller.namespace, "llmisvc-webhook-server-service")
    slices = platform.kube.objects(ENDPOINT_SLICE, one.namespace, labels=f"kubernetes.io/service-name={one.name}")
    port = next((str(port["port"]) for each in slices for port in each.get("ports") or []), "9443")
    timeout = max((each.timeout for each in found.entries), default=10.0)
    return Behind(str(one), port, ready(slices), timeout)


def ready(slices: Iterable[Object]) -> int:
    """Endpoints that take requests. Pure."""
    listed = (endpoint for each in slices for endpoint in each.get("endpoints") or [])
    return sum(endpoint.get("conditions", {}).get("ready") is not False for endpoint in listed)


def _hooks(configurations: Iterable[Object]) -> list[Entry]:
    return [
        _entry(
            f"{each['kind']} {each['metadata']['name']}, entry {hook['name']}",
            hook["clientConfig"],
            hook.get("timeoutSeconds", 10),
        )
        for each in configurations
        for hook in each.get("webhooks", [])
    ]


def _conversions(crds: Iterable[Object]) -> list[Entry]:
    return [
        _entry(f"crd {each['metadata']['name']}, conversion", webhook["clientConfig"], 0)
        for each in crds
        if (webhook := each["spec"].get("conversion", {}).get("webhook"))
    ]


def _entry(where: str, client: Object, timeout: float) -> Entry:
    service = client.get("service")
    place = Place(service["namespace"], service["name"]) if service else None
    return Entry(where, place, (service or {}).get("port", 443), client.get("caBundle", ""), timeout)
