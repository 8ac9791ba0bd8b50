"""NETCONF as a road of whole sessions: what it answers, what it leaves to others, and what its servers may lack."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from personalities import PERSONALITIES
from ponprobe import emulator
from ponprobe.config import NetconfEntry
from ponprobe.connect import connect
from ponprobe.errors import ConnectError, NotSupported, ResourceBusy, RevokeError
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.addressing import Loid, OnuAuth, OnuRef
from ponprobe.models.judgement import Outcome
from ponprobe.models.optical import Absence
from ponprobe.models.run import RunEvent
from ponprobe.session.olt import Olt

BBF = next(each for each in PERSONALITIES if each.platform == "bbf_xpon")
ORDER: ActivationOrder = BBF.order
CUSTOMER = OnuRef.parse("0/1/0:0")

Serve = Callable[..., emulator.EmulatedOlt]
Open = Callable[..., Olt]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Bring the OLT up with other NETCONF settings."""
    with ExitStack() as stack:

        def serve_it(**settings: Any) -> emulator.EmulatedOlt:
            scenario = BBF.lab
            for spec in scenario.olts:
                spec.netconf = spec.netconf.model_copy(update=settings)
            return stack.enter_context(emulator.serve(scenario)).olt

        yield serve_it


@pytest.fixture
def open_olt(tmp_path: Path) -> Iterator[Open]:
    """Connect; ``platform``: that of the command line of the same OLT, to have both roads."""
    with ExitStack() as stack:

        def open_it(olt: emulator.EmulatedOlt, *, platform: str = "bbf_xpon", **more: Any) -> Olt:
            port = olt.netconf_port if platform == "bbf_xpon" else olt.ssh_port
            own = {"port": olt.netconf_port, **more.pop("netconf", {})}
            settings = {"samples": 1, "busy_wait_s": 2.0, "online_timeout_s": 20, **more}
            return stack.enter_context(
                connect(
                    olt.host,
                    platform=platform,
                    username=olt.username,
                    password=SecretStr(olt.password),
                    port=port,
                    netconf=NetconfEntry(**own),
                    journal=str(tmp_path / "journal.sqlite3"),
                    known_hosts=tmp_path / "known_hosts",
                    **settings,
                )
            )

        yield open_it


def lines_of(session: Olt, run: Callable[[], object]) -> list[str]:
    """What went out by NETCONF meanwhile."""
    lines: list[str] = []

    def note(event: RunEvent) -> None:
        if event.event == "command" and event.data["view"] == "netconf":
            lines.append(event.data["line"])

    session.on_event = note
    run()
    session.on_event = None
    return lines


# ---------------------------------------------------------------------- what is planned is what is sent


@pytest.mark.parametrize("site", [{}, {"revoke_after_s": 600}], ids=["confirmed at once", "revoked by the OLT"])
def test_a_dry_run_lists_the_requests_that_are_sent(serve: Serve, open_olt: Open, site: dict[str, Any]) -> None:
    emulated = serve()
    session = open_olt(emulated, netconf=site)
    plan = session.plan(ORDER)
    mark = plan.registration.mark
    writes = [line.line for line in plan.lines if line.purpose in {"write", "undo"}]
    assert any("edit-config" in line for line in writes)
    result: list[Any] = []
    sent = lines_of(session, lambda: result.append(session.measure(ORDER)))
    (ours,) = set(re.findall(r"PONPROBE_[0-9a-f]{8}", "\n".join(sent)))
    changes = [line.replace(ours, mark) for line in sent if not line.startswith("get")]
    assert changes == writes
    waits = [line for line in sent if line.startswith("commit confirmed")]
    assert waits == [f"commit confirmed {site.get('revoke_after_s', 60)} s"]
    assert ("commit" in sent) is not bool(site), "without a timeout of its own the commit is confirmed at once"
    assert result[0].clean


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        ({"confirmed_commit": False}, ["lock", "discard-changes", "edit-config", "validate", "commit", "unlock"]),
        (
            {"confirmed_commit": False, "validation": False},
            ["lock", "discard-changes", "edit-config", "commit", "unlock"],
        ),
        ({"candidate": False, "confirmed_commit": False}, ["lock", "edit-config", "unlock"]),
    ],
    ids=["candidate", "candidate that cannot be validated", "running with rollback-on-error"],
)
def test_a_server_that_has_less_is_changed_all_the_same(
    serve: Serve, open_olt: Open, settings: dict[str, Any], asked: list[str]
) -> None:
    emulated = serve(**settings)
    before = emulated.snapshot()
    session = open_olt(emulated)
    result: list[Any] = []
    sent = lines_of(session, lambda: result.append(session.measure(ORDER)))
    assert result[0].verdict.outcome is Outcome.PASS
    changes = [line.split(":")[0].split()[0] for line in sent if not line.startswith("get")]
    assert changes == asked * 2
    assert emulated.snapshot() == before


@pytest.mark.parametrize(
    ("settings", "site", "said"),
    [
        ({"candidate": False, "confirmed_commit": False, "rollback_on_error": False}, {}, "rollback-on-error"),
        ({"confirmed_commit": False}, {"revoke_after_s": 600}, "confirmed-commit"),
        ({"without_modules": {"bbf-xpongemtcont"}}, {}, "bbf-xpongemtcont"),
        ({"without_features": {"configurable-v-ani-onu-id"}}, {}, "configurable-v-ani-onu-id"),
        ({"library": []}, {}, "bbf-xponvani"),
    ],
)
def test_a_server_that_has_too_little_is_refused_by_name_and_nothing_is_sent(
    serve: Serve, open_olt: Open, settings: dict[str, Any], site: dict[str, Any], said: str
) -> None:
    emulated = serve(**settings)
    before = emulated.snapshot()
    session = open_olt(emulated, netconf=site)
    with pytest.raises(NotSupported, match=said):
        session.measure(ORDER)
    assert not any("edit-config" in line for line in emulated.commands)
    assert emulated.snapshot() == before
    assert not session.recover(), "nothing is open in the journal"


def test_facts_show_what_the_olt_speaks_and_what_is_missing(serve: Serve, open_olt: Open) -> None:
    speaks = open_olt(serve()).facts().netconf
    assert speaks is not None
    assert speaks.complete
    assert (speaks.candidate, speaks.confirmed_commit, speaks.versions) == (True, True, ("1.0", "1.1"))
    lacks = open_olt(serve(without_modules={"bbf-l2-forwarding"})).facts().netconf
    assert lacks is not None
    assert any("bbf-l2-forwarding" in each for each in lacks.missing)


def test_facts_of_an_olt_with_a_closed_port_say_so_and_the_command_line_answers(serve: Serve, open_olt: Open) -> None:
    emulated = serve()
    session = open_olt(emulated, platform="huawei_smartax", netconf={"port": 9})
    facts = session.facts()
    assert facts.version is not None
    assert facts.netconf is not None
    assert "port 9" in facts.netconf.missing[0]
    assert session.optical(CUSTOMER).complete


def test_a_closed_port_is_named_where_there_is_no_other_road(serve: Serve, open_olt: Open) -> None:
    with pytest.raises(ConnectError, match="port 9"):
        open_olt(serve(), netconf={"port": 9}).facts()


# ---------------------------------------------------------------------- readings


@pytest.mark.parametrize("powers", ["dbm", "milliwatts"])
@pytest.mark.parametrize("hardware", ["serial", "link_table"])
def test_all_four_powers_are_what_the_command_line_says(
    serve: Serve, open_olt: Open, powers: str, hardware: str
) -> None:
    emulated = serve(powers=powers, onu_hardware=hardware)
    here = open_olt(emulated).optical(CUSTOMER)
    there = open_olt(emulated, platform="huawei_smartax", routes="cli").optical(CUSTOMER)
    assert here.complete
    assert there.complete
    for name, reading in here.powers.items():
        other = there.powers[name]
        assert reading.value is not None
        assert other.value is not None
        assert abs(reading.value - other.value).value <= 0.5, name
        assert reading.source is not None
        assert reading.source.startswith("netconf: ")


def test_what_the_olt_does_not_show_is_absent_and_the_command_line_completes_it(serve: Serve, open_olt: Open) -> None:
    emulated = serve(onu_hardware="none")
    alone = open_olt(emulated).optical(CUSTOMER)
    assert alone.onu_rx_dbm.absence is alone.onu_tx_dbm.absence is Absence.NOT_REPORTED
    assert alone.olt_tx_dbm.value is not None
    both = open_olt(emulated, platform="huawei_smartax", routes="netconf, cli").optical(CUSTOMER)
    assert both.complete
    roads = {name: (reading.source or "").partition(":")[0] for name, reading in both.powers.items()}
    assert roads == {"olt_tx_dbm": "netconf", "olt_rx_dbm": "netconf", "onu_tx_dbm": "cli", "onu_rx_dbm": "cli"}


def test_the_old_leaves_are_refused_unless_somebody_says_what_they_count(
    serve: Serve, open_olt: Open, tmp_path: Path
) -> None:
    emulated = serve(powers="old_microwatts")
    reading = open_olt(emulated).optical(CUSTOMER)
    assert reading.olt_tx_dbm.absence is reading.onu_rx_dbm.absence is Absence.UNSUPPORTED
    assert "tenths of a milliwatt or of a microwatt" in (reading.onu_rx_dbm.printed or "")
    profile = tmp_path / "acme.toml"
    profile.write_text('name = "acme"\npower_unit = "0.1 uW"\n', encoding="utf-8")
    told = open_olt(emulated, netconf={"profile": str(profile)}).optical(CUSTOMER)
    assert told.complete
    there = open_olt(emulated, platform="huawei_smartax", routes="cli").optical(CUSTOMER)
    assert told.onu_rx_dbm.value is not None
    assert there.onu_rx_dbm.value is not None
    assert abs(told.onu_rx_dbm.value - there.onu_rx_dbm.value).value <= 0.5


def test_a_test_onu_whose_transceiver_is_the_only_one_alive_is_read(serve: Serve, open_olt: Open) -> None:
    emulated = serve(onu_hardware="plain")
    for serial in [each for each, ont in emulated.world.onts.items() if str(each) != BBF.serial]:
        emulated.world.pull_out(serial)
    result = open_olt(emulated).measure(ORDER)
    assert result.readings[0].complete
    assert "the only ONU" in (result.readings[0].onu_rx_dbm.source or "")


def test_among_others_that_are_alive_it_is_not_guessed(serve: Serve, open_olt: Open) -> None:
    result = open_olt(serve(onu_hardware="plain")).measure(ORDER)
    assert result.readings[0].onu_rx_dbm.absence is Absence.NOT_REPORTED
    assert result.verdict is not None
    assert result.verdict.outcome is Outcome.UNDETERMINED
    assert result.clean


# ---------------------------------------------------------------------- both roads of one OLT


def test_a_vendors_olt_registers_by_netconf_where_that_is_asked_for(serve: Serve, open_olt: Open) -> None:
    emulated = serve()
    before = emulated.snapshot()
    session = open_olt(emulated, platform="huawei_smartax", netconf={"changes": True})
    with session.activate(ORDER) as onu:
        assert onu.wait_online(20)
        by_cli = open_olt(emulated, platform="huawei_smartax", routes="cli")
        seen = by_cli.onu_state(onu.ref)
        assert seen is not None
        assert seen.serial == ORDER.auth.serial
        assert onu.registration.mark in (seen.description or ""), "the command line sees whose it is"
    assert emulated.snapshot() == before


def test_somebody_elses_lock_is_waited_for_and_named(serve: Serve, open_olt: Open) -> None:
    emulated = serve()
    before = emulated.snapshot()
    emulated.netconf.stores.lock("candidate", 4711)
    with pytest.raises(ResourceBusy, match="4711"):
        open_olt(emulated, busy_wait_s=0.5).measure(ORDER)
    emulated.netconf.stores.unlock("candidate", 4711)
    assert emulated.snapshot() == before


# ---------------------------------------------------------------------- awkward servers


@pytest.mark.parametrize("versions", [["1.0"], ["1.0", "1.1"]], ids=["end of message", "chunks"])
def test_chinese_text_in_awkward_pieces_changes_nothing(serve: Serve, open_olt: Open, versions: list[str]) -> None:
    emulated = serve(versions=versions, chunk_bytes=7, description="光交箱07号 {port} 口")
    result = open_olt(emulated).measure(ORDER)
    assert result.clean
    assert result.readings[0].complete


def test_without_get_data_nobody_tells_whose_a_found_transceiver_is(serve: Serve, open_olt: Open) -> None:
    # a server that knows only <get> leaves the classes and parents of what it found out
    result = open_olt(serve(get_data=False)).measure(ORDER)
    assert result.readings[0].olt_rx_dbm.value is not None
    assert result.readings[0].onu_rx_dbm.absence is Absence.NOT_REPORTED


# ---------------------------------------------------------------------- which OLT it is, and what nobody may see


def test_an_olt_without_a_name_is_known_by_its_host_key(serve: Serve, open_olt: Open) -> None:
    mine, other = (serve(without_modules={"ietf-system"}) for _ in range(2))
    session = open_olt(mine)
    with session.activate(ORDER) as onu:
        onu.keep()
    with pytest.raises(RevokeError, match=r"SHA256:.* has nothing of it, which proves nothing"):
        open_olt(other).revoke(onu.run_id)
    assert not session.revoke(onu.run_id).already_absent


def test_both_platforms_of_one_address_have_sessions_of_their_own(serve: Serve, tmp_path: Path) -> None:
    emulated = serve()
    given: dict[str, Any] = {
        "username": emulated.username,
        "password": SecretStr(emulated.password),
        "netconf": NetconfEntry(port=emulated.netconf_port),
        "known_hosts": tmp_path / "known_hosts",
    }
    # no port is named, so both have the same host, port, access and user
    with connect(emulated.host, platform="bbf_xpon", **given) as alone:
        assert alone.facts().netconf is not None
        with connect(emulated.host, platform="huawei_smartax", **given) as both:
            assert both._engine.transport is not alone._engine.transport
            assert both._engine.netconf is not None
            assert alone._engine.netconf is not None
            assert both._engine.netconf.transport is alone._engine.netconf.transport, "NETCONF is the same session"


def test_what_others_register_by_stands_in_no_transcript(serve: Serve, open_olt: Open) -> None:
    emulated = serve(authentication="as-per-v-ani-expected")
    emulated.world.register("0/1/0", 9, password="CUSTOMERPW", line_profile=20, service_profile=20)
    emulated.world.register("0/1/0", 10, loid="CUSTOMER-LOID", line_profile=20, service_profile=20)
    session = open_olt(emulated)
    order = ORDER.model_copy(update={"auth": OnuAuth(loid=Loid(value=SecretStr("OUR-OWN-LOID")))})
    plan = session.plan(order)  # without a serial every ONU's secret is read, to find a namesake
    said = session.transcript.text()
    assert "expected-loid" in said
    for secret in ("CUSTOMERPW", b"CUSTOMERPW".hex(), "CUSTOMER-LOID"):
        assert secret.casefold() not in said.casefold()
    assert plan.registration.onu.onu_id not in {9, 10}
