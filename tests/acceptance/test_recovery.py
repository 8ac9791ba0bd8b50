"""Finishing what others began: the right device, the right process, one failure among several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ponprobe import emulator
from ponprobe.connect import connect
from ponprobe.errors import LeaseConflict, NotOurs, RevokeError
from ponprobe.session.olt import Olt


@pytest.fixture
def lab(personality: Any) -> Iterator[emulator.Lab]:
    with emulator.serve(personality.lab) as lab:
        yield lab


@pytest.fixture
def opened(personality: Any, tmp_path: Path) -> Callable[[emulator.EmulatedOlt], Olt]:
    def open_it(olt: emulator.EmulatedOlt) -> Olt:
        return connect(
            olt.host,
            platform=personality.platform,
            username=olt.username,
            password=SecretStr(olt.password),
            enable_password=SecretStr(olt.enable_password),
            access=personality.access,
            port=personality.port_of(olt),
            journal=str(tmp_path / "journal.sqlite3"),
            known_hosts=tmp_path / "known_hosts",
            online_timeout_s=30,
        )

    return open_it


def kept_run(personality: Any, session: Olt) -> str:
    with session.activate(personality.order) as onu:
        onu.keep()
    return onu.run_id


def test_finding_nothing_on_another_device_is_no_proof(
    personality: Any, lab: emulator.Lab, opened: Callable[[emulator.EmulatedOlt], Olt]
) -> None:
    mine = lab.olts[personality.olt]
    scenario = personality.lab
    for spec in scenario.olts:
        spec.hostname = "ANOTHER-OLT"
    other = emulator.serve(scenario)
    with other, opened(mine) as session:
        run_id = kept_run(personality, session)
        before = mine.snapshot()
        impostor = other.olts[personality.olt]
        with opened(impostor) as wrong, pytest.raises(RevokeError, match="ANOTHER-OLT"):
            wrong.revoke(run_id)
        assert mine.snapshot() == before
        assert not session.revoke(run_id).already_absent, "the right one still can"


def test_a_run_in_another_hand_is_left_to_it(
    personality: Any, lab: emulator.Lab, opened: Callable[[emulator.EmulatedOlt], Olt]
) -> None:
    mine = lab.olts[personality.olt]
    with opened(mine) as session, opened(mine) as other:
        with session.activate(personality.order) as onu:
            (recovery,) = other.recover()
            assert recovery.in_use
            assert not recovery.clean
            with pytest.raises(LeaseConflict, match=onu.run_id):
                other.revoke(onu.run_id)
            assert onu.refresh().serial == personality.order.auth.serial
        assert other.recover() == ()


def test_an_onu_that_somebody_replaced_is_noticed(
    personality: Any, lab: emulator.Lab, opened: Callable[[emulator.EmulatedOlt], Olt], device_of: Any
) -> None:
    mine = lab.olts[personality.olt]
    device = device_of(personality, mine)
    with opened(mine) as session:
        run_id = kept_run(personality, session)
        ref = next(run.owner.onu for run in session._open_journal().unfinished() if run.run_id == run_id)
        device.evict(ref)
        device.occupy(ref)
        with_stranger = mine.snapshot()
        removal = session.revoke(run_id)
    assert removal.clean
    assert removal.note is not None
    assert mine.snapshot() == with_stranger


def test_a_live_onu_that_is_gone_says_so(
    personality: Any, lab: emulator.Lab, opened: Callable[[emulator.EmulatedOlt], Olt], device_of: Any
) -> None:
    mine = lab.olts[personality.olt]
    with opened(mine) as session, session.activate(personality.order) as onu:
        device_of(personality, mine).evict(onu.ref)
        with pytest.raises(NotOurs, match="gone"):
            onu.refresh()
        assert onu.revoke().already_absent
