"""SNMP itself: versions, levels, limits, refusals; and what an agent does wrong when it is told to."""

from __future__ import annotations

import threading

import pytest

from ponprobe.emulator import Scenario, ScenarioError, SnmpUser, builtin_scenario, serve
from ponprobe.emulator.snmp import ber

SYS_DESCR, SYS_OBJECT, UPTIME, SYS_NAME = (f"1.3.6.1.2.1.1.{n}.0" for n in (1, 2, 3, 5))
IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"
RX = "1.3.6.1.4.1.2011.6.128.1.1.2.51.1.4"
PORT_10 = "4194312192"
AUTHS = ("sha1", "sha224", "sha256", "sha384", "sha512")
SMALL = """
olts:
  - name: one
    personality: ma5683t_r015
    hostname: ONE
    boards: {1: {name: H805GPFD, ports: 2}}
    snmp: SNMP
"""


def user(auth: str | None, priv: str | None) -> SnmpUser:
    name = f"{auth or 'open'}-{priv or 'plain'}"
    return SnmpUser(name, auth, f"auth of {name}" if auth else "", priv, f"priv of {name}" if priv else "")


USERS = [user(None, None)] + [user(auth, priv) for auth in AUTHS for priv in (None, "aes128", "aes256")]
TOOL_NAMES = {"sha1": "SHA", "sha224": "SHA-224", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}


@pytest.fixture(scope="module")
def secured():
    """A lab with a user of every kind."""
    each = [
        {"user": u.user, "auth": u.auth, "auth_key": u.auth_key, "priv": u.priv, "priv_key": u.priv_key} for u in USERS
    ]
    with serve(
        Scenario.parse(SMALL.replace("SNMP", str({"community": "c", "v3": each}).replace("None", "null")))
    ) as lab:
        yield lab.olt


# ---------------------------------------------------------------------- v2c


SAID = "{} Version {} Software, Copyright (c) by ZTE Corporation Compiled"
IDENTITIES = {
    "ma5683t": ("Huawei Integrated Access Software", "1.3.6.1.4.1.2011.2.133"),
    "ma5800": ("Huawei Integrated Access Software", "1.3.6.1.4.1.2011.2.300"),
    "c300": ("ZX Version V4.", "1.3.6.1.4.1.3902.1015.300.3.1"),
    "c320": (SAID.format("C320", "V2.1.0"), "1.3.6.1.4.1.3902.1082.1001.320.2.1"),
    "c600": (SAID.format("C600", "V2.0.10"), "1.3.6.1.4.1.3902.1082.1001.600.1.1"),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_who_it_is(demo_huawei, demo_zte, snmp, net_snmp, name):
    olt = (demo_huawei.olts | demo_zte.olts)[name]
    descr, object_id = IDENTITIES[name]
    found = snmp(olt).get(SYS_DESCR, SYS_OBJECT, UPTIME, SYS_NAME)
    assert found[:2] == [descr.encode(), object_id]
    assert found[2] // 100 == pytest.approx(olt.world.uptime_s, abs=60)
    assert found[3].decode() == olt.world.name
    assert descr in net_snmp("snmpget", "-v2c", "-c", "emulated", f"127.0.0.1:{olt.snmp_port}", SYS_DESCR)


@pytest.fixture(scope="session")
def demo_huawei(demo_lab):
    return demo_lab


def test_the_engine_time_of_zte_is_nonsense_and_huaweis_is_not(demo_lab, demo_zte, snmp):
    oid = "1.3.6.1.6.3.10.2.1.3.0"
    huawei, zte = (snmp(lab.olt).get(oid, UPTIME) for lab in (demo_lab, demo_zte))
    assert huawei[0] == pytest.approx(huawei[1] // 100, abs=1)
    assert zte[0] > 100 * zte[1] // 100


def test_three_ways_to_walk_give_the_same(demo_lab, snmp, net_snmp):
    client, where = snmp(demo_lab.olt), f"127.0.0.1:{demo_lab.olt.snmp_port}"
    rows = client.walk(IF_NAME)
    assert len(rows) == 24
    assert client.walk(IF_NAME, repeat=0) == rows
    printed = net_snmp("snmpbulkwalk", "-v2c", "-c", "emulated", where, IF_NAME)
    assert [line.split(" = ")[0][1:] for line in printed.splitlines()] == list(rows)


def test_a_whole_walk_is_in_order_and_ends(demo_lab, demo_zte, net_snmp):
    for olt in (*demo_lab.olts.values(), *demo_zte.olts.values()):
        printed = net_snmp("snmpbulkwalk", "-v2c", "-c", "emulated", "-Cr20", f"127.0.0.1:{olt.snmp_port}", "1.3")
        oids = [ber.parse_oid(line.split(" = ")[0]) for line in printed.splitlines() if "No more" not in line]
        assert len(oids) > 900
        assert oids == sorted(set(oids))
        assert "not increasing" not in printed


def test_repeaters_and_others_in_one_bulk(demo_lab, snmp):
    client = snmp(demo_lab.olt)
    found = client.bulk("1.3.6.1.2.1.1.1", IF_NAME, "1.3.6.1.2.1.2.2.1.3", fixed=1, repeat=3)
    assert [oid.rpartition(".")[0] for oid, _ in found] == ["1.3.6.1.2.1.1.1", *[IF_NAME, "1.3.6.1.2.1.2.2.1.3"] * 3]


def test_what_is_not_there(demo_lab, snmp):
    client = snmp(demo_lab.olt)
    assert client.get(f"{RX}.{PORT_10}.99", f"{RX}.33.28", "1.3.6.1.4.1.3902.1.0", "2.0") == [
        "no such instance",
        "no such instance",
        "no such object",
        "no such object",
    ]
    assert client.next("1.3.6.1.7", "2.1")[1][1] == "end of MIB"
    assert client.bulk("1.3.6.1.7", repeat=5) == [("1.3.6.1.7", "end of MIB")]


def test_an_answer_fits_a_frame(demo_lab, snmp, datagrams):
    client = datagrams(demo_lab.olt)
    client.send(client.request(ber.GET_BULK, 1, "1.3.6.1.2.1.2", second=500))
    data = client.recv()
    assert 1200 < len(data) <= 1472
    assert len(snmp(demo_lab.olt).bulk("1.3.6.1.2.1.2", repeat=500)) < 60
    client.send(client.request(ber.GET, 2, *[SYS_DESCR] * 40))
    refused = client.answer()
    assert (refused.first, refused.bindings) == (1, ())


def test_nothing_can_be_set(demo_lab, snmp, net_snmp):
    olt = demo_lab.olt
    before = olt.snapshot()
    target = f"127.0.0.1:{olt.snmp_port}"
    for oid in (SYS_NAME, f"1.3.6.1.4.1.2011.6.128.1.1.2.43.1.10.{PORT_10}.0", "1.3.6.1.4.1.9.1.0"):
        assert "noAccess" in net_snmp("snmpset", "-v2c", "-c", "emulated", target, oid, "i", "6")
    with pytest.raises(Exception, match="noAccess"):
        snmp(olt, user=olt.snmp_v3[0]).set(SYS_NAME, b"other")
    assert olt.snapshot() == before


def test_strangers_and_other_versions_get_no_answer(demo_lab, datagrams):
    client = datagrams(demo_lab.olt)
    before = len(demo_lab.olt.snmp_requests)
    good = client.request(ber.GET, 1, SYS_NAME)
    assert client.passes_over(good.replace(b"emulated", b"emulatee"))
    assert client.passes_over(client.request(ber.GET, 1, SYS_NAME, version=0))
    assert client.passes_over(client.request(ber.RESPONSE, 1, SYS_NAME))
    for junk in (
        b"",
        b"\x30",
        b"\x30\x84\xff\xff\xff\xff",
        good[:-3],
        bytes(40),
        b"\x30\x03\x02\x01\x03",
        b"GET / HTTP/1.1",
    ):
        assert client.passes_over(junk)
    assert {each.kind for each in demo_lab.olt.snmp_requests[before:]} == {"get"}


def test_what_was_asked_is_kept(lab, snmp):
    client = snmp(lab.olt)
    client.get(SYS_NAME, SYS_DESCR)
    client.bulk(IF_NAME, repeat=7)
    client.next(IF_NAME)
    kept = lab.olt.snmp_requests
    assert [(each.version, each.kind, each.oids, each.max_repetitions) for each in kept] == [
        ("v2c", "get", (SYS_NAME, SYS_DESCR), None),
        ("v2c", "getbulk", (IF_NAME,), 7),
        ("v2c", "getnext", (IF_NAME,), None),
    ]
    kept.clear()
    assert len(lab.olt.snmp_requests) == 3


# ---------------------------------------------------------------------- v3


@pytest.mark.parametrize("who", USERS, ids=lambda who: who.user)
def test_every_level_and_protocol(secured, snmp, net_snmp, who):
    assert snmp(secured, user=who).get(SYS_NAME) == [b"ONE"]
    assert len(snmp(secured, user=who).walk(IF_NAME)) == 2
    words = ["-u", who.user, "-l", "authPriv" if who.priv else "authNoPriv" if who.auth else "noAuthNoPriv"]
    words += ["-a", TOOL_NAMES[who.auth], "-A", who.auth_key] if who.auth else []
    words += ["-x", {"aes128": "AES", "aes256": "AES-256"}[who.priv], "-X", who.priv_key] if who.priv else []
    said = net_snmp("snmpget", "-v3", *words, f"127.0.0.1:{secured.snmp_port}", SYS_NAME)
    if "Invalid privacy protocol" in said:
        pytest.skip("this net-snmp was built without AES-256")
    assert '"ONE"' in said
    assert secured.snmp_requests[-1].version == "v3"


FULL = user("sha256", "aes128")


@pytest.mark.parametrize(
    ("who", "says", "report"),
    [
        (SnmpUser("nobody"), "[Uu]nknown.*user", 3),
        (SnmpUser(FULL.user, "sha256", "not the key", "aes128", FULL.priv_key), "[Ww]rong.*digest", 5),
        (SnmpUser(FULL.user, "sha512", FULL.auth_key, "aes128", FULL.priv_key), "[Ww]rong.*digest", 5),
        (SnmpUser(FULL.user, "sha256", FULL.auth_key, "aes128", "not the key"), "[Dd]ecryption|[Cc]iphering", 6),
        (SnmpUser("sha1-plain", "sha1", "auth of sha1-plain", "aes128", "whatever"), "[Uu]nsupported.*level", 1),
        (SnmpUser("open-plain", "sha1", "whatever else"), "[Uu]nsupported.*level", 1),
        (SnmpUser(FULL.user), "authorizationError", None),
        (SnmpUser(FULL.user, "sha256", FULL.auth_key), "authorizationError", None),
    ],
)
def test_what_is_wrong_is_told(secured, snmp, who, says, report):
    before = list(secured._agent._reports)
    with pytest.raises(Exception, match=says):
        snmp(secured, user=who).get(SYS_NAME)
    counted = [now - then for now, then in zip(secured._agent._reports, before, strict=True)]
    assert counted[4] >= 1  # the discovery of the engine
    assert counted[:4] + counted[5:] == [int(n == report) for n in (0, 1, 2, 3, 5, 6)]


def test_a_clock_that_is_off_is_set_right(secured, net_snmp):
    before = secured._agent._reports[2]
    words = ["-u", FULL.user, "-l", "authPriv", "-a", "SHA-256", "-A", FULL.auth_key, "-x", "AES", "-X", FULL.priv_key]
    engine = secured._agent._engine.id.hex()
    said = net_snmp(
        "snmpget", "-v3", *words, "-e", f"0x{engine}", "-Z", "1,9999", f"127.0.0.1:{secured.snmp_port}", SYS_NAME
    )
    assert '"ONE"' in said
    assert secured._agent._reports[2] == before + 1


def test_no_report_for_one_who_wants_none(demo_lab, datagrams):
    client = datagrams(demo_lab.olt)
    scoped = ber.sequence(ber.tlv(4, b""), ber.tlv(4, b""), client.pdu(ber.GET, 5, SYS_NAME))
    inner = ber.sequence(
        ber.tlv(4, b""), b"\x02\x01\x00", b"\x02\x01\x00", ber.tlv(4, b""), ber.tlv(4, b""), ber.tlv(4, b"")
    )

    def message(flags: int, model: int = 3) -> bytes:
        head = ber.sequence(b"\x02\x01\x07", b"\x02\x02\x05\xdc", ber.tlv(4, bytes([flags])), bytes([2, 1, model]))
        return ber.sequence(b"\x02\x01\x03", head, ber.tlv(4, inner), scoped)

    assert client.passes_over(message(0))
    assert client.passes_over(message(4, model=2))
    assert client.passes_over(message(6))  # private, but not authentic
    client.send(message(4))
    assert b"\x06\x0a" + ber.arcs((1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0)) in client.recv()


# ---------------------------------------------------------------------- habits and faults


@pytest.mark.parametrize(
    ("scenario", "name", "silent"),
    [
        ("demo_zte", "c300", True),
        ("demo_zte", "c320", True),
        ("demo_zte", "c600", False),
        ("demo_huawei", "ma5800", False),
    ],
)
def test_no_repetitions_at_all_silence_a_c3xx(request, datagrams, scenario, name, silent):
    client = datagrams(request.getfixturevalue(scenario).olts[name])
    nothing = client.request(ber.GET_BULK, 9, IF_NAME, second=0)
    if silent:
        assert client.passes_over(nothing)
    else:
        client.send(nothing)
        assert client.answer().bindings == ()


def test_a_limit_of_repetitions(lab, snmp, datagrams):
    lab.olt.faults.snmp_max_repetitions = 3
    assert len(snmp(lab.olt).bulk(IF_NAME, repeat=20)) == 3
    assert len(snmp(lab.olt).walk(IF_NAME)) == 24
    client = datagrams(lab.olt)
    assert client.passes_over(client.request(ber.GET_BULK, 9, IF_NAME, second=0))


def test_no_bulk_at_all(lab, snmp, datagrams):
    lab.olt.faults.snmp_getnext_only = True
    client = datagrams(lab.olt)
    assert client.passes_over(client.request(ber.GET_BULK, 9, IF_NAME, second=5))
    assert len(snmp(lab.olt).walk(IF_NAME, repeat=0)) == 24


def test_lost_answers(lab, datagrams):
    lab.olt.faults.snmp_drop_every = 3
    client = datagrams(lab.olt)
    for number in range(1, 8):
        client.send(client.request(ber.GET, number, SYS_NAME))
    assert [client.answer().request_id for _ in range(5)] == [1, 2, 4, 5, 7]
    assert len(lab.olt.snmp_requests) == 7


def test_a_client_that_asks_again_survives_lost_answers(lab, snmp):
    lab.olt.faults.snmp_drop_every = 2
    client = snmp(lab.olt, timeout=0.1, retries=5)
    assert len(client.walk(IF_NAME)) == 24


def test_a_delay_ends_when_the_lab_closes(lab, datagrams):
    lab.olt.faults.snmp_delay_s = 3600.0
    client = datagrams(lab.olt)
    client.send(client.request(ber.GET, 1, SYS_NAME))
    lab.close()
    assert not lab.olt._agent._thread.is_alive()


def test_columns_that_ask_the_onu_cost_their_time_per_onu(lab, snmp, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr(lab.olt._agent._closing, "wait", waits.append)
    lab.olt.faults.snmp_slow_columns_s = 2.0
    client = snmp(lab.olt)
    state = "1.3.6.1.4.1.2011.6.128.1.1.2.46.1.15"
    client.get(f"{RX}.{PORT_10}.0", f"{RX[:-1]}3.{PORT_10}.0", f"{RX}.{PORT_10}.1", f"{state}.{PORT_10}.0")
    client.walk(state)
    client.get(f"{RX}.{PORT_10}.99")
    lab.olt.faults.snmp_delay_s = 0.5
    client.next(f"{RX}.{PORT_10}")
    assert [each for each in waits if each] == [4.0, 2.5]


def test_only_half_of_an_answer(lab, snmp, datagrams):
    lab.olt.faults.snmp_mangle = "truncated"
    client = datagrams(lab.olt)
    client.send(client.request(ber.GET, 1, SYS_NAME))
    with pytest.raises(ber.BadMessageError):
        client.answer()
    lab.olt.faults.snmp_mangle_every = 2
    client.send(client.request(ber.GET, 3, SYS_NAME))
    with pytest.raises(ber.BadMessageError):
        client.answer()
    client.send(client.request(ber.GET, 4, SYS_NAME))
    assert client.answer().request_id == 4


def test_rows_that_go_backwards(lab, snmp, net_snmp):
    lab.olt.faults.snmp_mangle = "out_of_order"
    found = snmp(lab.olt).bulk(IF_NAME, repeat=3)
    assert [oid for oid, _ in found] == sorted((oid for oid, _ in found), reverse=True)
    assert snmp(lab.olt).next(IF_NAME)[0][0] == IF_NAME
    where = f"127.0.0.1:{lab.olt.snmp_port}"
    assert "OID not increasing" in net_snmp("snmpwalk", "-v2c", "-c", "emulated", where, IF_NAME)


def test_an_answer_to_another_request(lab, datagrams):
    lab.olt.faults.snmp_mangle = "wrong_id"
    client = datagrams(lab.olt)
    client.send(client.request(ber.GET, 20, SYS_NAME))
    assert client.answer().request_id != 20


def test_noise_before_an_answer(lab, snmp, datagrams):
    lab.olt.faults.snmp_mangle = "noise"
    client = datagrams(lab.olt)
    client.send(client.request(ber.GET, 1, SYS_NAME))
    first = client.recv()
    assert SYS_NAME not in repr(first)
    assert client.answer().request_id == 1


def test_columns_that_this_build_lacks(lab, snmp):
    lab.olt.faults.snmp_no_such = {RX, "1.3.6.1.4.1.2011.6.128.1.1.2.23"}
    client = snmp(lab.olt)
    tx = RX[:-1] + "3"
    assert client.get(f"{RX}.{PORT_10}.0") == ["no such object"]
    assert isinstance(client.get(f"{tx}.{PORT_10}.0")[0], int)
    assert client.walk(RX) == {}
    assert client.walk("1.3.6.1.4.1.2011.6.128.1.1.2.23.1") == {}
    assert client.next(RX)[0][0].startswith("1.3.6.1.4.1.2011.6.128.1.1.2.51.1.5.")


def test_faults_from_the_scenario(snmp):
    scenario = builtin_scenario("demo_huawei")
    scenario.olts[0].faults.snmp_max_repetitions = 2
    scenario.olts[0].faults.snmp_no_such = {IF_NAME}
    with serve(scenario) as lab:
        assert len(snmp(lab.olt).bulk("1.3.6.1.2.1.2", repeat=9)) == 2
        assert snmp(lab.olt).walk(IF_NAME) == {}


# ---------------------------------------------------------------------- settings


def test_an_olt_without_an_agent():
    threads = set(threading.enumerate())
    with serve(Scenario.parse(SMALL.replace("SNMP", "{enable: false}"))) as lab:
        assert lab.olt.snmp_port == 0
        assert lab.olt.snmp_requests == []
        assert not any(thread.name == "snmp agent" for thread in set(threading.enumerate()) - threads)


def test_each_olt_has_its_own_engine(demo_lab, demo_zte):
    engines = [olt._agent._engine.id for lab in (demo_lab, demo_zte) for olt in lab.olts.values()]
    assert len(set(engines)) == 5
    assert {engine[:5].hex() for engine in engines} == {"800007db05", "80000f3e05"}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("{v3: [{user: x, auth: sha1, auth_key: short}]}", "fewer than 8"),
        ("{v3: [{user: x, priv: aes128, priv_key: long enough}]}", "privacy needs authentication"),
        ("{v3: [{user: x, auth: md5, auth_key: long enough}]}", "olts.0.snmp.v3.0.auth"),
        ("{port: 161}", "olts.0.snmp.port"),
        ("{}\n    faults: {snmp_no_such: [ifName]}", "olts.0.faults.snmp_no_such"),
        ("{}\n    faults: {snmp_mangle_every: 0}", "olts.0.faults.snmp_mangle_every"),
        ("{}\n    faults: {snmp_mangle: upside down}", "olts.0.faults.snmp_mangle"),
    ],
)
def test_settings_that_cannot_be(settings, says):
    with pytest.raises(ScenarioError, match=says):
        Scenario.parse(SMALL.replace("SNMP", settings))
