"""What an answer over plain HTTP says about a promise. Pure."""

from urllib.parse import urlsplit

from tools.openai.reply import Reply
from tools.probe.verdict import Verdict
from tools.profile.gateway import Plaintext

# A client keeps method and body only with 308, and many do with none; which of them is the platform's choice.
_REDIRECTS = (301, 302, 307, 308)
# A port that a load balancer does not have is unreachable for some of them; that the address is reached, TLS shows.
_CLOSED = (Verdict.REFUSED, Verdict.DROPPED, Verdict.RESET, Verdict.UNREACHABLE)


def trouble(reply: Reply, promised: Plaintext) -> str:
    """Why an answer to a request over plain HTTP is not what was promised; empty if it is."""
    match promised:
        case Plaintext.OPEN:
            return "" if reply.status == 200 else "it is not served over plain HTTP"
        case Plaintext.CLOSED:
            return "" if reply.verdict in _CLOSED else "something answers over plain HTTP: what was asked went in clear"
        case Plaintext.REDIRECT:
            to = urlsplit(reply.headers.get("location", ""))
            if reply.status not in _REDIRECTS:
                return (
                    "it is answered over plain HTTP rather than redirected: what was asked, and the answer, go in clear"
                )
            same = to.path == urlsplit(reply.request.url).path
            return "" if to.scheme == "https" and same else f"it is redirected to {to.geturl() or 'nowhere'}"
