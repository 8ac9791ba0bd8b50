"""The objects with a session: shown from memory, and taken off the device when a kernel ends."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest
from pydantic import SecretStr
from shown_values import AT, order

import ponprobe
from ponprobe import connect
from ponprobe.display import html_of, olt_html, onu_html, table_of
from ponprobe.errors import ConnectError, PonprobeError
from ponprobe.models._base import Value
from ponprobe.models.acceptance import Registration
from ponprobe.models.addressing import OnuRef, Serial
from ponprobe.models.device import OnuState
from ponprobe.models.optical import Db, Dbm
from ponprobe.models.run import Removal
from ponprobe.notebook.extension import load_ipython_extension, revoke_all, unload_ipython_extension
from ponprobe.session.olt import Olt
from ponprobe.session.test_onu import RunJournal, TestOnu

REF = OnuRef.parse("0/1/0:7")


class Untouchable:
    """Whatever is done with it beside naming its host is a failure."""

    def __init__(self, host: str) -> None:
        self.host = host

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"looking at an object used .{name}")


@pytest.fixture
def olt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Olt:
    olt = connect(
        "192.0.2.1",
        platform="huawei_smartax",
        username="probe",
        password=SecretStr("Canary-OLT-77"),
        journal=str(tmp_path / "journal.sqlite3"),
        known_hosts=tmp_path / "known_hosts",
    )
    untouchable = cast("Any", Untouchable("192.0.2.1"))
    # put back afterwards: sessions to one OLT share their conversation
    monkeypatch.setattr(olt._engine.conversation, "transport", untouchable)
    monkeypatch.setattr(olt._engine, "transport", untouchable)
    monkeypatch.setattr(olt._engine, "agent", untouchable)
    monkeypatch.setattr(olt, "_open_journal", untouchable)
    return olt


class OnuOfTest(TestOnu):
    """One whose revocation is counted, or fails."""

    def __init__(self, *, fails: bool = False, splitter: str = "FAT-01") -> None:
        registration = Registration(order=order(splitter), onu=REF, mark="PONPROBE_0123abcd")
        super().__init__(
            cast("Any", Untouchable("192.0.2.1")),
            RunJournal(cast("Any", Untouchable("journal")), "0123456789ab", {}),
            registration,
            lock=cast("Any", None),
            state=OnuState(onu=REF, run_state="online", distance_m=2500.0),
            emit=lambda *_, **__: None,
            removal_wait_s=1,
        )
        self.fails = fails
        self.revoked = 0

    def revoke(self) -> Removal:
        self.revoked += 1
        if self.fails:
            raise ConnectError("192.0.2.1: no answer", host="192.0.2.1", access="ssh")
        self.removal = Removal(onu=REF, proof=(("q", "a"),), at=AT)
        return self.removal


def text(html: str) -> str:
    return " ".join(" ".join(ET.fromstring(html).itertext()).split())


def test_looking_at_an_olt_touches_nothing(olt: Olt) -> None:
    assert "192.0.2.1" in repr(olt)
    shown = olt_html(olt)
    assert "OLT 192.0.2.1" in text(shown)
    assert "huawei_smartax" in shown
    assert "Canary" not in shown


@pytest.mark.parametrize(
    ("end", "says"), [("live", "on the OLT now"), ("kept", "kept on the OLT"), ("clean", "device clean")]
)
def test_looking_at_a_test_onu_touches_nothing_and_says_where_it_stands(end: str, says: str) -> None:
    onu = OnuOfTest(splitter="<script>&</script>")
    onu.kept = end == "kept"
    if end == "clean":
        onu.revoke()
    shown = onu_html(onu)
    assert says in text(shown)
    assert "<script>" not in shown
    assert "distance [m] 2500" in text(shown)
    assert "0/1/0:7" in repr(onu)


def test_these_are_all_public_objects_with_a_session() -> None:
    """Every other public class is a value, a word or an error, and holds nothing that could be asked."""
    public = [getattr(ponprobe, name) for name in ponprobe.__all__]
    kinds = {each for each in public if inspect.isclass(each)}
    harmless = (Value, Enum, PonprobeError, Db, Dbm, Serial)
    assert {each for each in kinds if not issubclass(each, harmless)} == {Olt, TestOnu}


@pytest.mark.parametrize("look", [repr, str, "{}".format, dir, html_of, lambda each: table_of((each,))])
def test_no_way_of_looking_touches_a_device(olt: Olt, look: Callable[[object], object]) -> None:
    for each in (olt, OnuOfTest()):
        assert "Canary" not in str(look(each))


def test_what_a_notebook_still_holds_is_revoked_once(caplog: pytest.LogCaptureFixture) -> None:
    live, failing, kept, clean = OnuOfTest(), OnuOfTest(fails=True), OnuOfTest(), OnuOfTest()
    kept.kept = True
    clean.revoke()
    with caplog.at_level(logging.WARNING):
        revoke_all({"onu": live, "_": live, "bad": failing, "kept": kept, "clean": clean, "other": 3})
    assert [each.revoked for each in (live, failing, kept, clean)] == [1, 1, 0, 1]
    assert "0123456789ab" in caplog.text, "what is left is named, and one failure stops nothing"


def test_only_its_own_formatters_are_taken_back() -> None:

    printers: dict[type, Any] = {set: "somebody else's"}
    html = SimpleNamespace(type_printers=printers, for_type=printers.__setitem__)
    shell = SimpleNamespace(display_formatter=SimpleNamespace(formatters={"text/html": html}), user_ns={})
    unload_ipython_extension(shell)
    load_ipython_extension(shell)
    load_ipython_extension(shell)
    assert set(printers) == {set, tuple, list, Olt, TestOnu}
    unload_ipython_extension(shell)
    assert printers == {set: "somebody else's"}
