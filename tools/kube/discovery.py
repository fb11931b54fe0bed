"""Which kinds of objects a cluster has, as its API server says."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tools.kube.client import Kube, Object
from tools.kube.errors import KubeError
from tools.kube.kinds import Kind

_AT_ONCE = 8
_REMOVABLE = {"list", "delete"}


def removable(kube: Kube) -> tuple[list[Kind], list[str]]:
    """Every kind that can be listed and deleted, in the version that its group prefers.

    Returns:
        The kinds, and the groups that do not answer, one line each.

    Raises:
        KubeError: the API server did not answer.
    """
    groups = kube.request("GET", "/apis")["groups"]
    apis = ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(partial(_resources, kube), apis))
    kinds = [
        Kind(api, row["kind"], row["name"], row["namespaced"])
        for api, (rows, _) in zip(apis, answers, strict=True)
        for row in rows
        if set(row["verbs"]) >= _REMOVABLE
    ]
    return kinds, [line for _, line in answers if line]


def names(kube: Kube) -> set[str]:
    """Every name that kubectl takes for a resource: plural, singular, kind, short names, with and without the group.

    Raises:
        KubeError: the API server did not answer.
    """
    groups = kube.request("GET", "/apis")["groups"]
    apis = ["v1", *(each["groupVersion"] for group in groups for each in group["versions"])]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(partial(_resources, kube), apis))
    found = {"all"}
    for api, (rows, _) in zip(apis, answers, strict=True):
        group = api.rpartition("/")[0]
        for row in rows:
            plain = {row["name"], row["singularName"], row["kind"].lower(), *row.get("shortNames", [])} - {""}
            found |= plain | ({f"{each}.{group}" for each in plain} if group else set())
    return found


def _resources(kube: Kube, api: str) -> tuple[list[Object], str]:
    try:
        return kube.request("GET", f"/api/{api}" if "/" not in api else f"/apis/{api}")["resources"], ""
    except KubeError as error:
        # An extension's own API server may be down; the others tell of theirs all the same.
        if error.status == 0:
            raise
        return [], f"group {api}: {error.status}: {error.message[:200]}"
