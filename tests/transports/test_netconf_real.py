"""Our session against a server that nobody here wrote: what a transaction does there, and what it leaves behind."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

sys.path.insert(0, str(Path(__file__).parent))

import netconf_real

from parts import missing
from ponprobe.errors import AlreadyExists, AuthError, DeviceError, NotFound, ResourceBusy
from ponprobe.flow import NetconfEdit, NetconfGet
from ponprobe.transports.netconf import NetconfSettings
from ponprobe.transports.netconf_ncclient import NetconfSession

THINGS = '<things xmlns="urn:ponprobe:lab"/>'
TEXT = "光交箱07号分光器"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The server's port, once for the module: what a test leaves there is its failure."""
    reason = netconf_real.why_not()
    if reason is not None:
        missing(reason)
    with netconf_real.netconfd(tmp_path_factory.mktemp("netconfd")) as port:
        yield port


@pytest.fixture
def settings(port: int, tmp_path: Path) -> NetconfSettings:
    return NetconfSettings(
        host="127.0.0.1",
        port=port,
        username="root",
        password=SecretStr(netconf_real.PASSWORD),
        known_hosts=tmp_path / "known_hosts",
        reply_timeout_s=10,
    )


@pytest.fixture
def session(settings: NetconfSettings) -> Iterator[NetconfSession]:
    session = NetconfSession(settings)
    session.open()
    yield session
    assert names(session) == set(), "the test left something behind"
    session.close()


def names(session: NetconfSession) -> set[str]:
    """What stands in the running configuration."""
    data = session.get(NetconfGet(what="things", filter=THINGS, datastore="running")).data
    return {part.partition("<")[0] for part in data.split("<name>")[1:]}


def edit(operation: str, *things: str, inside: str = "", **more: object) -> NetconfEdit:
    rows = "".join(f'<thing nc:operation="{operation}"><name>{name}</name>{inside}</thing>' for name in things)
    config = f'<things xmlns="urn:ponprobe:lab">{rows}</things>'
    return NetconfEdit(what=f"{operation} {things}", config=config, persist=f"P{uuid4().hex[:8]}", **more)


def test_one_transaction_creates_reads_back_and_deletes(session: NetconfSession) -> None:
    session.edit(edit("create", "a", "b", inside=f"<text>{TEXT}</text><vlan>2001</vlan>"))
    assert names(session) == {"a", "b"}
    # this server has no get-data: the state is asked for as RFC 6241 has it
    assert TEXT in session.get(NetconfGet(what="things", filter=THINGS)).data
    session.edit(edit("delete", "a", "b"))
    assert names(session) == set()


def test_what_exists_is_refused_as_a_whole_and_the_candidate_is_left_clean(session: NetconfSession) -> None:
    session.edit(edit("create", "b"))
    with pytest.raises(AlreadyExists):
        session.edit(edit("create", "a", "b", "c"))
    assert names(session) == {"b"}
    session.edit(edit("delete", "b"))
    assert names(session) == set(), "nothing of the refused edit came with the next commit"


def test_what_is_not_there_cannot_be_deleted(session: NetconfSession) -> None:
    with pytest.raises(NotFound):
        session.edit(edit("delete", "nothing"))


@pytest.mark.parametrize("inside", ["<vlan>5001</vlan>", "<after>nowhere</after>"])
def test_a_bad_value_or_reference_changes_nothing(session: NetconfSession, inside: str) -> None:
    with pytest.raises(DeviceError):
        session.edit(edit("create", "a", inside=inside))
    assert names(session) == set()


def test_a_lock_of_somebody_else_is_named(session: NetconfSession, settings: NetconfSettings) -> None:
    other = NetconfSession(settings)
    other.open()
    waiting = edit("create", "a", revoke_after_s=30)
    other.edit(waiting)
    with pytest.raises(ResourceBusy):
        session.edit(edit("create", "c"))
    other.edit(edit("remove", "a", ends=waiting.persist))
    other.close()


def test_an_unconfirmed_commit_takes_everything_back_by_itself(session: NetconfSession) -> None:
    session.edit(edit("create", "a", revoke_after_s=1))
    assert names(session) == {"a"}
    deadline = time.monotonic() + 15
    while names(session):
        assert time.monotonic() < deadline, "the server has not taken it back"
        time.sleep(1.5)  # the server looks at its clock only when nobody has asked for a second


def test_another_session_ends_a_commit_that_waits_and_deletes_in_one(
    session: NetconfSession, settings: NetconfSettings
) -> None:
    dead = NetconfSession(settings)
    dead.open()
    waiting = edit("create", "a", revoke_after_s=60)
    dead.edit(waiting)
    dead.close()
    session.edit(edit("remove", "a", ends=waiting.persist))
    assert names(session) == set()
    session.edit(edit("create", "b"))
    session.edit(edit("delete", "b", ends="PONPROBE_nothing_waits"))
    assert names(session) == set()


def test_a_wrong_password_is_told(settings: NetconfSettings) -> None:
    session = NetconfSession(replace(settings, password=SecretStr("wrong")))
    with pytest.raises(AuthError):
        session.open()
