"""A machine that cannot run the local cluster is told so before anything starts, with what is missing."""

from dataclasses import replace
from pathlib import Path

import pytest

from tools.cluster.local import preflight
from tools.cluster.local.preflight import Facts, check, look
from tools.errors import UserError


@pytest.fixture
def able(tmp_path: Path) -> Facts:
    namespaces = frozenset({"mnt", "pid", "net", "uts", "ipc"})
    return Facts("", namespaces, (), 8.0, 20.0, tmp_path, preflight.NEEDED_WATCHERS)


def test_a_machine_that_has_everything(able: Facts) -> None:
    check(able)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"overlay": "mount: unknown filesystem"}, "modprobe overlay"),
        ({"namespaces": frozenset({"mnt"})}, "namespaces ipc, net, pid, uts"),
        ({"missing_programs": ("unshare",)}, "apt-get install util-linux"),
        ({"memory_gib": 2.9}, "2.9 GiB"),
        ({"disk_gib": 3.9}, "3.9 GiB"),
        ({"watchers": 4}, "4 are left for root"),
        ({"directory": Path("/var/lib/x")}, "outside of /var/lib"),
    ],
)
def test_what_is_missing_is_told(able: Facts, changes: dict[str, object], says: str) -> None:
    with pytest.raises(UserError) as caught:
        check(replace(able, **changes))  # type: ignore[arg-type]
    assert says in str(caught.value)


def test_watchers_are_counted_and_given_back(tmp_path: Path) -> None:
    first, second = look(tmp_path), look(tmp_path)
    assert 0 <= first.watchers <= preflight.NEEDED_WATCHERS
    # Others may take or give some in between; none is lost by looking.
    assert abs(first.watchers - second.watchers) < preflight.NEEDED_WATCHERS
