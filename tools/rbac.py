"""The ready roles in manifests/rbac and the table of rights in docs/clusters.md, both made from `tools.kube.rights`.

`python -m tools.rbac` writes the roles anew and prints the table.
"""

from collections.abc import Iterable

import yaml

from tools.kube.access import Access, missing, roles
from tools.kube.rights import Mode, Places, all_of, needed, useful
from tools.paths import CHECKOUT

DIRECTORY = CHECKOUT / "manifests" / "rbac"
# In the roles of an audit; in those of a run that deploys, the service's namespace is one that is yet to be made.
_AUDITED = Places(
    service="my-service", gateway="my-service", kserve="kserve", istio="istio-system", monitoring="monitoring"
)
_DEPLOYED = Places(kserve="kserve", istio="istio-system", monitoring="monitoring")
_WORDS = {
    "my-service": "the service's",
    "kserve": "KServe's",
    "istio-system": "Istio's",
    "default": "the Lease's",
    "monitoring": "Prometheus'",
}

FILES = {
    "reader": (Mode.READ, _AUDITED, "--target my-service/NAME --read-only"),
    "auditor-with-traffic": (Mode.TRAFFIC, _AUDITED, "--target my-service/NAME --read-only --traffic"),
    "deployer": (Mode.DEPLOY, _DEPLOYED, "a run that deploys a service of its own"),
}


def text(name: str) -> str:
    """The content of one of the files."""
    mode, places, how = FILES[name]
    documents = roles(all_of(mode, places), f"llmisvc-conformance-{name}")
    named = sorted({each["metadata"]["namespace"] for each in documents if each["kind"] == "Role"})
    words = ", ".join(f"`{each}` for {_WORDS[each]}" for each in named)
    head = (
        f"# What {how} needs or can use, and no more.\n"
        "# Made from tools/kube/rights.py by `python -m tools.rbac`; see docs/clusters.md.\n"
        f"# Namespaces are examples: {words}.\n"
        "# Bind the ClusterRole by a ClusterRoleBinding, and each Role by a RoleBinding in its namespace.\n"
    )
    return head + yaml.safe_dump_all(documents, sort_keys=False, default_flow_style=None, width=110)


def table() -> str:
    """What each step of the ladder adds, as a Markdown table."""
    rows = []
    for mode in Mode:
        places = _DEPLOYED if mode is Mode.DEPLOY else _AUDITED
        parts = {"needed": needed(mode, places), **useful(mode, places)}
        rows += [f"| {mode} | {what} | {_cell(wanted)} |" for what, wanted in parts.items() if wanted]
    head = "| step | what for | verbs |\n|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


def _cell(wanted: Iterable[Access]) -> str:
    """`get, list pods` and so on, resources with the same verbs and place together."""
    together: dict[tuple[str, str], list[str]] = {}
    for line in missing(list(wanted)).splitlines():
        verbs, about, place = _taken_apart(line.strip())
        together.setdefault((verbs, place), []).append(f"`{about}`")
    return "; ".join(f"**{verbs}** {', '.join(abouts)}{place}" for (verbs, place), abouts in together.items())


def _taken_apart(line: str) -> tuple[str, str, str]:
    said, _, namespace = line.partition(" in ")
    verbs, _, about = said.rpartition(" ")
    return verbs, about, f" in {_WORDS[namespace]} namespace" if namespace else ""


def main() -> None:
    """Write the roles, print the table."""
    DIRECTORY.mkdir(exist_ok=True)
    for name in FILES:
        (DIRECTORY / f"{name}.yaml").write_text(text(name))
    print(table())


if __name__ == "__main__":
    main()
