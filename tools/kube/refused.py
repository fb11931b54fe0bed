"""Objects applied, or the refusal told with what to write instead."""

from tools.kube.client import Kube, Object
from tools.kube.errors import KubeError
from tools.manifests.refused import explain, is_refusal


def apply_or_explain(kube: Kube, document: Object, controller: str) -> Object:
    """Apply an object.

    Args:
        kube: the cluster.
        document: the object.
        controller: where KServe's controller is, for the text.

    Raises:
        Violation: the API server does not take it as it is written; server-side apply names the first wrong field, so a
            strict dry run is asked for the others.
        KubeError: it does not take it for another reason.
    """
    try:
        return kube.apply(document)
    except KubeError as error:
        if not is_refusal(error.status, error.message):
            raise
        words = [error.message, *_strictly(kube, document)]
    raise explain(document, words, kube.kubectl(), controller)


def _strictly(kube: Kube, document: Object) -> list[str]:
    try:
        kube.judge(document)
    except KubeError as error:
        return [error.message]
    return []
