"""Secrets that the installation rests on, read one by one: of the webhook, of Gateways, of Istio's own authority."""

from collections.abc import Iterator
from datetime import UTC, datetime

from tools.kube.client import Object
from tools.kube.errors import NotFound
from tools.kube.kinds import CERTIFICATE, GATEWAY, SECRET
from tools.kube.llm_service import Place
from tools.kube.platform import Platform
from tools.platform import certificates, configuration, controllers, webhooks
from tools.platform.certificates import Pair
from tools.platform.trouble import Trouble

# Where Istio keeps its authority: one that somebody gave it, or its own.
_GIVEN, _SELF_MADE = "cacerts", "istio-ca-secret"
_ISSUERS = "whoever issues it (cert-manager, a script) has not, or does not run: what mounts it cannot start again"


def trouble(platform: Platform) -> list[Trouble]:
    """What is wrong with certificates and their Secrets."""
    return [*_webhook(platform), *_istio(platform), *_gateway(platform), *_issued(platform)]


def distrust(platform: Platform, found: webhooks.Webhooks) -> list[Trouble]:
    """Webhook entries that do not trust the certificate which is served."""
    served = _served(platform)
    secret = platform.kube.find(SECRET, served.name, served.namespace) if served else None
    if served is None or secret is None:
        return []  # that is told by itself
    cause = "the certificate was renewed without the bundle, or cert-manager's ca-injector does not run"
    show = platform.kube.kubectl("get", "validatingwebhookconfigurations", "-o", "yaml")
    return [
        Trouble(f"{each.where}: {why} (Secret {served})", cause, show)
        for each in found.entries
        if each.service == found.service and (why := certificates.untrusted(secret, each.bundle))
    ]


def _webhook(platform: Platform) -> Iterator[Trouble]:
    served, one = _served(platform), webhooks.read(platform).service
    if served is not None:
        yield from _problems(platform, served, [f"{one.name}.{one.namespace}.svc"] if one else [])


def _served(platform: Platform) -> Place | None:
    """The Secret that the controller mounts for its webhook."""
    found = controllers.find(platform)
    volumes = found["spec"]["template"]["spec"].get("volumes", []) if found else []
    mounted = [each["secret"]["secretName"] for each in volumes if each.get("secret") and "cert" in each["name"]]
    return Place(platform.controller.namespace, mounted[0]) if mounted else None


def _istio(platform: Platform) -> Iterator[Trouble]:
    namespace = platform.istiod.namespace
    for name in (_GIVEN, _SELF_MADE):
        if (found := platform.kube.find(SECRET, name, namespace)) is not None:
            keys = (
                ("ca-cert.pem", "ca-key.pem") if (found.get("data") or {}).get("ca-key.pem") else ("tls.crt", "tls.key")
            )
            yield from _told(platform, Place(namespace, name), found, [], keys)
            return


def _gateway(platform: Platform) -> Iterator[Trouble]:
    """Certificates of the Gateway that serves who names none."""
    said, _ = configuration.values(configuration.read(platform) or {})
    namespace, _, name = str((said.get("ingress") or {}).get("kserveIngressGateway", "")).partition("/")
    gateway = platform.kube.find(GATEWAY, name, namespace) if namespace and name else None
    for listener in (gateway or {}).get("spec", {}).get("listeners", []):
        for reference in listener.get("tls", {}).get("certificateRefs", []):
            yield from _problems(platform, Place(reference.get("namespace", namespace), reference["name"]), [])


def _issued(platform: Platform) -> Iterator[Trouble]:
    """What cert-manager's Certificates ask for, where it is installed."""
    for namespace in dict.fromkeys((platform.controller.namespace, platform.istiod.namespace)):
        try:
            found = platform.kube.objects(CERTIFICATE, namespace)
        except NotFound:
            return
        show = platform.kube.kubectl("-n", namespace, "describe", CERTIFICATE.resource)
        for line in certificates.not_issued(found):
            yield Trouble(line, "its issuer is missing or not ready, or cert-manager does not run", show)
        served = _served(platform)
        for each in found:
            place = Place(namespace, each["spec"]["secretName"])
            if place != served:
                yield from _problems(platform, place, [])


def _problems(platform: Platform, place: Place, names: list[str]) -> Iterator[Trouble]:
    return _told(platform, place, platform.kube.find(SECRET, place.name, place.namespace), names)


def _told(
    platform: Platform,
    place: Place,
    found: Object | None,
    names: list[str],
    keys: tuple[str, str] = ("tls.crt", "tls.key"),
) -> Iterator[Trouble]:
    # Never the Secret itself: it has the key.
    show = platform.kube.kubectl("-n", place.namespace, "describe", "secret", place.name)
    for line in certificates.problems(found, Pair(f"Secret {place}", *keys), datetime.now(UTC), names):
        yield Trouble(line, _ISSUERS, show)
