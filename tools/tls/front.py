"""Where a service's Gateway serves TLS."""

from tools.kube import gateways
from tools.kube.client import Object
from tools.kube.llm_service import LlmService
from tools.tls.handshake import Front

_PORT = 443


def front_of(service: LlmService) -> Front:
    """The listener for TLS, at the Gateway's first address; at the usual port where there is no listener."""
    return front_at(service.read_gateway(), service)


def front_at(gateway: Object, service: LlmService) -> Front:
    """The same for a Gateway that was read."""
    address = next((value for _, value in gateways.addresses(gateway)), "")
    port = next((each.port for each in gateways.listeners(gateway) if each.protocol == "HTTPS"), _PORT)
    return Front(address, port, service.connection.tls_host or address, service.connection.tls_ca)


def base_url(front: Front) -> str:
    """The Gateway's root there, by its address."""
    host = f"[{front.address}]" if ":" in front.address else front.address
    return f"https://{host}" + ("" if front.port == _PORT else f":{front.port}")
