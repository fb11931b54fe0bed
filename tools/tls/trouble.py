"""Why a handshake with a Gateway failed: its own words, and what the Gateway's listeners say."""

from tools.kube import gateways
from tools.kube.client import Object
from tools.probe.verdict import Verdict
from tools.tls.handshake import Handshake

# In the words of OpenSSL.
_CAUSES = (
    ("has expired", "the certificate has ended, and nobody renewed it or put the new one into the Secret"),
    ("not yet valid", "the certificate begins later, or a clock is wrong"),
    ("ostname mismatch", "the certificate is for other names than the promised one (gateway.tls.host)"),
    ("IP address mismatch", "the certificate is not for the address: say its name in the profile (gateway.tls.host)"),
    ("self-signed certificate in", "the chain ends at an authority that is not trusted here (--ca-file)"),
    ("self-signed", "the certificate is self-signed: no authority stands for it (a placeholder of a set-up script?)"),
    ("local issuer", "another authority signed it than --ca-file has, or tls.crt lacks the certificates in between"),
    ("WRONG_VERSION_NUMBER", "plain HTTP is spoken at the port for TLS"),
    ("VERSION", "the two sides have no version of TLS in common"),
    ("HANDSHAKE_FAILURE", "the listener has no certificate for this name, or wants one of the client"),
)


def cause(gateway: Object, found: Handshake) -> str:
    """The probable cause of a handshake that failed; a listener's own word goes before what was seen. Pure."""
    there = gateways.listeners(gateway)
    serving = [each for each in there if each.protocol in ("HTTPS", "TLS")]
    if not serving:
        return f"the Gateway has no listener for HTTPS; it has {'; '.join(str(each) for each in there) or 'none'}"
    if told := [f"listener {each.name}: {line}" for each in serving for line in each.trouble]:
        return "; ".join(told)
    if known := next((words for sign, words in _CAUSES if sign in found.problem), ""):
        return known
    if found.verdict in (Verdict.RESET, Verdict.UNTRUSTED):
        return (
            "the proxy has no certificate for the listener: the Secret is unreadable, or istiod does not send it (SDS)"
        )
    return "no proxy of the Gateway runs, or the load balancer or a firewall does not pass the port on"
