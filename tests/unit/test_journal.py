"""The journal: on disk before the first byte, true after a kill, held by one process at a time."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from ponprobe.errors import ConfigError, LeaseConflict
from ponprobe.flow import Cli, CliReply, Write
from ponprobe.models.acceptance import CreatedOnu, CreatedServicePort, Ownership, new_mark
from ponprobe.models.addressing import OnuRef, Serial
from ponprobe.models.service import VlanStack
from ponprobe.store.journal import Journal

OWNER = Ownership(onu=OnuRef.parse("0/1/3:7"), mark=new_mark(), serial=Serial("HWTC00000001"))
ONU = CreatedOnu(owner=OWNER)
SERVICE = CreatedServicePort(owner=OWNER, index=4711, vlans=VlanStack(svlan=100, cvlan=3901))


def accept(_: CliReply) -> None:
    """Any answer will do here."""


ADD = Write(
    what="register",
    request=Cli("ont add 3 7 password-auth CANARYPW1", secrets=("CANARYPW1",)),
    check=accept,
    creates=ONU,
    undo=(Cli("ont delete 3 7"),),
)
GIVE = Write(what="serve", request=Cli("service-port 4711"), check=accept, creates=SERVICE, undo=(Cli("undo 4711"),))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite3"


@pytest.fixture
def journal(place: Path) -> Iterator[Journal]:
    journal = Journal(place)
    yield journal
    journal.close()


def open_run(journal: Journal, run_id: str = "run1", olt: str = "lab") -> dict[str, int]:
    return journal.open_run(
        run_id, olt=olt, host="192.0.2.1", device="LAB", owner=OWNER, order={"port": "0/1/3"}, changes=(ADD, GIVE)
    )


def test_a_run_and_its_intents_are_there_for_another_process_before_anything_is_sent(
    journal: Journal, place: Path
) -> None:
    open_run(journal)
    other = Journal(place)
    (run,) = other.unfinished("lab")
    other.close()
    assert run.created == (ONU, SERVICE)
    assert [change.state for change in run.writes] == ["intended", "intended"]
    assert run.writes[0].undo == ("ont delete 3 7",)
    assert run.owner == OWNER


def test_secrets_never_reach_the_disk(journal: Journal, place: Path) -> None:
    open_run(journal)
    journal.close()
    for file in place.parent.iterdir():
        if file.is_file():
            assert b"CANARYPW1" not in file.read_bytes()


def test_what_was_refused_or_undone_is_no_longer_there_and_what_is_unknown_may_be(journal: Journal) -> None:
    numbers = open_run(journal)
    journal.settle("run1", {numbers["register"]: "unknown", numbers["serve"]: "refused"})
    assert journal.run("run1").created == (ONU,)
    journal.settle("run1", {}, undone=[ONU])
    assert journal.run("run1").created == ()


def test_a_run_is_unfinished_until_it_is_proven_clean(journal: Journal) -> None:
    open_run(journal)
    journal.settle("run1", {}, state="residue", note="still there")
    assert [run.run_id for run in journal.unfinished()] == ["run1"]
    journal.settle("run1", {}, state="kept")
    assert journal.unfinished("lab")[0].closed_at is None
    journal.settle("run1", {}, state="clean")
    assert journal.unfinished() == ()
    assert journal.run("run1").closed_at is not None


def test_the_last_run_is_taken_away_first(journal: Journal) -> None:
    # a commit that waits for its second half keeps the device from everybody else's changes, and it is the last run's
    for run_id in ("first", "second", "third"):
        open_run(journal, run_id)
    assert [run.run_id for run in journal.unfinished("lab")] == ["third", "second", "first"]


def test_runs_of_other_olts_are_not_this_ones(journal: Journal) -> None:
    open_run(journal, "a", "lab")
    open_run(journal, "b", "prod")
    assert [run.run_id for run in journal.unfinished("prod")] == ["b"]
    with pytest.raises(ConfigError, match="no run 'c'"):
        journal.run("c")


def test_a_run_belongs_to_one_process_until_that_one_is_gone(journal: Journal, place: Path) -> None:
    code = textwrap.dedent(
        f"""
        import sys, time
        from ponprobe.store.journal import Journal
        held = Journal({str(place)!r}).hold_run("run1")
        print("held", flush=True)
        sys.stdin.read()
        """
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LeaseConflict, match="run1"):
            journal.hold_run("run1")
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    lock = journal.hold_run("run1")
    journal.release_run("run1", lock)


def test_one_process_at_a_time_chooses_ids_on_an_olt(journal: Journal, place: Path) -> None:
    other = Journal(place)
    with (
        journal.one_writer("192.0.2.1", 5),
        other.one_writer("192.0.2.2", 5),
        pytest.raises(LeaseConflict, match=r"192\.0\.2\.1"),
        other.one_writer("192.0.2.1", 0.05),
    ):
        pass
    with other.one_writer("192.0.2.1", 0.05):
        pass
    other.close()


def test_commits_are_synced_and_do_not_block_readers(journal: Journal, place: Path) -> None:
    with journal._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2, "FULL: survives a power cut"
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="PONPROBE_JOURNAL"):
        Journal(tmp_path / "file" / "journal.sqlite3")
    broken = tmp_path / "broken.sqlite3"
    broken.write_bytes(b"this is no database" * 100)
    with pytest.raises(ConfigError, match=r"broken\.sqlite3"):
        Journal(broken)


def test_the_journal_is_plain_sqlite(journal: Journal, place: Path) -> None:
    open_run(journal)
    with sqlite3.connect(place) as reader:
        assert reader.execute("select run_id, state from runs").fetchall() == [("run1", "open")]
    reader.close()
