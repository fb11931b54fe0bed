"""Faults of what the Gateway is told about TLS towards what is behind it."""

from collections.abc import Iterator
from contextlib import contextmanager

from tools.faults.common import wait_for_answer
from tools.faults.fault import fault
from tools.faults.hold import controller_held
from tools.kube.client import Object
from tools.kube.kinds import DESTINATION_RULE, NAMESPACE, SERVICE
from tools.kube.labels import made_for
from tools.kube.llm_service import LlmService
from tools.openai.client import Client


@fault()
def authority_not_mounted(service: LlmService) -> Iterator[None]:
    """A DestinationRule for the servers names an authority's file that the Gateway's proxies do not have."""
    tls = {"mode": "SIMPLE", "caCertificates": "/etc/no-such-bundle/ca.crt"}
    with _rule_for_servers(service, "authority_not_mounted", tls):
        wait_for_answer(service, "requests are 503", Client.models, lambda reply: reply.status == 503)
        yield


@fault()
def servers_unverified(service: LlmService) -> Iterator[None]:
    """A DestinationRule has TLS towards the servers without a check of their certificate."""
    with _rule_for_servers(service, "servers_unverified", {"mode": "SIMPLE", "insecureSkipVerify": True}):
        wait_for_answer(service, "requests are 503", Client.models, lambda reply: reply.status == 503)
        yield


@fault()
def port_declared_as_tls(service: LlmService) -> Iterator[None]:
    """The workload Service says that its servers speak TLS, and they do not."""
    kube, namespace, name = service.kube, service.namespace, service.children["workload service"][1]
    before = kube.get(SERVICE, name, namespace)["spec"]["ports"]
    other = [each | {"appProtocol": "https"} for each in before]
    with controller_held(service):
        try:
            kube.patch(SERVICE, name, namespace, {"spec": {"ports": other}})
            yield
        finally:
            kube.patch(SERVICE, name, namespace, {"spec": {"ports": before}})
            wait_for_answer(service, "models are listed", Client.models, lambda reply: reply.status == 200)


@contextmanager
def _rule_for_servers(service: LlmService, name: str, tls: Object) -> Iterator[None]:
    kube, namespace = service.kube, service.namespace
    title = f"{service.name}-{name.replace('_', '-')}"
    rule = {
        "apiVersion": DESTINATION_RULE.api,
        "kind": DESTINATION_RULE.kind,
        "metadata": {"name": title, "namespace": namespace, "labels": made_for(kube.get(NAMESPACE, namespace), name)},
        "spec": {"host": service.children["workload service"][1], "trafficPolicy": {"tls": tls}},
    }
    try:
        kube.apply(rule)
        yield
    finally:
        kube.delete(DESTINATION_RULE, title, namespace)
        wait_for_answer(service, "models are listed again", Client.models, lambda reply: reply.status == 200)
