"""The trading lease: one holder, an epoch that only rises, one environment."""

from pathlib import Path

import pytest
from rel.lease import races

from tomking.adapters.lease import Lease, installation, take
from tomking.domain.errors import OperatingError


def paper(folder: Path, after: int = 0) -> Lease:
    return take(folder, account="5WX00000", environment="paper", after=after)


def file_of(folder: Path) -> Path:
    (found,) = folder.glob("lease-*.json")
    return found


def test_each_lease_has_a_higher_epoch_than_any_before(tmp_path: Path) -> None:
    for expected in (1, 2, 3):
        with paper(tmp_path) as lease:
            assert lease.epoch == expected


def test_the_epoch_is_above_what_the_broker_has_seen(tmp_path: Path) -> None:
    # A folder that was lost: the broker's tags show epoch 41.
    with paper(tmp_path, after=41) as lease:
        assert lease.epoch == 42
    with paper(tmp_path, after=7) as lease:
        assert lease.epoch == 43


def test_a_second_one_is_refused_while_the_first_is_held(tmp_path: Path) -> None:
    with paper(tmp_path) as lease:
        with pytest.raises(OperatingError, match="another process trades this account; stop it first"):
            paper(tmp_path)
        assert lease.is_held()
    with paper(tmp_path) as lease:
        assert lease.epoch == 2


def test_another_account_is_another_lease(tmp_path: Path) -> None:
    with paper(tmp_path), take(tmp_path, account="5WX11111", environment="paper") as other:
        assert other.epoch == 1


def test_live_is_not_traded_where_paper_was(tmp_path: Path) -> None:
    paper(tmp_path).give_back()
    with pytest.raises(OperatingError, match="is traded as paper here, not as live; use another folder"):
        take(tmp_path, account="5WX00000", environment="live")
    with paper(tmp_path) as lease:
        assert lease.epoch == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"format": 1, "environment": "paper", "epoch": 9, "digest": "0"}', b"\xff\xfe"],
)
def test_a_damaged_lease_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    paper(tmp_path).give_back()
    file_of(tmp_path).write_bytes(content)
    with pytest.raises(OperatingError, match=r"cannot be read as a lease.*Remove it: the epoch then"):
        paper(tmp_path)
    file_of(tmp_path).unlink()
    with paper(tmp_path, after=1) as lease:
        assert lease.epoch == 2


def test_a_changed_epoch_is_noticed(tmp_path: Path) -> None:
    paper(tmp_path).give_back()
    path = file_of(tmp_path)
    path.write_text(path.read_text().replace('"epoch": 1', '"epoch": 7'))
    with pytest.raises(OperatingError, match="its checksum is wrong"):
        paper(tmp_path)


def test_a_holder_sees_that_its_lease_was_taken_away(tmp_path: Path) -> None:
    # Somebody removes the lock file by hand, and a second process takes a lease of its own.
    with paper(tmp_path) as first:
        (lock,) = tmp_path.glob("lease-*.lock")
        lock.unlink()
        assert not first.is_held()
        with paper(tmp_path) as second:
            assert second.epoch == 2
            assert second.is_held()
            assert not first.is_held()


def test_a_lease_given_back_is_not_held(tmp_path: Path) -> None:
    lease = paper(tmp_path)
    lease.give_back()
    assert not lease.is_held()


def test_files_are_for_the_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with paper(folder):
        assert folder.stat().st_mode & 0o077 == 0
        (lock,) = folder.glob("lease-*.lock")
        assert lock.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(OperatingError, match="cannot be locked"):
        paper(tmp_path / "state")


def test_no_file_tells_the_account_number(tmp_path: Path) -> None:
    with paper(tmp_path):
        for path in tmp_path.iterdir():
            assert "5WX00000" not in path.name + path.read_text()


def test_an_account_has_another_sign_in_each_environment() -> None:
    signs = {installation(each, "5WX00000") for each in ("paper", "sandbox", "live")}
    assert len(signs) == 3
    assert all(len(sign) == 8 and int(sign, 16) >= 0 for sign in signs)


def test_of_two_processes_exactly_one_trades_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    # Three races, the first with a kill after which the loser gets the lease: four leases.
    epochs, wrong = races(tmp_path, 3)
    assert wrong == []
    assert epochs == [1, 2, 3, 4]


def test_a_lease_whose_file_cannot_be_read_any_more_is_not_held(tmp_path: Path) -> None:
    with paper(tmp_path) as lease:
        assert lease.is_held()
        file_of(tmp_path).write_bytes(b"{")
        assert not lease.is_held()


def test_a_lease_that_cannot_be_written_is_refused_and_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("tomking.adapters.lease.write_synced", full)
        with pytest.raises(OperatingError, match=r"cannot be written \(No space left on device\)"):
            paper(tmp_path)
    with paper(tmp_path) as lease:
        assert lease.epoch == 1
