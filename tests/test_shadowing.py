"""`tools`, `fixtures` and `suites` are plain names: another installed package of that name must not shadow ours."""

import importlib
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGES = ["tools", "fixtures", "suites"]


@pytest.mark.parametrize("name", PACKAGES)
def test_imported_package_is_this_checkouts(name: str) -> None:
    found = [Path(path).resolve() for path in importlib.import_module(name).__path__]
    assert found == [CHECKOUT / name], f"another installed package named {name} shadows this checkout's"


@pytest.mark.parametrize("name", PACKAGES)
def test_from_elsewhere_it_is_this_checkouts_too(name: str, tmp_path: Path) -> None:
    # The console script runs in any directory, without the checkout on its path.
    code = f"import {name}; print({name}.__path__[0])"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).resolve() == CHECKOUT / name


@pytest.mark.parametrize("name", PACKAGES)
def test_no_other_distribution_brings_it(name: str) -> None:
    others = [each for each in metadata.packages_distributions().get(name, []) if each != "llmisvc-conformance"]
    assert others == [], f"{others} install a package named {name}"
