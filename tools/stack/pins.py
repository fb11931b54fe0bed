"""The pinned Go modules, as go.mod files say."""

import re
from pathlib import Path

from tools.paths import CHECKOUT

PINS = CHECKOUT / "stack"

_REQUIREMENT = re.compile(r"^(?:require\s+)?\s*([\w./~-]+\.[\w./~-]+)\s+(v[\w.+-]+)", re.MULTILINE)
_PSEUDO = re.compile(r"^v0\.0\.0-\d{14}-([0-9a-f]{12})$")


def module_versions(go_mod: str) -> dict[str, str]:
    """Module path to version of every requirement in a go.mod file's text; `replace` lines are not looked at."""
    required = re.sub(r"(?ms)^(replace|exclude|retract|tool)\s*(\(.*?^\)|[^\n]*)", "", go_mod)
    return dict(_REQUIREMENT.findall(required))


def pinned(component: str, module: str, pins: Path = PINS) -> str:
    """Version that a component's go.mod pins a module at; raises KeyError if it does not."""
    return module_versions((pins / component / "go.mod").read_text())[module]


def revision(version: str) -> str:
    """The commit in a pseudo-version, or the version itself."""
    found = _PSEUDO.match(version)
    return found.group(1) if found else version
