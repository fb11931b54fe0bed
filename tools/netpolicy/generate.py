"""The policies of a service: templates of manifests/policies filled with what is known of its cluster. Pure."""

import json
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from string import Template
from typing import Any

import yaml

from tools.netpolicy.facts import (
    GATEWAY_HEALTH,
    NAMESPACE_NAME,
    SERVER_PORT,
    SIDECAR_METRICS,
    Facts,
    Object,
)
from tools.paths import CHECKOUT

TEMPLATES = CHECKOUT / "manifests" / "policies"


def chosen(facts: Facts) -> list[str]:
    """Names of the templates that a service needs."""
    shared, watched = facts.shares_namespace_with_gateway, bool(facts.monitoring)
    wanted = {
        "default-deny-all": True,
        "allow-gateway-to-vllm": True,
        "allow-vllm-egress": True,
        "allow-model-download": facts.source is not None,
        "allow-istiod": facts.sidecars,
        "allow-gateway-to-picker": facts.picker,
        "allow-picker-to-vllm": facts.picker,
        "allow-picker-egress": facts.picker,
        "allow-monitoring-of-vllm": watched,
        "allow-monitoring-of-picker": watched and facts.picker,
        "allow-kv-events": facts.events and facts.picker,
        "allow-kv-events-to-picker": facts.events and facts.picker,
        "allow-gateway": shared,
        "allow-gateway-to-ask": shared and facts.picker,
        "allow-monitoring-of-gateway": shared and watched,
    }
    return [name for name, needed in wanted.items() if needed]


def text(facts: Facts, templates: Path = TEMPLATES) -> str:
    """All policies of a service as YAML, with the reasons of every line as comments."""
    values = _values(facts)
    filled = [Template((templates / f"{name}.yaml").read_text()).substitute(values) for name in chosen(facts)]
    return "---\n".join(filled)


def policies(facts: Facts, templates: Path = TEMPLATES) -> list[Object]:
    """The same as objects."""
    return list(yaml.safe_load_all(text(facts, templates)))


def _values(facts: Facts) -> dict[str, str]:
    values: dict[str, Any] = {
        "servers": dict(facts.servers.labels),
        "picker": dict(facts.pickers.labels),
        "family": facts.family,
        "gateway": dict(facts.gateway.labels),
        "gateway_namespace": {NAMESPACE_NAME: facts.gateway.namespace},
        "istiod": dict(facts.istiod.labels),
        "istio_namespace": {NAMESPACE_NAME: facts.istiod.namespace},
        "dns_peers": dns_peers(facts),
        "dns_ports": dns_ports(facts),
        "api_server": [block(each) for each in facts.api_server],
        "api_server_port": facts.api_server_port,
        "api_service": cidr(facts.api_service),
        "monitoring": [each.peer for each in facts.monitoring],
        "scraped": facts.scraped,
        "server_metrics": tcp([SERVER_PORT, *(SIDECAR_METRICS if facts.sidecars else ())]),
        "listeners": tcp([*facts.listeners, GATEWAY_HEALTH]),
    }
    if facts.source is not None:
        values["hub"] = facts.source.block
        values["hub_port"], values["downloaders"] = facts.source.port, list(facts.source.components)
    # JSON is YAML, and has its quotation marks where a label's value would be taken for a number.
    written = {key: json.dumps(value) for key, value in values.items()}
    return written | {"namespace": facts.namespace, "service": facts.service}


def dns_peers(facts: Facts) -> list[Object]:
    """Whoever answers questions for names, as peers."""
    found = [facts.dns.pods.peer] if facts.dns.pods else []
    return [*found, *(block(each) for each in facts.dns.resolvers)]


def dns_ports(facts: Facts) -> list[Object]:
    """Ports of these; on the nodes it is always 53."""
    ports = {facts.dns.port, 53} if facts.dns.resolvers else {facts.dns.port}
    return [{"protocol": protocol, "port": port} for port in sorted(ports) for protocol in ("UDP", "TCP")]


def tcp(ports: Iterable[int]) -> list[Object]:
    """Ports of TCP, as a rule has them."""
    return [{"protocol": "TCP", "port": each} for each in ports]


def block(ip: str) -> Object:
    """One address as a peer."""
    return {"ipBlock": {"cidr": cidr(ip)}}


def cidr(ip: str) -> str:
    """One address as a range."""
    return f"{ip}/{ip_address(ip).max_prefixlen}"
