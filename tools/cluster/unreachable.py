"""Why an API server could not be asked, in one sentence with the next command. Pure."""

from tools.cluster.kubeconfig import Entry
from tools.errors import UserError
from tools.kube.errors import KubeError

# Words of the client library's error: observed, probable cause, next. The first that fits counts.
_SIGNS = (
    (
        ("Failed to resolve", "NameResolutionError"),
        "its name is not known",
        "the cluster was removed, or its name is known in another network only (VPN)",
    ),
    (
        ("Unable to connect to proxy", "ProxyError", "Tunnel connection failed"),
        "the proxy in front of it did not connect",
        "`proxy-url` of the kubeconfig or HTTPS_PROXY leads to the wrong place",
    ),
    (
        ("connect timeout", "ConnectTimeoutError"),
        "nothing accepted a connection within 5 s",
        "a firewall, a missing VPN, or this machine is not among the cluster's authorized networks",
    ),
    (
        ("Connection refused",),
        "the connection was refused",
        "the API server does not run, or the port is another",
    ),
    (
        ("No route to host", "Network is unreachable"),
        "there is no route to it",
        "a missing VPN",
    ),
    (
        ("Hostname mismatch", "IP address mismatch", "doesn't match"),
        "its certificate is for another name",
        "the server's name in the kubeconfig is not the one in its certificate, or something answers in its place",
    ),
    (
        ("certificate has expired", "not yet valid"),
        "its certificate is not valid now",
        "the server's certificate has expired, or this machine's clock is wrong",
    ),
    (
        ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed"),
        "its certificate is not signed by the authority in the kubeconfig",
        "the cluster was made anew, or something answers in its place (a proxy that looks into TLS)",
    ),
    (
        ("WRONG_VERSION_NUMBER", "record layer failure", "HTTP_REQUEST", "PACKET_LENGTH"),
        "it does not speak TLS",
        "the port is that of something else",
    ),
    (
        ("SSL", "PEM lib", "TLS"),
        "TLS failed",
        "certificates or keys in the kubeconfig do not fit the server's",
    ),
    (
        ("Read timed out", "ReadTimeoutError"),
        "it took the request and did not answer within 30 s",
        "the API server is overloaded, or etcd behind it does not answer",
    ),
)


def explained(error: KubeError, entry: Entry) -> UserError:
    """The same failure in the user's terms."""
    expected = f"an answer from the API server of context {entry.context}, {entry.server}"
    if error.status == 401:
        return UserError(
            f"the API server of context {entry.context} to know the user",
            "401: it does not take these credentials",
            cause="they have expired, were revoked, or are another cluster's",
            next_step=f"log in again, then {entry.kubectl('auth whoami')}",
        )
    if error.status == 403 and "system:anonymous" in error.message:
        return UserError(
            f"the API server of context {entry.context} to know the user",
            f"403: it took the request as one of nobody: {error.message}",
            cause=f"the user's entry in {entry.file} has no credentials that it takes",
            next_step=f"log in again, then {entry.kubectl('auth whoami')}",
        )
    if error.status == 403:
        return UserError(
            f"the right to {error.what}",
            f"403: {error.message}",
            next_step=entry.kubectl("auth can-i --list"),
        )
    if error.status == 404 or 300 <= error.status < 400:
        return UserError(
            expected,
            f"{error.status} for {error.what}: {error.message[:200].strip() or 'without a word'}",
            cause="something else than an API server answers at this address, for example a login page",
            next_step=entry.kubectl("version"),
        )
    if error.status:
        return UserError(
            expected,
            f"{error.status} for {error.what}: {error.message[:300].strip() or 'without a word'}",
            cause="the API server or what is in front of it is not well",
            next_step=entry.kubectl("get --raw /readyz?verbose"),
        )
    for words, observed, cause in _SIGNS:
        if any(word in error.message for word in words):
            return UserError(expected, observed, cause=cause, next_step=entry.kubectl("version"))
    return UserError(
        expected,
        f"none: {error.message[:300]}",
        cause="the connection broke, or something else than an API server is at this address",
        next_step=entry.kubectl("version"),
    )
