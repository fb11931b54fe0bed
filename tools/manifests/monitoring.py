"""The Prometheus that ships as the local cluster needs it: a transformation of what is rendered, never a copy. Pure."""

import copy
from collections.abc import Sequence
from typing import Any

import yaml

from tools.manifests import Document

CONFIGURATION = "prometheus.yml"
# Cases wait for the next scrape.
_INTERVAL = "2s"
# Of the program beside Debian's Prometheus (stand-in `prometheus`), as the overlay starts it.
_DISCOVERY = [{"url": "http://127.0.0.1:9099/", "refresh_interval": "1s"}]
_OF_KUBERNETES = "kubernetes_sd_configs"


def for_local_cluster(documents: Sequence[Document]) -> list[Document]:
    """The documents with the local cluster's configuration of Prometheus in place of the one that ships.

    Args:
        documents: of manifests/stack/local/monitoring, rendered; not changed.

    Raises:
        ValueError: not one of them has the configuration.
    """
    found = [copy.deepcopy(each) for each in documents]
    having = [each["data"] for each in found if each["kind"] == "ConfigMap" and CONFIGURATION in each["data"]]
    if len(having) != 1:
        raise ValueError(f"expected one ConfigMap with {CONFIGURATION}, found {len(having)}")
    shipped = yaml.safe_load(having[0][CONFIGURATION])
    having[0][CONFIGURATION] = yaml.safe_dump(_localised(shipped), sort_keys=False)
    return found


def _localised(shipped: dict[str, Any]) -> dict[str, Any]:
    """The same jobs, rules and relabelling; other intervals, and pods found by the program beside it."""
    often = dict.fromkeys(("scrape_interval", "scrape_timeout", "evaluation_interval"), _INTERVAL)
    jobs = []
    for job in shipped["scrape_configs"]:
        changed = {key: value for key, value in job.items() if key != _OF_KUBERNETES}
        jobs.append(changed | ({"http_sd_configs": _DISCOVERY} if _OF_KUBERNETES in job else {}))
    return {**shipped, "global": {**shipped["global"], **often}, "scrape_configs": jobs}
