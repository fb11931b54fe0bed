"""Whether pods are scraped, and why not where they are not. Pure."""

from collections.abc import Iterable

from tools.kube.client import Object
from tools.monitoring.prometheus import Target

# Words of an error to what it comes of.
_CAUSES = (
    ("status 401", "the job has no token (authorization, credentials_file), or one that has ended"),
    ("status 403", "Prometheus' account has no right to get /metrics (nonResourceURLs in its ClusterRole)"),
    ("status 404", "the job has another path than the pod"),
    ("deadline exceeded", "a NetworkPolicy keeps Prometheus out: allow-monitoring-* is lacking or selects others"),
    ("timeout", "a NetworkPolicy keeps Prometheus out: allow-monitoring-* is lacking or selects others"),
    ("connection refused", "nothing listens at the port that the job has"),
    ("reset by peer", "mutual TLS is STRICT there: the port has to be the agent's, 15020 (docs/mesh.md)"),
    ("EOF", "mutual TLS is STRICT there: the port has to be the agent's, 15020 (docs/mesh.md)"),
    ("x509", "the certificate is not of an authority that the job trusts (tls_config)"),
)
_NOT_FOUND = "no job keeps the pod (labels in relabel_configs), or Prometheus may not list pods of that namespace"


def lacking(pods: Iterable[Object], found: Iterable[Target], now: float) -> list[tuple[str, str]]:
    """What keeps pods from being scraped, and the probable cause of each; empty where all are.

    Args:
        pods: that should be.
        found: what Prometheus scrapes.
        now: by Prometheus' clock.
    """
    by_pod: dict[str, list[Target]] = {}
    for each in found:
        by_pod.setdefault(each.pod, []).append(each)
    names = [f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in pods]
    return [trouble for name in names for trouble in _of_pod(name, by_pod.get(name, []), now)]


def _of_pod(name: str, found: list[Target], now: float) -> list[tuple[str, str]]:
    if not found:
        return [(f"{name} is no target", _NOT_FOUND)]
    return [trouble for each in found if (trouble := _of_target(each, now)) is not None]


def _of_target(found: Target, now: float) -> tuple[str, str] | None:
    where = f"{found.pod} (job {found.job}, {found.url})"
    if found.scraped is None:
        return f"{where} was not scraped yet", "Prometheus has just started, or found the pod just now"
    if found.health != "up":
        cause = next((cause for words, cause in _CAUSES if words in found.error), "")
        return f"{where} is {found.health}: {found.error}", cause
    # A scrape may take its whole interval; twice that is one left out.
    if (age := now - found.scraped) > 2 * found.interval + 1:
        return (
            f"{where} was scraped {age:.0f} s ago, and every {found.interval:.0f} s is configured",
            "it is overloaded",
        )
    return None
