"""What serves the Gateway: proxies that run, are the expected ones, have what istiod sent, and are reached."""

import pytest

from tools.cases.capabilities import CONTROLLERS, FORWARD, ISTIOD
from tools.explain import Violation, bullets, check
from tools.faults import envoy as filters
from tools.faults import gateway as faults
from tools.kube import gateways, istiod, pods
from tools.kube.client import Object
from tools.kube.conditions import conditions, lacking
from tools.kube.errors import KubeError
from tools.kube.kinds import DEPLOYMENT, DISRUPTION_BUDGET, SERVICE
from tools.kube.llm_service import LlmService
from tools.kube.port_forward import get_from_pod
from tools.metrics import envoy
from tools.openai.client import Client
from tools.openai.expect import violation
from tools.openai.reply import Reply, Request
from tools.probe.verdict import Verdict
from tools.profile import Profile
from tools.profile.budgets import budget
from tools.waiting.eventually import eventually


@pytest.mark.conformance(
    name="gateway-proxies-are-available",
    level="core",
    requires=[CONTROLLERS],
    fault=[
        faults.proxies_stopped.shows("0 of 1 replicas are available"),
        faults.proxies_of_another_image.shows("localhost/no-such-proxy:none", "of its current revision"),
    ],
    checks=["gateway"],
)
def test_proxies_are_available(service: LlmService) -> None:
    """The Gateway's proxies are rolled out and ready, never restarted, and of istiod's own version."""
    kube, place = service.kube, service.gateway
    control = kube.get(DEPLOYMENT, service.istiod.name, service.istiod.namespace)
    expected = gateways.tag(gateways.image(control["spec"]["template"]["spec"], "discovery"))
    found = gateways.deployments(kube, place)
    wrong = [line for each in found for line in _not_rolled_out(each)]
    # Set-ups without tags (digests) say nothing of versions.
    images = [gateways.image(each["spec"]["template"]["spec"], gateways.PROXY) for each in found]
    wrong += [
        f"image {image} is not of istiod's version {expected}"
        for image in images
        if expected and gateways.tag(image) not in ("", expected)
    ]
    wrong += [f"{pods.line(pod)}" for pod in gateways.proxies(kube, place) if any(pods.trouble(pod))]
    check(
        not wrong,
        f"the proxies of Gateway {place}: all replicas available, no restarts, version {expected or 'not told'}",
        bullets(wrong),
        cause="; ".join(line for pod in gateways.proxies(kube, place) for line in pods.trouble(pod))
        or "the Deployment was scaled down or paused, or an annotation or proxy setting gives it another image",
        next_step=kube.kubectl("-n", place.namespace, "describe", "pods", "-l", f"{gateways.NAME}={place.name}"),
    )


@pytest.mark.conformance(
    name="gateway-proxies-are-kept-available",
    level="extended",
    requires=[CONTROLLERS],
    fault=faults.proxies_stopped.shows("0 ready proxies", "at least 1"),
    checks=["gateway-availability"],
)
def test_proxies_are_kept_available(service: LlmService, profile: Profile) -> None:
    """As many proxies as promised are ready, and a PodDisruptionBudget covers them if that is promised."""
    promised, place = profile.gateway.availability, service.gateway
    found = gateways.proxies(service.kube, place)
    budgets = service.kube.objects(DISRUPTION_BUDGET, place.namespace) if promised.disruption_budget else []
    wrong = gateways.unavailable(found, budgets, promised.replicas, budget=promised.disruption_budget)
    check(
        not wrong,
        f"at least {promised.replicas} ready proxies of Gateway {place}"
        + (", covered by a PodDisruptionBudget" if promised.disruption_budget else ""),
        bullets(wrong),
        cause="Istio makes one replica and no budget for a Gateway unless spec.infrastructure.parametersRef says more",
        next_step=service.kube.kubectl("-n", place.namespace, "get", "deployments,poddisruptionbudgets", "-o", "wide"),
    )


@pytest.mark.conformance(
    name="gateway-proxies-are-in-sync",
    level="core",
    requires=[FORWARD, ISTIOD, CONTROLLERS],
    fault=[
        filters.configuration_refused.shows("was sent", "taken"),
        faults.proxies_stopped.shows("there is no proxy"),
    ],
    checks=["gateway"],
)
def test_proxies_are_in_sync(service: LlmService, profile: Profile) -> None:
    """Every proxy of the Gateway is live and has taken what istiod sent it last, by istiod's own word."""
    place = service.gateway

    def in_sync() -> None:
        known = istiod.unacknowledged(service.kube, service.istiod.namespace)
        found = gateways.proxies(service.kube, place)
        wrong = [line for pod in found for line in _out_of_sync(service, pod, known)]
        wrong += [] if found else [f"there is no proxy of Gateway {place}"]
        check(
            not wrong,
            "proxies that are live and have taken all that istiod sent",
            bullets(wrong),
            cause="the proxy refuses a part (an EnvoyFilter, or a filter that this Envoy lacks): it goes on with"
            " what it had, and takes no change any more; or istiod is not reached (15012)",
            next_step=service.kube.kubectl("-n", service.istiod.namespace, "logs", f"deployment/{service.istiod.name}")
            + " | grep -i 'ADS:.*ACK ERROR'",
        )

    eventually("the gateway's proxies to be in sync", in_sync, budget=budget("sidecars-in-sync", profile), in_a_row=1)


@pytest.mark.conformance(
    name="gateway-answers-at-every-address",
    level="core",
    fault=[
        faults.proxies_stopped.shows("no proxy is ready"),
        faults.load_balancer_closed.shows("inside", "HTTP 200", "health check", "loadBalancerSourceRanges"),
    ],
    requires=[CONTROLLERS, FORWARD],
    checks=["gateway"],
)
def test_answers_at_every_address(service: LlmService, client: Client) -> None:
    """At each of its addresses the Gateway answers from outside as it does from inside its pods."""
    for _, address in gateways.addresses(service.read_gateway()):
        reply = _models_at(client, address)
        if reply.verdict is not Verdict.HTTP or reply.status != 200:
            inside = _from_inside(service, client)
            told = violation(reply, f"the Gateway to answer at {address}")
            raise Violation(
                f"the Gateway to answer at {address} from outside as it does from inside",
                f"from outside {reply.summary}; inside: {inside}",
                cause=_closed(service) if "HTTP 200" in inside else told.cause,
                next_step=reply.request.curl,
            )


def _models_at(client: Client, address: str) -> Reply:
    own = client.base_url.partition("://")
    host, slash, path = own[2].partition("/")
    port = host.rpartition("]")[2].partition(":")[2]
    named = f"[{address}]" if ":" in address else address
    return client.send(Request("GET", f"{own[0]}://{named}{f':{port}' if port else ''}{slash}{path}/v1/models", {}))


def _from_inside(service: LlmService, client: Client) -> str:
    """What each proxy answers when it is asked inside its pod, past load balancer and policies."""
    ready = [pod for pod in gateways.proxies(service.kube, service.gateway) if pods.is_ready(pod)]
    path = client.base_url.partition("://")[2].partition("/")[2]
    port = next((each.port for each in gateways.listeners(service.read_gateway()) if each.protocol == "HTTP"), 80)
    told = []
    for pod in ready:
        name = pod["metadata"]["name"]
        try:
            answer = get_from_pod(service.kube, service.gateway.namespace, name, port, f"/{path}/v1/models")
            told.append(f"{name} answers HTTP {answer.status}")
        except KubeError as error:
            told.append(f"{name}: {error}")
    return "; ".join(told) or "no proxy is ready"


def _closed(service: LlmService) -> str:
    labels = f"{gateways.NAME}={service.gateway.name}"
    try:
        found = service.kube.objects(SERVICE, service.gateway.namespace, labels=labels)
    except KubeError:
        found = []  # only to tell more: a Gateway of others may be in a namespace that this user must not look into
    ranges = [
        f"Service {each['metadata']['name']} has loadBalancerSourceRanges {', '.join(allowed)}"
        for each in found
        if (allowed := each["spec"].get("loadBalancerSourceRanges"))
    ]
    usual = (
        "the load balancer passes nothing on: its health check fails (it may ask for /, which is 404), or a firewall"
    )
    return "; ".join([*ranges, usual])


def _not_rolled_out(found: Object) -> list[str]:
    name, status = found["metadata"]["name"], found.get("status", {})
    wanted = max(found["spec"].get("replicas", 1), 1)
    wrong = lacking(conditions(found), ["Available"], f"Deployment {name}")
    available, updated = status.get("availableReplicas", 0), status.get("updatedReplicas", 0)
    wrong += [] if available >= wanted else [f"{name}: {available} of {wanted} replicas are available"]
    if updated < wanted or status.get("unavailableReplicas", 0):
        images = gateways.image(found["spec"]["template"]["spec"], gateways.PROXY)
        wrong.append(f"{name}: {updated} of {wanted} replicas are of its current revision and well (image {images})")
    return wrong


def _out_of_sync(service: LlmService, pod: Object, known: dict[str, list[str]]) -> list[str]:
    name, namespace = pod["metadata"]["name"], service.gateway.namespace
    by_istiod = known.get(f"{name}.{namespace}", ["istiod does not know it"])
    state = envoy.state(service.kube, namespace, pod)
    live = [state.problem] if state.problem else [] if state.state == "LIVE" else [f"its state is {state.state}"]
    return [f"{name}: {line}" for line in [*by_istiod, *live]]
