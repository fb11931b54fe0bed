"""Manifests of the services under test and of the stack: rendered, placed, held against the cluster's schemas.

Everything here but `render` is pure: documents in, documents or findings out.
"""

from typing import Any

# One Kubernetes object as kubectl and PyYAML see it.
Document = dict[str, Any]
