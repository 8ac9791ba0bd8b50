"""Huawei over SNMP: from dictionaries, from recorded walks, and end to end against the emulated OLTs."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ponprobe.connect import connect
from ponprobe.dialect import SnmpDialect
from ponprobe.drivers.columns import oid
from ponprobe.drivers.huawei import snmp_tables as mib
from ponprobe.drivers.huawei.snmp import HuaweiSnmp
from ponprobe.drivers.huawei.snmp_index import EPON, GPON, MA5608T_SNMP, SMARTAX_SNMP, XGPON, if_index, pon_port
from ponprobe.emulator import EmulatedOlt, Lab, Scenario, serve
from ponprobe.emulator.snmp import serve_walk
from ponprobe.errors import NotFound, NotSupported, ParseError
from ponprobe.flow import Missing, SnmpGet, SnmpReply
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.device import OltFacts
from ponprobe.models.optical import Absence, Dbm
from ponprobe.transports.snmp import SnmpSettings, open_snmp

NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)
P = PonPort.parse("0/1/0")
I = if_index(P)  # noqa: E741 - as the MIB has it
X = mib.X
NAME = oid("1.3.6.1.2.1.31.1.1.1.1")
SN = bytes.fromhex("485754430B086EA9")
NO = 2_147_483_647
SNMP = HuaweiSnmp()


class Answers:
    """An agent made of a dictionary; ``lacks`` are columns that it does not know."""

    def __init__(self, values: Mapping[Any, Any], *lacks: tuple[int, ...]) -> None:
        self.values = dict(sorted(values.items()))
        self.lacks = lacks
        self.asked: list[Any] = []

    def _get(self, one: tuple[int, ...]) -> Any:
        if any(one[: len(lack)] == lack for lack in self.lacks):
            return Missing.NO_SUCH_OBJECT
        return self.values.get(one, Missing.NO_SUCH_INSTANCE)

    def run(self, flow: Generator[Any, Any, Any]) -> Any:
        try:
            request = next(flow)
            while True:
                self.asked.append(request)
                if isinstance(request, SnmpGet):
                    values = {one: self._get(one) for one in request.oids}
                else:
                    skip = len(request.prefix)
                    values = {one: value for one, value in self.values.items() if one[:skip] == request.prefix}
                request = flow.send(SnmpReply(request, values, NOW))
        except StopIteration as end:
            return end.value

    def asked_of(self, table: int) -> list[Any]:
        """Requests that touch a table of HUAWEI-XPON-MIB."""
        prefix = (*X, table)
        firsts = [request.oids if isinstance(request, SnmpGet) else (request.column,) for request in self.asked]
        return [
            request
            for request, oids in zip(self.asked, firsts, strict=True)
            if any(one[: len(prefix)] == prefix for one in oids)
        ]


def table(number: int, index: tuple[int, ...], **columns: Any) -> dict[tuple[int, ...], Any]:
    """``_3=value`` is column 3."""
    return {(*X, number, 1, int(name[1:]), *index): value for name, value in columns.items()}


def ont(onu_id: int, *, run: int = 1, serial: bytes = SN, **optics: Any) -> dict[tuple[int, ...], Any]:
    index = (I, onu_id)
    found = table(43, index, _2=1, _3=serial, _7=b"L", _8=b"S", _9=b"House")
    found |= table(46, index, _1=1, _15=run, _16=2, _18=1, _20=1234, _24=13, _30=SN)
    found |= table(45, index, _4=b"HG8546M")
    return found | table(51, index, **({"_1": 46, "_2": 14, "_3": 213, "_4": -1414, "_5": 3300, "_6": 8064} | optics))


PORT = {(*NAME, I): b"GPON 0/1/0"} | table(23, (I,), _1=38, _2=326, _3=16, _4=718, _5=NO)
PORT |= table(21, (I,), _10=1, _13=1, _16=2)


# ---------------------------------------------------------------------- numbers of interfaces


@pytest.mark.parametrize(
    ("port", "kind", "index"),
    [
        ("0/0/0", GPON, 4194304000),
        ("0/1/0", GPON, 4194312192),
        ("0/1/15", GPON, 4194316032),
        ("0/2/0", GPON, 4194320384),
        ("0/5/1", GPON, 4194345216),
        ("0/0/0", EPON, 4227858432),
        ("0/0/0", XGPON, 0xFE000000),
    ],
)
def test_interface_numbers(port, kind, index):
    assert if_index(PonPort.parse(port), kind) == index
    assert pon_port(index) == pon_port(index - 2**32) == PonPort.parse(port)


def test_numbers_that_are_no_pon_port():
    for index in (234938368, 128, 4194304001):
        with pytest.raises(ValueError, match="is not the number of a PON port"):
            pon_port(index)
    with pytest.raises(ValueError, match="is not a port of a SmartAX"):
        if_index(PonPort.parse("0/1/32"))


def test_a_port_is_confirmed_by_its_name():
    agent = Answers(PORT)
    assert agent.run(SNMP.place(P)).index == I
    assert len(agent.asked) == 1
    with pytest.raises(NotFound, match="0/1/9 does not exist"):
        agent.run(SNMP.place(PonPort.parse("0/1/9")))
    with pytest.raises(NotFound, match="0/1/77"):
        agent.run(SNMP.place(PonPort.parse("0/1/77")))
    with pytest.raises(ParseError, match="named GPON 0/2/0, but its number says 0/1/0"):
        Answers({(*NAME, I): b"GPON 0/2/0"}).run(SNMP.place(P))
    with pytest.raises(ParseError, match="another kind"):
        Answers({(*NAME, I): b"EPON 0/1/0"}).run(SNMP.place(P))
    with pytest.raises(ParseError, match="is named b'customer'"):
        Answers({(*NAME, I): b"customer"}).run(SNMP.place(P))
    with pytest.raises(NotSupported, match="no interface names"):
        Answers({}).run(SNMP.place(P))


def test_a_kind_of_port_that_nobody_knows_is_found_by_its_name():
    index = if_index(P, 124)
    agent = Answers({(*NAME, index): b"XGSPON 0/1/0", (*NAME, 128): b"InLoopBack0"})
    place = agent.run(SNMP.place(P))
    assert (place.index, place.kind) == (index, GPON)


# ---------------------------------------------------------------------- the OLT


SYSTEM = {
    mib.SYS_OBJECT_ID: oid("1.3.6.1.4.1.2011.2.248"),
    mib.SYS_UPTIME: 8_640_000 + 6_100,
    mib.SYS_NAME: b"OLT-1",
    mib.VERSION: b"MA5608V800R015C00B053",
}


def test_facts_and_the_manners_of_a_model():
    facts = Answers(SYSTEM).run(SNMP.facts())
    assert facts == OltFacts(
        model="MA5608T",
        version="MA5608V800R015C00B053",
        hostname="OLT-1",
        uptime="1 day(s), 0 hour(s), 1 minute(s), 1 second(s)",
    )
    assert SNMP.adapted_to(facts).dialect is MA5608T_SNMP
    assert not MA5608T_SNMP.use_bulk
    assert MA5608T_SNMP.slow_timeout_s > SMARTAX_SNMP.slow_timeout_s
    assert SNMP.adapted_to(OltFacts(model="MA5800-X7")) is SNMP


def test_facts_of_others():
    values = SYSTEM | {mib.SYS_OBJECT_ID: oid("1.3.6.1.4.1.2011.2.9999"), mib.OLD_VERSION: b"MA5600V800R008"}
    del values[mib.VERSION]
    facts = Answers(values).run(SNMP.facts())
    assert (facts.model, facts.version) == (None, "MA5600V800R008")
    for other in (oid("1.3.6.1.4.1.3902.1082.1001.320.2.1"), Missing.NO_SUCH_OBJECT):
        with pytest.raises(NotSupported, match="no Huawei SmartAX"):
            Answers(SYSTEM | {mib.SYS_OBJECT_ID: other}).run(SNMP.facts())


def test_boards():
    slots = oid("1.3.6.1.4.1.2011.6.3.3.2.1")
    values = {(*slots, 21, 0, 1): b"H805GPFD", (*slots, 8, 0, 1): 2, (*slots, 21, 0, 2): b"", (*slots, 8, 0, 2): 1}
    (board,) = Answers(values | {(*slots, 21, 1, 3): b"X", (*slots, 8, 1, 3): 99}).run(SNMP.boards())[:1]
    assert (board.frame, board.slot, board.board, board.status) == (0, 1, "H805GPFD", "normal")
    assert Answers({(*slots, 21, 1, 3): b"X", (*slots, 8, 1, 3): 99}).run(SNMP.boards())[0].status == "unknown(99)"
    with pytest.raises(NotSupported, match="no boards"):
        Answers({}).run(SNMP.boards())


# ---------------------------------------------------------------------- optics


def test_the_four_powers():
    agent = Answers(PORT | ont(7))
    reading = agent.run(SNMP.optical(P.onu(7)))
    assert {name: power.value for name, power in reading.powers.items()} == {
        "olt_tx_dbm": Dbm(7.18),
        "olt_rx_dbm": Dbm(-19.36),
        "onu_tx_dbm": Dbm(2.13),
        "onu_rx_dbm": Dbm(-14.14),
    }
    assert (reading.temperature_c, reading.voltage_v, reading.bias_ma) == (46, 3.3, 14)
    assert all(power.at == NOW for power in reading.powers.values())
    assert reading.olt_tx_dbm.source == f"snmp: get 1.3.6.1.4.1.2011.6.128.1.1.2.23.1.4.{I} (+1)"
    assert reading.onu_rx_dbm.source == f"snmp: get 1.3.6.1.4.1.2011.6.128.1.1.2.51.1.6.{I}.7 (+5)"
    # what the OLT asks of the ONT waits longer than what it knows
    assert [request.timeout_s for request in agent.asked] == [None, None, SMARTAX_SNMP.slow_timeout_s]


@pytest.mark.parametrize(
    ("raw", "absence"),
    [
        (NO, Absence.NOT_REPORTED),
        (-1, Absence.NOT_REPORTED),
        (0, Absence.NOT_REPORTED),
        (-6000, Absence.OUT_OF_RANGE),
        (600, Absence.OUT_OF_RANGE),
        (b"", Absence.GARBLED),
        (Missing.NO_SUCH_INSTANCE, Absence.NOT_REPORTED),
        (Missing.NO_SUCH_OBJECT, Absence.UNSUPPORTED),
    ],
)
def test_what_is_no_power(raw, absence):
    reading = Answers(PORT | ont(7, _4=raw)).run(SNMP.optical(P.onu(7)))
    assert (reading.onu_rx_dbm.value, reading.onu_rx_dbm.absence) == (None, absence)
    assert reading.onu_tx_dbm.value == Dbm(2.13)


def test_a_column_that_means_something_else_is_no_power():
    # a site's claim that column 5 is the launch power: read as millivolts it is impossible, and column 3 as dBm is, too
    reading = Answers(PORT | ont(7, _3=3300, _5=213)).run(SNMP.optical(P.onu(7)))
    assert reading.onu_tx_dbm.absence is Absence.OUT_OF_RANGE
    assert reading.voltage_v is None


def test_a_module_that_could_not_be_read():
    reading = Answers(PORT | ont(7, _1=0, _2=0, _3=0, _4=0, _5=0, _6=0)).run(SNMP.optical(P.onu(7)))
    assert not any(power.value for name, power in reading.powers.items() if name != "olt_tx_dbm")
    assert reading.temperature_c is reading.voltage_v is reading.bias_ma is None


@pytest.mark.parametrize(
    ("run", "absence"), [(2, Absence.OFFLINE), (-1, Absence.NOT_READ), (NO, Absence.NOT_READ), (9, Absence.NOT_READ)]
)
def test_nothing_is_asked_of_an_ont_that_is_not_online(run, absence):
    agent = Answers(PORT | ont(7, run=run))
    reading = agent.run(SNMP.optical(P.onu(7)))
    assert reading.onu_rx_dbm.absence is reading.onu_tx_dbm.absence is reading.olt_rx_dbm.absence is absence
    assert reading.onu_rx_dbm.source.startswith("snmp: get")
    assert reading.olt_tx_dbm.value == Dbm(7.18)
    state = agent.run(SNMP.onu_state(P.onu(7)))
    assert (state.distance_m, state.onu_type) == (None, None)
    assert state.absent["distance_m"] is state.absent["onu_type"] is absence
    assert agent.run(SNMP.macs(P.onu(7))) == ()
    assert not agent.asked_of(51)
    assert not agent.asked_of(45)
    assert not agent.asked_of(130)


def test_a_port_asks_only_its_own_onts_that_are_online():
    other = (if_index(PonPort.parse("0/1/1")), 3)
    values = PORT | ont(9) | ont(2, run=2) | ont(0) | table(46, other, _15=1) | table(51, other, _4=-1000)
    agent = Answers(values)
    readings = agent.run(SNMP.optical_port(P))
    assert [(str(each.onu), each.complete) for each in readings] == [
        ("0/1/0:0", True),
        ("0/1/0:2", False),
        ("0/1/0:9", True),
    ]
    assert [{one[-1] for one in request.oids} for request in agent.asked_of(51)] == [{0}, {9}]
    assert agent.run(SNMP.optical_board(0, 1)) == readings
    assert agent.run(SNMP.optical_board(0, 2)) == ()


def test_places_without_an_onu():
    agent = Answers(PORT | ont(7))
    with pytest.raises(NotFound, match="0/1/0:8 does not exist"):
        agent.run(SNMP.optical(P.onu(8)))
    assert agent.run(SNMP.onu_state(P.onu(8))) is None
    assert agent.run(SNMP.macs(P.onu(8))) == ()


def test_a_pon_port():
    found = Answers(PORT).run(SNMP.pon_port(P))
    assert found.olt_tx_dbm.value == found.optical.olt_tx_dbm == Dbm(7.18)
    assert (found.optical.module_state, found.optical.port_state) == ("online", "online")
    assert (found.optical.temperature_c, found.optical.voltage_v, found.optical.bias_ma) == (38, 3.26, 16)
    dark = Answers(PORT | table(23, (I,), _4=NO)).run(SNMP.pon_port(P))
    assert dark.olt_tx_dbm.absence is dark.optical.absent["olt_tx_dbm"] is Absence.NOT_REPORTED
    older = Answers(PORT, (*X, 23)).run(SNMP.pon_port(P))
    assert older.olt_tx_dbm.absence is Absence.UNSUPPORTED


# ---------------------------------------------------------------------- ONUs


def test_one_onu():
    state = Answers(PORT | ont(7)).run(SNMP.onu_state(P.onu(7)))
    assert state.model_dump(exclude_none=True, exclude={"absent"}) == {
        "onu": P.onu(7).model_dump(),
        "serial": Serial("HWTC0B086EA9"),
        "run_state": "online",
        "config_state": "normal",
        "match_state": "match",
        "admin_state": "active",
        "auth_type": "SN-auth",
        "onu_type": "HG8546M",
        "description": "House",
        "distance_m": 1234.0,
        "last_down_cause": "dying-gasp",
        "line_profile": "L",
        "service_profile": "S",
    }
    assert not state.absent


def test_a_state_that_the_mib_does_not_name():
    values = ont(7) | table(46, (I, 7), _16=44, _24=99, _18=-1)
    state = Answers(PORT | values).run(SNMP.onu_state(P.onu(7)))
    assert (state.config_state, state.last_down_cause) == ("unknown(44)", "unknown(99)")
    assert (state.match_state, state.absent["match_state"]) == (None, Absence.NOT_REPORTED)


def test_the_onus_of_a_port():
    agent = Answers(PORT | ont(3) | ont(1, run=2, serial=bytes(8)))
    one, three = agent.run(SNMP.onus(P))
    assert (str(one.onu), one.online, str(three.onu), three.online) == ("0/1/0:1", False, "0/1/0:3", True)
    # registered by password: the serial is the one that it showed
    assert one.serial == Serial("HWTC0B086EA9")
    assert "serial" not in one.absent
    assert all(request.index == (I,) for request in agent.asked if not isinstance(request, SnmpGet))


def test_an_onu_without_any_serial():
    values = PORT | ont(1, serial=b"") | table(46, (I, 1), _30=bytes(8))
    (state,) = Answers(values).run(SNMP.onus(P))
    assert (state.serial, state.absent["serial"]) == (None, Absence.NOT_REPORTED)


def test_an_empty_table_is_believed_only_with_the_count():
    empty = PORT | table(21, (I,), _16=0)
    assert Answers(empty).run(SNMP.onus(P)) == Answers(empty).run(SNMP.optical_port(P)) == ()
    assert Answers(empty).run(SNMP.find(Serial("HWTC0B086EA9"))) is None
    for question in (SNMP.onus, SNMP.optical_port, lambda _: SNMP.find(Serial("HWTC0B086EA9"))):
        with pytest.raises(NotSupported, match="counts 2"):
            Answers(PORT).run(question(P))
        with pytest.raises(NotSupported, match="does not say that there is none"):
            Answers(PORT | table(21, (I,), _16=-1)).run(question(P))


@pytest.mark.parametrize(
    ("question", "lack"),
    [
        (lambda: SNMP.discovered(P), 48),
        (SNMP.discovered, 48),
        (lambda: SNMP.conflicts(Serial("HWTC0B086EA9")), 52),
        (lambda: SNMP.onu_state(P.onu(8)), 43),
        (lambda: SNMP.optical(P.onu(8)), 46),
        (lambda: SNMP.macs(P.onu(7)), 130),
    ],
)
def test_a_table_that_the_device_does_not_have_is_not_an_empty_one(question, lack):
    with pytest.raises(NotSupported, match="does not tell"):
        Answers(PORT | ont(7), (*X, lack)).run(question())


def test_find():
    other = if_index(PonPort.parse("0/1/1"))
    values = PORT | ont(4, serial=bytes.fromhex("4857544300000001")) | {(*NAME, other): b"GPON 0/1/1"}
    values |= table(21, (other,), _16=0)
    agent = Answers(values | table(46, (I, 4), _30=bytes(8)))
    assert agent.run(SNMP.find(Serial("HWTC00000001"))).onu == P.onu(4)
    assert agent.run(SNMP.find(Serial("HWTC00000009"))) is None
    # one port after the other, never the whole table
    assert {request.index for request in agent.asked_of(43) if not isinstance(request, SnmpGet)} == {(I,), (other,)}
    hidden = Answers(PORT | ont(4, serial=bytes(8)))
    assert hidden.run(SNMP.find(Serial("HWTC0B086EA9"))).onu == P.onu(4)


def test_waiting_onus():
    row = table(48, (I, 0), _2=SN, _3=b"12345\0\0\0\0\0", _4=b"HWTC", _5=b"10C7.A", _7=b"HG8546M", _9=b"")
    row |= table(48, (I, 0), _8=bytes.fromhex("07EA0301080000002B0800"))
    agent = Answers(PORT | row)
    (onu,) = agent.run(SNMP.discovered(P))
    assert agent.run(SNMP.discovered()) == (onu,)
    assert (onu.port, onu.serial, onu.model, onu.found_at) == (
        P,
        Serial("HWTC0B086EA9"),
        "HG8546M",
        "2026-03-01 08:00:00+08:00",
    )
    assert onu.password.get_secret_value() == "12345"
    assert "12345" not in repr(onu)
    assert onu.absent == {"loid": Absence.NOT_REPORTED}
    assert Answers(PORT).run(SNMP.discovered(P)) == Answers(PORT).run(SNMP.discovered()) == ()


def test_conflicts():
    serial = Serial("HWTC0B086EA9")
    log = table(52, (I, 0), _2=SN, _3=3, _4=bytes(8), _5=I - 2**32, _6=7)
    log |= table(52, (I, 1), _2=SN, _3=9, _4=bytes(8), _5=-1, _6=-1)
    log |= table(52, (I, 2), _2=bytes.fromhex("4857544300000001"), _3=3, _5=I, _6=8)
    (conflict,) = Answers(PORT | log).run(SNMP.conflicts(serial))
    assert (conflict.serial, conflict.result, conflict.registered_at) == (serial, "sn conflict", P.onu(7))
    assert (conflict.logged_at, conflict.absent) == (None, {"logged_at": Absence.NOT_REPORTED})
    assert Answers(PORT).run(SNMP.conflicts(serial)) == ()


# ---------------------------------------------------------------------- services


def flow(number: int, **columns: Any) -> dict[tuple[int, ...], Any]:
    base = {2: 0, 3: 1, 4: 0, 5: 7, 6: 1, 7: 4, 8: 2000, 11: 1, 12: 3001, 14: 1, 18: 3, 25: 3001}
    base |= {int(name[1:]): value for name, value in columns.items()}
    return {(*oid("1.3.6.1.4.1.2011.5.14.5.2.1"), column, number): value for column, value in base.items()}


def test_service_ports():
    values = PORT | flow(5) | flow(6, _5=8, _12=0xFFFF, _18=2, _25=17) | flow(7, _5=-1, _11=255, _12=0xFFFE)
    values |= flow(8, _4=1) | flow(9, _2=1) | flow(10, _7=6) | flow(11, _7=1)
    agent = Answers(values)
    first, second, third = agent.run(SNMP.service_ports(P))
    assert (first.index, first.svlan, first.cvlan, first.inner_vlan) == (5, 2000, 3001, 3001)
    assert (first.onu, first.gemport, first.state, first.tag_transform) == (P.onu(7), 1, "up", "translate-and-add")
    assert first.flow_type == "vlan"
    # a tag that is only translated has no inner VLAN, whatever the column says
    assert (second.onu, second.cvlan, second.inner_vlan, second.flow_type) == (P.onu(8), None, None, "untag")
    assert (third.onu, third.cvlan, third.flow_type) == (None, None, "single")
    assert [each.index for each in agent.run(SNMP.service_ports(P.onu(7)))] == [5]
    assert Answers(PORT).run(SNMP.service_ports(P)) == ()
    with pytest.raises(NotSupported, match="service ports"):
        Answers(PORT, oid("1.3.6.1.4.1.2011.5")).run(SNMP.service_ports(P))


def test_macs():
    question = mib.macs_oid(I, 7)
    assert question[len(X) :] == (130, 1, 8, I, 1, 0, 3, 7, 47, 0, 0)
    record = bytes.fromhex("2f010bb900e0fc1234562f02ffff00e0fc123457")
    found = Answers(PORT | ont(7) | {question: record}).run(SNMP.macs(P.onu(7)))
    assert [(each.mac, each.vlan, each.onu) for each in found] == [
        ("00:e0:fc:12:34:56", 3001, P.onu(7)),
        ("00:e0:fc:12:34:57", None, P.onu(7)),
    ]
    assert Answers(PORT | ont(7)).run(SNMP.macs(P.onu(7))) == ()
    with pytest.raises(ParseError, match="9 octets"):
        Answers(PORT | ont(7) | {question: record[:9]}).run(SNMP.macs(P.onu(7)))


# ---------------------------------------------------------------------- EPON


@pytest.mark.parametrize(("tx", "rx"), [(210, -1850), (10_210, 8150)])
def test_an_epon_power_is_read_in_the_scale_that_is_possible(tx, rx):
    index = if_index(P, EPON)
    values = {(*NAME, index): b"EPON 0/1/0"} | table(33, (index,), _4=350) | table(57, (index, 3), _15=1, _19=900)
    values |= table(53, (index, 3), _3=bytes.fromhex("543e6496f469"), _9=b"D")
    values |= table(104, (index, 3), _1=8000, _2=40, _3=12, _4=tx, _5=rx, _6=3300)
    agent = Answers(values)
    reading = agent.run(SNMP.optical(P.onu(3)))
    assert {name: power.value for name, power in reading.powers.items()} == {
        "olt_tx_dbm": Dbm(3.5),
        "olt_rx_dbm": Dbm(-20),
        "onu_tx_dbm": Dbm(2.1),
        "onu_rx_dbm": Dbm(-18.5),
    }
    state = agent.run(SNMP.onu_state(P.onu(3)))
    assert (state.mac, state.distance_m, state.serial) == ("54:3e:64:96:f4:69", 900, None)
    assert agent.run(SNMP.pon_port(P)).olt_tx_dbm.value == Dbm(3.5)
    with pytest.raises(NotSupported, match="EPON"):
        agent.run(SNMP.macs(P.onu(3)))


def test_both_scales_of_an_epon_power_never_fit_at_once():
    for column in (mib.EPON_TABLES.onu_tx, mib.EPON_TABLES.onu_rx):
        plain, shifted = column.ways
        for raw in range(-5000, 12_000):
            fits = [way.read(raw)[0] is not None for way in (plain, shifted)]
            assert sum(fits) <= 1, raw
    assert mib.EPON_TABLES.onu_tx.read(3000) == (None, Absence.OUT_OF_RANGE)


# ---------------------------------------------------------------------- recorded walks


class Route:
    """A real transport, driven as an engine would."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.requests = 0

    def run(self, flow: Generator[Any, Any, Any]) -> Any:
        try:
            request = next(flow)
            while True:
                self.requests += 1
                get = isinstance(request, SnmpGet)
                request = flow.send(self.session.get(request) if get else self.session.walk(request))
        except StopIteration as end:
            return end.value


@pytest.fixture(params=["pysnmp", "gufo"])
def backend(request: pytest.FixtureRequest) -> str:
    """Each library in turn."""
    if request.param == "gufo":
        pytest.importorskip("gufo.snmp")
    return str(request.param)


def route_to(host: str, port: int, community: str, backend: Any, dialect: SnmpDialect = SMARTAX_SNMP) -> Any:
    settings = SnmpSettings(host=host, port=port, community=SecretStr(community))
    return open_snmp(settings, dialect, backend=backend)


def test_a_real_ma5603t(shared, backend):
    agent = serve_walk(shared / "walks" / "librenms_smartax.snmprec")
    try:
        with route_to("127.0.0.1", agent.port, "public", backend) as session:
            route = Route(session)
            facts = route.run(SNMP.facts())
            assert (facts.model, facts.version) == ("MA5603T", "MA5603V800R018C10B085")
            places = route.run(SNMP.pon_ports())
            assert [str(place.port) for place in places] == [
                f"0/{slot}/{port}" for slot in (0, 1) for port in range(16)
            ]
            assert all(if_index(place.port) == place.index for place in places)
            boards = route.run(SNMP.boards())
            assert [(board.slot, board.board, board.status) for board in boards] == [
                (0, "H805GPFD", "normal"),
                (1, "H805GPFD", "normal"),
                (7, "H802SCUN", "normal"),
                (8, "H802X2CS", "normal"),
            ]
            ports = [route.run(SNMP.pon_port(place.port)) for place in places]
            powers = [port.olt_tx_dbm.value.value for port in ports]
            assert (len(powers), min(powers), max(powers)) == (32, 6.93, 7.36)
            for name, low, high in (("temperature_c", 28, 43), ("voltage_v", 3.17, 3.24), ("bias_ma", 32, 48)):
                values = [getattr(port.optical, name) for port in ports]
                assert (min(values), max(values)) == (low, high)
            # no ONT is in this record, though the device counts eleven: that is not an empty port
            with pytest.raises(NotSupported, match="counts 11"):
                route.run(SNMP.onus(PonPort.parse("0/0/15")))
            assert route.run(SNMP.onus(PonPort.parse("0/0/0"))) == ()
            assert route.run(SNMP.optical_port(PonPort.parse("0/1/3"))) == ()
    finally:
        agent.close()


def test_a_real_ma5800s_receiver(shared):
    lines = (shared / "walks" / "fragment_ma5800_hertzbeat4358.txt").read_text().splitlines()
    rows = [re.match(r"iso\.(?P<oid>[\d.]+) = INTEGER: (?P<value>\d+)", line) for line in lines]
    values: dict[tuple[int, ...], Any] = {oid("1." + row["oid"]): int(row["value"]) for row in rows if row}
    onts = [one[-2:] for one in values]
    assert len(onts) == 8
    # its names and run states are not in the fragment
    values |= {(*NAME, index): f"GPON {pon_port(index)}".encode() for index, _ in onts}
    values |= {(*X, 46, 1, 15, *ont_): 1 for ont_ in onts}
    found = {str(each.onu): each.olt_rx_dbm for each in Answers(values).run(SNMP.optical_board(0, 5))}
    assert {onu: power.value and power.value.value for onu, power in found.items()} == {
        "0/5/0:0": None,
        "0/5/1:0": -12.25,
        "0/5/1:1": -15.87,
        "0/5/1:14": -14.35,
        "0/5/1:18": -13.7,
        "0/5/2:1": None,
        "0/5/2:3": None,
        "0/5/2:4": None,
    }
    assert {power.absence for power in found.values() if power.value is None} == {Absence.NOT_REPORTED}


# ---------------------------------------------------------------------- the emulated OLTs


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with serve("demo_huawei") as served:
        yield served


@pytest.fixture(params=["ma5683t", "ma5800"])
def olt(request: pytest.FixtureRequest, lab: Lab) -> EmulatedOlt:
    return lab.olts[request.param]


@pytest.fixture
def route(olt: EmulatedOlt, backend: str) -> Iterator[Route]:
    with route_to(olt.host, olt.snmp_port, olt.snmp_community, backend) as session:
        yield Route(session)


@pytest.fixture
def cli(olt: EmulatedOlt, tmp_path: Path) -> Iterator[Any]:
    with connect(
        olt.host,
        platform="huawei_smartax",
        username=olt.username,
        password=SecretStr(olt.password),
        access="telnet",
        port=olt.telnet_port,
        journal=str(tmp_path / "journal.sqlite3"),
    ) as session:
        yield session


STATES = ("onu", "serial", "run_state", "config_state", "admin_state", "description")


def test_both_ways_say_the_same(olt, route, cli):
    facts = route.run(SNMP.facts())
    assert facts.hostname == cli.facts().hostname
    assert facts.model == olt.personality.product
    boards = route.run(SNMP.boards())
    assert [(each.slot, each.board) for each in boards] == [(each.slot, each.board) for each in cli.boards()]
    waiting = route.run(SNMP.discovered())
    assert {(each.port, each.serial) for each in waiting} == {(each.port, each.serial) for each in cli.discovered()}
    for port in (PonPort.parse("0/1/0"), PonPort.parse("0/1/1"), PonPort.parse("0/1/3")):
        mine, theirs = route.run(SNMP.onus(port)), cli.onus(port)
        assert [tuple(getattr(each, name) for name in STATES) for each in mine] == [
            tuple(getattr(each, name) for name in STATES) for each in theirs
        ]
        key = ("index", "svlan", "cvlan", "port", "onu", "gemport", "state")
        assert [tuple(getattr(each, name) for name in key) for each in route.run(SNMP.service_ports(port))] == [
            tuple(getattr(each, name) for name in key) for each in cli.service_ports(port)
        ]


def test_both_ways_measure_the_same(route, cli):
    port = PonPort.parse("0/1/0")
    powers = {each.onu: each for each in route.run(SNMP.optical_port(port))}
    states = {each.onu: each for each in cli.onus(port)}
    assert powers.keys() == states.keys()
    assert any(state.online for state in states.values())
    for onu, state in states.items():
        mine = powers[onu]
        if not state.online:
            assert mine.onu_rx_dbm.absence is Absence.OFFLINE
            continue
        theirs = cli.optical(onu)
        assert mine.complete
        for name, power in mine.powers.items():
            assert power.value.value == pytest.approx(theirs.powers[name].value.value, abs=0.4), name
        one = route.run(SNMP.optical(onu))
        assert one.onu_rx_dbm.value.value == pytest.approx(mine.onu_rx_dbm.value.value, abs=0.4)
        detail, page = route.run(SNMP.onu_state(onu)), cli.onu_state(onu)
        for name in (*STATES, "distance_m", "line_profile", "service_profile"):
            assert getattr(detail, name) == getattr(page, name), name
        assert route.run(SNMP.find(detail.serial)) == detail
        macs = {each.mac for each in route.run(SNMP.macs(onu))}
        assert macs == {each.mac for each in cli.macs(onu)}
    assert route.run(SNMP.find(Serial("HWTC00C0FFEE"))) is None


def test_a_serial_that_is_registered_elsewhere(backend):
    with serve("demo_huawei") as lab:
        olt = lab.olts["ma5683t"]
        waiting = Serial("HWTC0B086EA9")
        olt.world.register("0/1/3", 99, serial=waiting, line_profile=20, service_profile=20, description="Other")
        with route_to(olt.host, olt.snmp_port, olt.snmp_community, backend) as session:
            route = Route(session)
            assert route.run(SNMP.find(waiting)).onu == OnuRef.parse("0/1/3:99")
            (conflict,) = route.run(SNMP.conflicts(waiting))
            assert (conflict.result, conflict.registered_at) == ("sn conflict", OnuRef.parse("0/1/3:99"))


def test_an_ma5608t_is_asked_by_getnext_only():
    text = """
olts:
  - name: small
    personality: ma5800_r022
    hostname: SMALL
    boards: {1: {name: H901GPHF, ports: 4}}
    line_profiles: {10: {name: L}}
    service_profiles: {10: {name: S}}
    ports:
      0/1/0:
        splitters: [{name: A, ratio: 8, km: 1.0}]
        onus: [{id: 3, serial: HWTC0B086EA9, line_profile: 10, service_profile: 10, plugged: {splitter: A}}]
"""
    with serve(Scenario.parse(text)) as lab:
        olt = lab.olt
        olt.faults.snmp_getnext_only = True
        with route_to(olt.host, olt.snmp_port, olt.snmp_community, "auto", MA5608T_SNMP) as session:
            (state,) = Route(session).run(HuaweiSnmp(MA5608T_SNMP).onus(P))
        assert state.serial == Serial("HWTC0B086EA9")
        assert {request.kind for request in olt.snmp_requests} == {"get", "getnext"}


MIXED = """
olts:
  - name: one
    personality: ma5683t_r015
    hostname: ONE
    boards: {1: {name: H802EPBD, ports: 2, technology: epon}, 2: {name: H805GPFD, ports: 1}}
    line_profiles: {10: {name: L}}
    service_profiles: {10: {name: S}}
    ports:
      0/1/0:
        optics: PX20+
        splitters: [{name: A, ratio: 64, km: 1.0}]
        onus:
          - {id: 3, mac: 543e.6496.f469, line_profile: 10, service_profile: 10, plugged: {splitter: A}}
          - {id: 4, mac: 543e.6496.f470, line_profile: 10, service_profile: 10, last_down_cause: dying-gasp}
        onts: [{mac: bcf8.8b45.ebcc, splitter: A, model: E1}]
      0/2/0:
        splitters: [{name: B, ratio: 8, km: 1.0}]
        onus: [{id: 5, serial: HWTC0B086EA9, line_profile: 10, service_profile: 10, plugged: {splitter: B}}]
"""


def test_an_emulated_olt_with_both_technologies(backend):
    with serve(Scenario.parse(MIXED)) as lab:
        olt = lab.olt
        with route_to(olt.host, olt.snmp_port, olt.snmp_community, backend) as session:
            route = Route(session)
            up, down = route.run(SNMP.onus(P))
            assert (up.mac, up.run_state, down.mac, down.run_state) == (
                "54:3e:64:96:f4:69",
                "online",
                "54:3e:64:96:f4:70",
                "offline",
            )
            lit, dark = route.run(SNMP.optical_port(P))
            assert lit.complete
            assert dark.onu_rx_dbm.absence is Absence.OFFLINE
            # the line is passive: what is launched at one end arrives weaker at the other
            assert lit.olt_tx_dbm.value > lit.onu_rx_dbm.value
            assert lit.onu_tx_dbm.value > lit.olt_rx_dbm.value
            assert [(each.mac, each.model) for each in route.run(SNMP.discovered())] == [("bc:f8:8b:45:eb:cc", "E1")]
            assert route.run(SNMP.find(Serial("HWTC0B086EA9"))).onu == OnuRef.parse("0/2/0:5")


def test_a_build_without_the_optics_table(backend):
    with serve(Scenario.parse(MIXED)) as lab:
        olt = lab.olt
        olt.faults.snmp_no_such.add("1.3.6.1.4.1.2011.6.128.1.1.2.51")
        with route_to(olt.host, olt.snmp_port, olt.snmp_community, backend) as session:
            reading = Route(session).run(SNMP.optical(OnuRef.parse("0/2/0:5")))
    assert reading.olt_tx_dbm.value is not None
    assert {reading.onu_rx_dbm.absence, reading.onu_tx_dbm.absence, reading.olt_rx_dbm.absence} == {Absence.UNSUPPORTED}
