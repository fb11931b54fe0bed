"""Why an image could not be pulled, by what the container runtime or the registry said. Pure."""

import re
from dataclasses import dataclass

# Reasons with which a container waits for its image.
REASONS = {
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
}
_DEFAULT_HOST = "docker.io"


@dataclass(frozen=True)
class Refusal:
    """Why there is no image.

    Attributes:
        cause: in words.
        lasting: whether the next attempt will end the same way, unless somebody changes something.
    """

    cause: str
    lasting: bool


# Looked at in this order: a registry that cannot be reached says nothing, one that says 403 has been reached. Of a
# repository without permission registries say "denied" or "not found", as they like.
_SAID = (
    (
        r"no such host|server misbehaving|name resolution|lookup .* on .*:53|i/o timeout|deadline exceeded"
        r"|connection refused|connection reset|unreachable|TLS handshake timeout|proxyconnect",
        "the registry {host} cannot be reached from the node: name resolution, egress (firewall, proxy, NAT), or it is"
        " down; nothing was said about the image itself",
        False,
    ),
    (r"x509|certificate", "the node does not trust the certificate of the registry {host}", True),
    (
        r"\b401\b|unauthorized|authentication required|no basic auth|authorization failed",
        "the registry {host} wants credentials (401): no pull Secret of the pod or its ServiceAccount has this host, or"
        " what it has is wrong or expired; a pull Secret has to be in the pod's own namespace",
        True,
    ),
    (
        r"\b403\b|denied|forbidden",
        "no permission (403) for {image}: the registry {host} knows the credentials, or wants none, and does not give"
        " this repository to them",
        True,
    ),
    (r"\b429\b|toomanyrequests|rate limit", "the registry {host} limits how often it is asked (429)", False),
    (
        r"not found|manifest unknown|name unknown|\b404\b",
        "the tag does not exist: {host} has no {image}; a misspelt tag or repository, or a release that is not there",
        True,
    ),
    (r"no match for platform|no matching manifest", "{image} is not built for the node's architecture", True),
    (r"no space left|disk quota", "the node's disk is full", False),
    (r"signature", "the node's policy wants a signature that {image} does not have", True),
)
_NAMED = {
    "InvalidImageName": "{image!r} is not a valid name of an image (registry/repository:tag, in lower case)",
    "ErrImageNeverPull": "imagePullPolicy is Never, and {image} is not on the node",
}


def host_of(image: str) -> str:
    """The registry of an image's name, as container runtimes read it."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else _DEFAULT_HOST


def explain(reason: str, message: str, image: str) -> Refusal:
    """Why an image is not there.

    Args:
        reason: with which the container waits.
        message: what was said.
        image: its name.
    """
    words = {"host": host_of(image), "image": image}
    if reason in _NAMED:
        return Refusal(_NAMED[reason].format(**words), True)
    # The image's own name may have any of these words in it.
    said = message.replace(image, "")
    for pattern, cause, lasting in _SAID:
        if re.search(pattern, said, re.IGNORECASE):
            return Refusal(cause.format(**words), lasting)
    return Refusal(f"{image} could not be pulled; the pod's events have what the registry said", False)
