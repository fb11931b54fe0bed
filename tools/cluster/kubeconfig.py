"""A context of the user's kubeconfig, found by its name; a file that cannot be used is refused in one sentence."""

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.errors import UserError
from tools.kubectl import kubectl

_MANY = 12


@dataclass(frozen=True)
class Entry:
    """What a kubeconfig says about one context.

    Attributes:
        file: the kubeconfig.
        context, cluster: names in it.
        server: the API server's URL.
        user: the user's entry, with credentials in it; never to be printed.
    """

    file: Path
    context: str
    cluster: str
    server: str
    user: Mapping[str, Any]

    def kubectl(self, words: str) -> str:
        """The command line that asks this cluster by hand."""
        return kubectl(*words.split(), context=self.context, kubeconfig=self.file)


def candidates(given: Path | None, environ: Mapping[str, str]) -> list[Path]:
    """Files that may have the context, as kubectl looks for them: the named one, else $KUBECONFIG, else ~/.kube/config.

    Raises:
        UserError: none of them exists.
    """
    if given is not None:
        source, named = "--kubeconfig", [given]
    elif environ.get("KUBECONFIG", "").strip(os.pathsep):
        source, named = "$KUBECONFIG", [Path(each) for each in environ["KUBECONFIG"].split(os.pathsep) if each]
    else:
        source, named = "neither --kubeconfig nor $KUBECONFIG is given", [Path("~/.kube/config")]
    # Only the files of a list that are there count; kubectl ignores the others, too.
    found = [path for each in named if (path := each.expanduser()).exists()]
    if not found:
        raise UserError(
            "a kubeconfig file",
            f"no {' and no '.join(map(str, named))} ({source})",
            next_step="the same command with --kubeconfig FILE",
        )
    return found


def find_context(name: str, files: Sequence[Path]) -> Entry:
    """The entry of a context.

    Args:
        name: the context's name, exactly.
        files: where it may be; the first that has it counts.

    Raises:
        UserError: no file has it, or what is said about it is not complete.
    """
    names = []
    for file in files:
        content = _read(file)
        contexts = _by_name(content, "contexts", file)
        if name in contexts:
            return _entry(file, content, name, contexts[name])
        names += list(contexts)
    near = difflib.get_close_matches(name, names, n=1)
    raise UserError(
        f"a context {name!r} in {', '.join(map(str, files))}",
        "there are no contexts" if not names else f"there {'is' if len(names) == 1 else 'are'} {_listed(names)}",
        next_step=f"--context {near[0]} (if that was meant)"
        if near
        # Of several files kubectl knows by $KUBECONFIG, as we do.
        else kubectl("config", "get-contexts", kubeconfig=files[0] if len(files) == 1 else None),
    )


def only_context(file: Path) -> str:
    """The name of the one context in a file that was made by us.

    Raises:
        UserError: it has none, or several.
    """
    names = list(_by_name(_read(file), "contexts", file))
    if len(names) != 1:
        raise _unusable(file, f"it has {len(names)} contexts, and not one")
    return names[0]


def _entry(file: Path, content: Mapping[str, Any], name: str, context: Mapping[str, Any]) -> Entry:
    cluster = _referred(file, content, name, context, "cluster")
    server = cluster.get("server")
    if not isinstance(server, str) or not server.startswith(("https://", "http://")):
        raise _unusable(file, f"cluster {context['cluster']!r} has no `server` that is a URL")
    user = _referred(file, content, name, context, "user") if context.get("user") else {}
    return Entry(file, name, str(context["cluster"]), server, user)


def _referred(
    file: Path, content: Mapping[str, Any], name: str, context: Mapping[str, Any], role: str
) -> Mapping[str, Any]:
    """The cluster or user that a context refers to."""
    wanted = context.get(role)
    if not isinstance(wanted, str) or not wanted:
        raise _unusable(file, f"context {name!r} names no {role}")
    found = _by_name(content, f"{role}s", file)
    if wanted not in found:
        raise UserError(
            f"{role} {wanted!r} of context {name!r} in {file}, which has the context",
            "it is not there",
            cause="kubectl puts several files of $KUBECONFIG together; here one file has to have everything",
            next_step=f"kubectl config view --flatten --minify --context {name} > FILE, then --kubeconfig FILE",
        )
    return found[wanted]


def _by_name(content: Mapping[str, Any], key: str, file: Path) -> dict[str, Mapping[str, Any]]:
    """Items of one of a kubeconfig's three lists; the first of a name counts."""
    found: dict[str, Mapping[str, Any]] = {}
    rows = content.get(key) or []
    for row in rows if isinstance(rows, list) else [None]:
        value = row.get(key.removesuffix("s")) if isinstance(row, dict) else None
        if not isinstance(row, dict) or not isinstance(row.get("name"), str) or not isinstance(value, dict | None):
            raise _unusable(file, f"`{key}` is not a list of names, each with its `{key.removesuffix('s')}`")
        found.setdefault(row["name"], value or {})
    return found


def _read(file: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(file.read_text())
    except OSError as error:
        raise _unusable(file, f"it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _unusable(file, "it is not text") from None
    except yaml.MarkedYAMLError as error:
        # Without the lines that PyYAML quotes: they may have a token in them.
        at = f"line {error.problem_mark.line + 1}" if error.problem_mark else "somewhere"
        raise _unusable(file, f"it is not YAML: {at}: {error.problem}") from None
    except yaml.YAMLError:
        raise _unusable(file, "it is not YAML") from None
    if not isinstance(content, dict):
        raise _unusable(
            file, "it is empty" if content is None else "it is no mapping with clusters, users and contexts"
        )
    return content


def _unusable(file: Path, observed: str) -> UserError:
    return UserError(
        f"{file} to be a kubeconfig", observed, next_step=f"kubectl config view --kubeconfig {file}, or another file"
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(sorted(names)[:_MANY])
    return shown if len(names) <= _MANY else f"{shown} and {len(names) - _MANY} more"


def credentials_in(file: Path) -> list[str]:
    """Tokens, passwords and private keys of a kubeconfig's users, so that they can be kept out of reports."""
    try:
        users = (yaml.safe_load(file.read_text()) or {}).get("users") or []
    except (OSError, yaml.YAMLError, AttributeError):
        return []
    found = [each.get("user") or {} for each in users if isinstance(each, dict)]
    return [str(user[key]) for user in found for key in ("token", "password", "client-key-data") if user.get(key)]
