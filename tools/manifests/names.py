"""Names of what KServe derives from a service, where a manifest has to state one itself."""

import hashlib

_LONGEST = 63
_HEAD = _LONGEST - 32  # what is left beside a hexadecimal MD5


def child_name(parent: str, suffix: str) -> str:
    """The name that KServe gives a child: parent and suffix, the parent cut and hashed if that is too long.

    Args:
        parent: the service's name.
        suffix: for example `-epp-service`.

    Source: knative.dev/pkg kmeta.ChildName, which KServe calls for every child.
    """
    if len(parent) + len(suffix) <= _LONGEST:
        return parent + suffix
    if len(suffix) >= _HEAD:
        # No room for it behind a hash: the hash is of both, and what fits of the suffix fills up what is left.
        made = parent[:_HEAD] + hashlib.md5((parent + suffix).encode(), usedforsecurity=False).hexdigest()
        return (made + suffix[: _LONGEST - len(made)]).rstrip("-.")
    digest = hashlib.md5(parent.encode(), usedforsecurity=False).hexdigest()
    return f"{parent[: _HEAD - len(suffix)]}{digest}{suffix}"


def picker_service(service: str) -> str:
    """The Service of a service's endpoint picker."""
    return child_name(service, "-epp-service")


def own_gateway(service: str) -> str:
    """The Gateway that a run makes for a service alone."""
    return f"{service}-gateway"


def gateway_certificate(service: str) -> str:
    """The Secret with the certificate of that Gateway."""
    return f"{service}-gateway-tls"


def beside(namespace: str) -> str:
    """The namespace that cases make beside the service's."""
    return f"{namespace}-beside"
