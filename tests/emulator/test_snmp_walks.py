"""Recorded walks, served: read back as they are; in both ways of writing them down."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from ponprobe.emulator import Faults, SnmpUser
from ponprobe.emulator.snmp import WalkError, read_walk, serve_walk

RECORD = """\
1.3.6.1.2.1.1.1.0|4|Huawei Integrated Access Software
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2011.2.123
1.3.6.1.2.1.1.3.0|67|4294967295
1.3.6.1.2.1.4.20.1.3.10|64|255.255.255.0
1.3.6.1.2.1.31.1.1.1.6.1|70|18446744073709551615
1.3.6.1.2.1.31.1.1.1.15.4194304000|66|2488

# the same column, out of order
1.3.6.1.4.1.2011.6.128.1.1.2.51.1.4.4194304000.10|2|-1414
1.3.6.1.4.1.2011.6.128.1.1.2.51.1.4.4194304000.9|2|2147483647
1.3.6.1.4.1.2011.6.128.1.1.2.43.1.3.4194304000.9|4x|48575443C1000001
1.3.6.1.9|4|
"""
PRINTED = """\
# what a tool printed
iso.3.6.1.2.1.1.1.0 = STRING: "two
lines, \\"quoted\\""
.1.3.6.1.2.1.1.2.0 = OID: iso.3.6.1.4.1.3902
.1.3.6.1.2.1.1.3.0 = Timeticks: (508638207) 58 days, 20:53:02.07
.1.3.6.1.2.1.1.4.0 = ""
.1.3.6.1.2.1.1.6.0 = STRING: bare words
.1.3.6.1.2.1.2.2.1.8.1 = INTEGER: up(1)
.1.3.6.1.2.1.2.2.1.9.1 = INTEGER: -35 dBm
.1.3.6.1.2.1.2.2.1.10.1 = Counter32: 12
.1.3.6.1.2.1.2.2.1.11.1 = Gauge32: 4294967295
.1.3.6.1.2.1.4.20.1.1.1 = IpAddress: 10.0.0.1
.1.3.6.1.2.1.4.20.1.2.1 = Network Address: 0A:00:00:02
.1.3.6.1.2.1.31.1.1.1.6.1 = Counter64: 9000000000
.1.3.6.1.4.1.1.1.1 = Hex-STRING: 48 57 54 43 C1 00 00 01
 02 03
.1.3.6.1.4.1.1.1.2 = No Such Instance currently exists at this OID
.1.3.6.1.4.1.1.1.3 = NULL
.1.3.6.1.4.1.1.1.3 = No more variables left in this MIB View (It is past the end of the MIB tree)
"""


def told(line: str) -> tuple[str, object]:
    """A record line as a client would show it; written for this test alone."""
    oid, tag, content = line.split("|", 2)
    if tag == "4x":
        return oid, bytes.fromhex(content)
    if tag == "64":
        return oid, bytes(int(part) for part in content.split("."))
    return oid, content if tag == "6" else content.encode() if tag == "4" else int(content)


def by_number(rows: dict[str, object]) -> list[str]:
    return sorted(rows, key=lambda oid: tuple(map(int, oid.split("."))))


def test_records(snmp):
    with closing(serve_walk(RECORD, community="c")) as agent:
        client = snmp(agent, community="c")
        expected = dict(told(line) for line in RECORD.splitlines() if "|" in line)
        assert client.walk("1.3") == expected
        assert list(client.walk("1.3", repeat=0)) == by_number(expected)
        column = "1.3.6.1.4.1.2011.6.128.1.1.2.51.1.4"
        assert client.get(f"{column}.4194304000.9", f"{column}.4194304000.11", "1.3.6.1.4.1.9.9.9") == [
            2147483647,
            "no such instance",
            "no such object",
        ]


def test_what_a_tool_prints(snmp):
    with closing(serve_walk(PRINTED)) as agent:
        found = snmp(agent).walk("1.3")
        assert [found[oid] for oid in by_number(found)][:11] == [
            b'two\nlines, "quoted"',
            "1.3.6.1.4.1.3902",
            508638207,
            b"",
            b"bare words",
            1,
            -35,
            12,
            4294967295,
            b"\x0a\x00\x00\x01",
            b"\x0a\x00\x00\x02",
        ]
        assert found["1.3.6.1.2.1.31.1.1.1.6.1"] == 9000000000
        assert found["1.3.6.1.4.1.1.1.1"] == bytes.fromhex("48575443C10000010203")
        assert "1.3.6.1.4.1.1.1.2" not in found


@pytest.mark.parametrize(
    "text",
    [
        "what\nis this",
        "1.3|2|x\n",
        "1.3|99x|zz\n",
        ".1.3 = Strange: 1\n",
        ".1.3 = words\n",
        "1.3|64|300.1.1.1\n",
        ".1.3 = INTEGER: x\n",
    ],
)
def test_what_is_no_walk(text):
    with pytest.raises(WalkError, match="|".join(("no row", "no type", "invalid", "non-hex", "range", "bytes must"))):
        read_walk(text)


def test_files_users_and_faults(snmp, tmp_path):
    path = tmp_path / "olt.snmprec"
    path.write_text(RECORD, encoding="utf-8")
    user = SnmpUser("u", "sha256", "long enough", "aes128", "long enough")
    faults = Faults(snmp_no_such={"1.3.6.1.2"})
    for source in (path, str(path)):
        with closing(serve_walk(source, users=[user], faults=faults)) as agent:
            found = snmp(agent, user=user).walk("1.3")
            assert len(found) == 4
            assert snmp(agent).get("1.3.6.1.2.1.1.1.0") == ["no such object"]
            agent.close()
            assert not agent._thread.is_alive()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", agent.port))
    with pytest.raises(OSError, match="nowhere"):
        serve_walk(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["librenms_smartax.snmprec", "librenms_2022_zxa10_c320v2.snmprec"])
def test_a_real_devices_walk_reads_back_as_it_is(shared: Path, snmp, net_snmp, name):
    text = (shared / "walks" / name).read_text(encoding="utf-8")
    expected = dict(told(line) for line in text.splitlines())
    with closing(serve_walk(shared / "walks" / name)) as agent:
        client = snmp(agent)
        assert client.walk("1.0", repeat=50) | client.walk("1.3", repeat=50) == expected
        printed = net_snmp("snmpbulkwalk", "-v2c", "-c", "public", "-Cr50", f"127.0.0.1:{agent.port}", "1")
        again = read_walk("\n".join(line for line in printed.splitlines()))
        assert len(again) == len(expected)


def test_a_printed_fragment_of_a_real_device(shared: Path, snmp):
    with closing(serve_walk(shared / "walks" / "fragment_ma5800_hertzbeat4358.txt")) as agent:
        rows = snmp(agent).column("1.3.6.1.4.1.2011.6.128.1.1.2.51.1.6")
    assert len(rows) == 8
    assert sorted(rows.values())[:4] == [8413, 8565, 8630, 8775]
    assert list(rows.values()).count(2147483647) == 4
