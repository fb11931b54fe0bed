"""Which cluster a name leads to: names can be re-pointed, the UID of the namespace kube-system cannot."""

import re

from tools.cluster.kubeconfig import Entry
from tools.errors import UserError
from tools.kube.client import Kube
from tools.kube.errors import KubeError
from tools.kube.kinds import NAMESPACE

# It is made with the cluster and cannot be deleted.
ANCHOR = "kube-system"
# A label of that namespace on clusters that are made of stand-ins: a green run on one is a rehearsal.
STANDINS = "llmisvc-conformance/stand-ins"
_PRODUCTION = {"prod", "production", "prd", "live"}
_NOT_YET = {"non", "not", "pre"}


def identity_of(kube: Kube) -> str:
    """The UID that tells this cluster from every other.

    Raises:
        KubeError: it may not be read, or there was no answer.
    """
    return str(kube.get(NAMESPACE, ANCHOR)["metadata"]["uid"])


def has_standins(kube: Kube) -> bool:
    """Whether a cluster says that it is a local one, with stand-ins; False where that may not be read."""
    try:
        return STANDINS in (kube.get(NAMESPACE, ANCHOR)["metadata"].get("labels") or {})
    except KubeError:
        return False


def production_word(name: str) -> str:
    """The word in a name that speaks of production; empty if there is none. Pure.

    `non-prod` and `preprod` do not, `euprod1` does.
    """
    # Words end at everything that is no letter, and where a capital letter begins the next.
    words: list[str] = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)]
    for before, word in zip(["", *words], words, strict=False):
        if before not in _NOT_YET and (word in _PRODUCTION or _joined(word)):
            return word
    return ""


def refuse_unpinned_production(entry: Entry, pin: str) -> None:
    """Refuse a cluster that looks like production unless the profile says which one it is.

    Raises:
        UserError: it looks like production and nothing is pinned.
    """
    names = {"context": entry.context, "cluster": entry.cluster, "server": entry.server}
    for role, name in names.items():
        if not pin and (word := production_word(name)):
            raise UserError(
                "a profile that pins the cluster (`cluster.identity`), because this one looks like production",
                f"no pin, and the word {word!r} in the {role} {name}",
                next_step="have its owner agree, then put into the profile what this prints: "
                + entry.kubectl(f"get namespace {ANCHOR} -o jsonpath={{.metadata.uid}}"),
            )


def refuse_another(entry: Entry, pin: str, found: str) -> None:
    """Refuse a cluster that is not the pinned one.

    Args:
        entry: where it was looked.
        pin: the UID that the profile pins; empty pins nothing.
        found: the UID that the cluster has.

    Raises:
        UserError: they differ.
    """
    if pin and found != pin:
        raise UserError(
            f"context {entry.context} to lead to the cluster that the profile pins, {pin}",
            f"the cluster behind {entry.server} is {found}",
            cause="the name was re-pointed to another cluster, or the cluster was made anew",
            next_step="the context of the pinned cluster, or, if its owner agrees, the new UID in the profile",
        )


def _joined(word: str) -> bool:
    """Whether a word is made with `prod` (`euprod`, `prodeu`), but is not `product`, `nonprod` or `preprod`."""
    return bool(re.fullmatch(r"prod(?!uc).*|(?!non|pre).+prod", word))
