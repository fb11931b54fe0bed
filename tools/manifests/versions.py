"""The API version in which a cluster takes LLMInferenceServices."""

from collections.abc import Collection

from tools.errors import UserError
from tools.manifests import Document

GROUP = "serving.kserve.io"
# Newest first. KServe 0.16 serves only v1alpha1; 0.17 and later serve both and store v1alpha2.
VERSIONS = ("v1alpha2", "v1alpha1")


def in_served_version(document: Document, served: Collection[str]) -> Document:
    """The document in the newest version that the cluster serves.

    Only `apiVersion` changes: what the manifests here use has the same form in both versions (they differ in
    `model.criticality` and inside `router.scheduler.pool`). KServe 0.16 lacks fields all the same
    (`router.scheduler.labels`, `storageInitializer`); the check against the cluster's own schema names them.

    Args:
        document: a LLMInferenceService.
        served: versions that the cluster's CRD serves.

    Raises:
        UserError: none of them is known.
    """
    version = next((version for version in VERSIONS if version in served), None)
    if version is None:
        raise UserError(
            f"a cluster that serves LLMInferenceService in one of {', '.join(VERSIONS)}",
            f"it serves {', '.join(sorted(served)) or 'none'}",
            cause="KServe before 0.16 has no LLMInferenceService" if not served else "a KServe newer than this knows",
            next_step="kubectl get crd llminferenceservices.serving.kserve.io -o jsonpath='{.spec.versions[*].name}'",
        )
    return document | {"apiVersion": f"{GROUP}/{version}"}
