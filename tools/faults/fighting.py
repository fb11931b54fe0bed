"""Somebody who writes all the time what the controller puts back: two that do not agree, and no end to it."""

import threading
from collections.abc import Iterator

from tools.faults.common import wait_until
from tools.faults.fault import fault
from tools.kube.errors import KubeError
from tools.kube.kinds import HTTP_ROUTE
from tools.kube.llm_service import LlmService

_EVERY_SECONDS = 0.5
_LABEL = "app.kubernetes.io/part-of"


@fault()
def somebody_fights(service: LlmService) -> Iterator[None]:
    """Another controller writes a label of the route twice a second, and KServe's puts it back each time."""
    kube, namespace = service.kube, service.namespace
    kind, name = service.children["route"]
    right = service.child("route")["metadata"]["labels"][_LABEL]
    ended, began = threading.Event(), threading.Event()

    def fight() -> None:
        while not ended.wait(_EVERY_SECONDS):
            body = {"metadata": {"labels": {_LABEL: "somebody-else"}}}
            try:
                kube.request(
                    "PATCH",
                    kind.path(name, namespace),
                    {"fieldManager": "somebody"},
                    body,
                    "application/merge-patch+json",
                )
            except KubeError:
                continue
            began.set()

    thread = threading.Thread(target=fight, name="somebody fights")
    thread.start()
    try:
        if not began.wait(timeout=10):
            raise RuntimeError("nobody could write the route")
        yield
    finally:
        ended.set()
        thread.join()
        kube.patch(kind, name, namespace, {"metadata": {"labels": {_LABEL: right}}})
        wait_until(service, HTTP_ROUTE, name, "the label", lambda it: it["metadata"]["labels"].get(_LABEL) == right)
