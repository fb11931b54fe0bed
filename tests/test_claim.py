"""Claims on a cluster."""

from pathlib import Path

import pytest

from tools.cluster.local.claim import Claim
from tools.errors import UserError


def test_one_holder_alone_keeps_all_others_out(tmp_path: Path) -> None:
    first, second = Claim(tmp_path / "a.lock"), Claim(tmp_path / "a.lock")
    first.alone()
    assert not second.try_alone()
    with pytest.raises(UserError, match="nobody else"):
        second.alone()
    first.release()
    second.alone()
    second.release()


def test_users_share_and_keep_a_remover_out(tmp_path: Path) -> None:
    users = [Claim(tmp_path / "a.lock") for _ in range(2)]
    remover = Claim(tmp_path / "a.lock")
    for user in users:
        user.together(print)
    assert not remover.try_alone()
    for user in users:
        user.release()
    assert remover.try_alone()
    remover.release()


def test_a_claim_on_a_removed_file_does_not_count(tmp_path: Path) -> None:
    first, second = Claim(tmp_path / "a.lock"), Claim(tmp_path / "a.lock")
    first.alone()
    assert not second.try_alone()  # has the file open now
    first.remove_file()
    first.release()
    second.alone()
    third = Claim(tmp_path / "a.lock")
    assert not third.try_alone()
    third.release()
    second.release()
