"""What this checkout ships is what the cluster takes: its manifests, and the names that its documents tell people."""

import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from fixtures.cluster import Cluster
from tools.cases.capabilities import DEPLOY
from tools.explain import bullets, check
from tools.faults import admission as faults
from tools.kube.discovery import names
from tools.kube.errors import KubeError
from tools.kube.llm_service import LlmService
from tools.manifests import Document
from tools.manifests.brief import errata, resources
from tools.manifests.hints import KNOWN
from tools.manifests.place import Placement, place
from tools.manifests.refused import fields
from tools.manifests.render import render
from tools.paths import CHECKOUT
from tools.profile import Profile

_SERVICES = CHECKOUT / "manifests" / "services"
_MADE = "Made by `python -m"
_EXISTS = 409


@pytest.mark.conformance(
    name="reconcile-manifests-are-taken",
    level="core",
    requires=[DEPLOY],
    fault=[
        faults.creations_refused.shows("LLMInferenceService vllm-", "denied request"),
        faults.creations_warned_about.shows("warning"),
    ],
)
def test_manifests_are_taken(service: LlmService, cluster: Cluster, profile: Profile) -> None:
    """Every manifest that is shipped, and the profile's own, is taken in strict mode, without a warning."""
    shipped = {path.parent for path in _SERVICES.glob("*/*/**/kustomization.yaml")}
    directories = sorted({*shipped, profile.manifests.resolve()})
    with ThreadPoolExecutor(4) as pool:
        rendered = list(pool.map(partial(render, kubectl=cluster.kubectl), directories))
    placement = Placement(service.namespace, suffix="-judged")
    lines = [
        f"{_short(directory)}: {line}"
        for directory, documents in zip(directories, rendered, strict=True)
        for document in place(documents, placement)
        for line in _judged(service, document)
    ]
    check(
        not lines,
        f"all manifests of {len(directories)} directories to be taken by a strict dry run, with 0 warnings",
        bullets(lines),
        cause="the manifests are for another version of an API, or the cluster's policies demand something of them",
        next_step=service.kube.kubectl("apply", "--dry-run=server", "--validate=strict", "-k", _short(directories[0])),
    )


@pytest.mark.conformance(
    name="reconcile-documents-name-what-there-is",
    level="extended",
    fault=faults.short_name_taken_away.shows("llmisvc", "no such resource"),
)
def test_documents_name_what_there_is(service: LlmService) -> None:
    """Every resource that a kubectl command in our documents names resolves on the cluster, and is named right."""
    known = names(service.kube)
    pages = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md")), *sorted(_SERVICES.rglob("*.yaml"))]
    # Pages made of code quote what is wrong: words of failures, entries of the list of faults.
    texts = {page: text for page in pages if _MADE not in (text := page.read_text())[:400]}
    lines = [f"{_short(page)}: {line}" for page, text in texts.items() for line in _untrue(text, known)]
    check(
        not lines,
        "kubectl commands in README.md, docs/ and manifests/services that name resources of the cluster",
        bullets(lines),
        cause="the name is another project's or another version's; short names are in the CRD's spec.names",
        next_step=service.kube.kubectl("api-resources"),
    )


def _judged(service: LlmService, document: Document) -> list[str]:
    what = f"{document['kind']} {document['metadata']['name']}"
    try:
        return [f"{what}: warning: {each}" for each in service.kube.judge(document)]
    except KubeError as error:
        if error.status == _EXISTS:  # it was judged before it was found to be there
            return []
        right = "".join(f"; {path} -> {KNOWN[path]}" for path in fields(error.message) if path in KNOWN)
        return [f"{what}: {error.message}{right}"]


def _untrue(text: str, known: set[str]) -> list[str]:
    lines = [f"`kubectl … {each}`: no such resource" for each in resources(text) if each not in known]
    return lines + [f"{re.sub(chr(10), ' ', wrong)}: right is {right}" for wrong, right in errata(text)]


def _short(path: Path) -> str:
    return str(path.relative_to(CHECKOUT)) if path.is_relative_to(CHECKOUT) else str(path)
