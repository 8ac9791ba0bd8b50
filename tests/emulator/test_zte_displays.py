"""What emulated ZTE OLTs print: the shape of real devices' text, readings, empty answers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


@pytest.fixture
def ask(demo_zte, ssh):
    """(OLT, line) -> the answer's lines as they are."""

    def lines(olt: str, line: str) -> list[str]:
        return ssh(demo_zte.olts[olt]).privileged().lines(line)

    return lines


@pytest.fixture
def sees(shared):
    """The lines of a capture, without blanks at their ends."""

    def lines(name: str) -> list[str]:
        folder = "zte_titan" if name.startswith("titan") else "zte_zxan"
        text = (Path(shared) / "captures" / folder / f"{name}.txt").read_text(encoding="utf-8")
        return [line.rstrip() for line in text.replace("\r", "").split("\n---\n", 1)[1].split("\n")]

    return lines


def shape(line: str) -> str:
    """A line without what differs from device to device: numbers and their width."""
    return re.sub(r"-?\d+", "9", line).rstrip()


# ---------------------------------------------------------------------- tables: heads and rulers to the letter

# (capture, OLT, command, rows of the capture)
TABLES = [
    ("zxan_v12_show_gpon_onu_state_one_onu_los", "c300", "show gpon onu state gpon-olt_1/2/1 4", (1, 2, 3, 4)),
    ("zxan_v12_show_gpon_onu_state_one_onu_working", "c300", "show gpon onu state gpon-olt_1/2/1 1", (1, 2, 3, 4)),
    ("zxan_v12_show_pon_power_attenuation_ok", "c300", "show pon power attenuation gpon-onu_1/2/1:1", (1, 2, 3, 4)),
    ("zxan_v12_show_pon_power_attenuation_los", "c300", "show pon power attenuation gpon-onu_1/2/1:4", (1, 2, 3, 4)),
    ("zxan_v12_show_gpon_onu_uncfg_rows", "c300", "show gpon onu uncfg", (0,)),
    ("zxan_v2_show_gpon_onu_state_phases", "c320", "show gpon onu state gpon-olt_1/1/1", (0, 1)),
    ("zxan_v2_show_gpon_onu_uncfg_c320", "c320", "show gpon onu uncfg", (6, 7)),
    ("zxan_v2_show_pon_onu_uncfg_3col", "c320", "show pon onu uncfg", (0, 1)),
    ("zxan_v2_show_pon_power_olt_rx_port", "c320", "show pon power olt-rx gpon-olt_1/1/1", (0, 1, 2)),
    ("zxan_v2_show_pon_power_olt_tx_port", "c320", "show pon power olt-tx gpon-olt_1/1/1", (1, 2, 3)),
    ("zxan_v2_show_card_c300", "c320", "show card", (0, 1)),
    ("titan_show_card_c600", "c600", "show card", (0, 1, 5, 9)),
    ("titan_show_gpon_onu_state", "c600", "show gpon onu state", (0, 1)),
    ("titan_show_pon_power_attenuation", "c600", "show pon power attenuation gpon_onu-1/3/1:1", (1, 2, 4)),
    ("titan_show_vlan_port_xgei", "c600", "show vlan port xgei-1/10/1", (0, 1, 2, 4, 6)),
    ("zxan_v2_profiles", "c320", "show gpon profile tcont", (1,)),
]


@pytest.mark.parametrize("table", TABLES, ids=[row[0] for row in TABLES])
def test_rows_are_a_real_devices(ask, sees, table):
    name, olt, line, rows = table
    theirs, ours = sees(name), [shape(text) for text in ask(olt, line)]
    for row in rows:
        assert shape(theirs[row]) in ours


def test_every_cell_of_an_attenuation_stands_where_a_real_one_does(ask, sees):
    for name, onu in (("ok", 1), ("los", 4)):
        theirs = sees(f"zxan_v12_show_pon_power_attenuation_{name}")[1:5]
        ours = ask("c300", f"show pon power attenuation gpon-onu_1/2/1:{onu}")
        for their, our in zip(theirs, ours, strict=True):
            assert [cell.start() for cell in re.finditer(r"\S+", their)] == [
                cell.start() for cell in re.finditer(r"\S+", our)
            ]


def test_the_index_of_v2_and_titan_states_has_no_prefix(ask):
    assert ask("c320", "show gpon onu state gpon-olt_1/1/1")[2].startswith("1/1/1:1      enable")
    assert ask("c600", "show gpon onu state gpon_olt-1/3/1 1")[2].startswith("   1/3/1:1       enable")


# ---------------------------------------------------------------------- pages: labels in their order

PAGES = [
    ("zxan_v12_show_gpon_onu_detail_info", "c300", "show gpon onu detail-info gpon-onu_1/2/1:1"),
    ("titan_show_gpon_onu_detail_info_dyinggasp", "c600", "show gpon onu detail-info gpon_onu-1/3/2:2"),
    (
        "zxan_v2_show_interface_optical_module_info_gpon_olt",
        "c320",
        "show interface optical-module-info gpon-olt_1/1/1",
    ),
    ("titan_show_optical_module_info_gpon_olt", "c600", "show optical-module-info gpon_olt-1/3/1"),
    (
        "zxan_v2_show_gpon_remote_onu_interface_pon_offline",
        "c320",
        "show gpon remote-onu interface pon gpon-onu_1/1/2:3",
    ),
    ("zxan_v12_show_gpon_remote_onu_interface_eth", "c300", "show gpon remote-onu interface eth gpon-onu_1/2/1:1"),
    ("zxan_epon_show_onu_unauthentication", "c300", "show onu unauthentication"),
    ("zxan_epon_show_pon_onu_information", "c300", "show pon onu information epon-onu_1/5/1:1"),
]


@pytest.mark.parametrize(("name", "olt", "line"), PAGES, ids=[page[0] for page in PAGES])
def test_labels_are_a_real_pages(ask, sees, name, olt, line):
    def labels(lines: list[str]) -> list[str]:
        first = next(
            at for at, text in enumerate(lines) if ":" in text and "#" not in text and not text.startswith(">")
        )
        found = [re.match(r"\s*[A-Za-z1][^:]*(?=:)", text) for text in lines[first:]]
        return [label[0].rstrip() for label in found if label and not re.search(r"\d{4}[-/]", label[0])]

    theirs, ours = labels(sees(name)), labels(ask(olt, line))
    assert theirs == ours[: len(theirs)]
    assert len(theirs) > 4


def test_offline_zeros_are_printed_as_a_real_device_does(ask, sees):
    theirs = sees("zxan_v2_show_gpon_remote_onu_interface_pon_offline")
    ours = [line.rstrip() for line in ask("c320", "show gpon remote-onu interface pon gpon-onu_1/1/2:3")]
    assert theirs[: len(ours)] == ours


def test_a_whole_version_1_2_page_but_for_its_values(ask, sees):
    theirs = sees("zxan_v12_show_gpon_onu_detail_info")[1:]
    ours = ask("c300", "show gpon onu detail-info gpon-onu_1/2/1:1")
    starts = [line[23:24] != " " for line in theirs[:21] if len(line) > 23]
    assert all(starts)
    assert all(line[23:24] != " " for line in ours[:21] if len(line.rstrip()) > 23)
    assert re.fullmatch(r"   1   \d{4}-\d\d-\d\d \d\d:\d\d:\d\d    0000-00-00 00:00:00 {14}", ours[-1])
    last = re.sub(r"^ +\d+ +\S+ \S+", "", theirs[len(theirs) - 1 - theirs[::-1].index("") - 1] or theirs[-2])
    assert last.strip().startswith("0000-00-00 00:00:00")


# ---------------------------------------------------------------------- what is in them


@pytest.mark.parametrize("olt", ["c300", "c320", "c600"])
def test_zxan_names_lead_nowhere_on_titan_and_the_reverse(demo_zte, ssh, olt):
    talk = ssh(demo_zte.olts[olt]).privileged()
    known = {
        "c300": {"show version-running", "show system-group", "show gpon onu uncfg"},
        "c320": {"show version-running", "show system-group", "show gpon onu uncfg", "show pon onu uncfg"},
        "c600": {"show software", "show pon onu uncfg"},
    }
    for line in set().union(*known.values()):
        assert ("%Error" not in talk.do(line)) == (line in known[olt])


def test_versions(ask, sees):
    assert "V1.2.5P3" in ask("c300", "show card")[2]
    assert ask("c300", "show system-group")[0] == sees("zxan_v12_show_system_group")[1]
    assert ask("c320", "show system-group")[0].startswith("System Description: C320 Version V2.1.0 Software, Copyright")
    assert re.match(r"1/1/1 +GTGOG +MVR +V2\.1\.0 ", ask("c320", "show version-running")[1])
    assert "V2.0.10" in ask("c600", "show software")[0]


def test_two_that_wait_are_both_shown_as_the_first(ask):
    rows = [line for line in ask("c300", "show gpon onu uncfg gpon-olt_1/2/1") if "unknown" in line]
    assert [row.split()[0] for row in rows] == ["gpon-onu_1/2/1:1"] * 2
    assert {row.split()[1] for row in rows} == {"ZTEG0A000EA9", "ZTEG0A000EB0"}


def test_waiting_with_password_on_titan(ask):
    rows = [line.split() for line in ask("c600", "show pon onu uncfg gpon_olt-1/3/3")[2:]]
    assert [row[3] for row in rows] == ["N/A", "1234567890", "N/A"]
    assert rows[0][:3] == ["gpon_olt-1/3/3", "PU-X910", "ZTEG0C000EE3"]


@pytest.mark.parametrize(
    ("olt", "line", "answer"),
    [
        ("c300", "show gpon onu uncfg gpon-olt_1/3/1", ["%Code 32310-GPONSRV : No related information to show."]),
        ("c320", "show gpon onu uncfg gpon-olt_1/2/1", ["%Code 62310-GPONSRV : No related information to show."]),
        ("c320", "show pon onu uncfg gpon-olt_1/2/1", ["%Code 62310-GPONSRV : No related information to show."]),
        ("c320", "show gpon onu state gpon-olt_1/2/1", ["%Code 62310-GPONSRV : No related information to show."]),
        ("c320", "show gpon onu baseinfo gpon-olt_1/2/1", ["%Code 62310-GPONSRV : No related information to show."]),
        ("c320", "show gpon onu by sn ZTEGFFFFFFFF", ["%Code 62310-GPONSRV : No related information to show."]),
        (
            "c320",
            "show gpon onu detail-info gpon-onu_1/1/1:77",
            ["%Code 62310-GPONSRV : No related information to show."],
        ),
        (
            "c320",
            "show onu running config gpon-onu_1/1/1:77",
            ["%Code 62310-GPONSRV : No related information to show."],
        ),
        ("c320", "show gpon onu profile vlan", ["%Code 62310-GPONSRV : No related information to show."]),
        ("c320", "show gpon profile tcont NONE", ["%Code 62310-GPONSRV : No related information to show."]),
        ("c320", "show gpon onu baseinfo", []),
        ("c320", "show pon power olt-rx gpon-olt_1/2/1", ["%Code 70285: No related information to show."]),
        ("c320", "show pon power attenuation gpon-onu_1/1/1:77", ["%Code 70285: No related information to show."]),
    ],
)
def test_empty_answers_are_no_errors(ask, olt, line, answer):
    assert ask(olt, line) == answer


def test_titan_prints_an_empty_table_of_waiting_onus(ask):
    assert len(ask("c600", "show pon onu uncfg gpon_olt-1/4/1")) == 2


def test_a_long_type_goes_on_in_the_next_row(ask, sees):
    lines = ask("c320", "show gpon onu baseinfo gpon-olt_1/1/1")
    assert lines[3] == "gpon-onu_1/1/1:2    SM16101-GHZ sn      SN:ZTEGC2000002         ready"
    assert lines[4] == " " * 20 + "-T10"
    real = sees("zxan_v2_show_gpon_onu_baseinfo_row")[0]
    assert lines[2] == real.replace("ALL-ONT ", "ZTE-F660")


def test_search_by_serial(ask, sees):
    assert ask("c300", "show gpon onu by sn ZTEG0A000ED2") == ["SearchResult", "-" * 17, "gpon-onu_1/2/3:1"]
    assert sees("zxan_v12_show_gpon_onu_by_sn_hit")[1] == "SearchResult"


def test_states_of_all_ports(ask):
    lines = ask("c320", "show gpon onu state")
    assert [line.split()[3] for line in lines[2:-1]] == ["working", "working", "OffLine", "DyingGasp"]
    assert lines[-1].strip() == "ONU Number: 2/4"


def test_running_config_of_a_port_lists_ids_types_and_serials(ask, sees):
    lines = ask("c320", "show running-config interface gpon-olt_1/1/1")
    assert lines[:2] == ["Building configuration...", "!"]
    assert lines[2:5] == [line.replace("1/3/12", "1/1/1") for line in sees("zxan_v2_running_config_gpon_olt")[:3]]
    assert lines[5:] == [
        "  onu 1 type ZTE-F660 sn FHTT05FFE238",
        "  onu 2 type SM16101-GHZ-T10 sn ZTEGC2000002",
        "!",
        "end",
    ]
    epon = ask("c300", "show running-config interface epon-olt_1/5/1")
    assert epon[3:6] == sees("zxan_epon_running_config_epon_olt")[1:4]
    assert epon[6] == "  onu 1 type ALL-EPON mac 543e.6496.f469"


def test_running_config_of_an_onu_with_two_tags(ask, sees):
    lines = ask("c300", "show run interface gpon-onu_1/2/1:1")
    assert lines == [
        "Building configuration...",
        "!",
        "interface gpon-onu_1/2/1:1",
        "  name %Error Systems",
        "  description Enter Username: here",
        "  tcont 1 profile UP-50M",
        "  gemport 1 unicast tcont 1 dir both",
        "  service-port 1 vport 1 user-vlan 1001 vlan 1001 svlan 800",
        "!",
        "end",
    ]
    real = sees("zxan_v12_show_running_config_interface_gpon_onu_qinq")
    assert shape(lines[7]) in map(shape, real)
    assert ask("c300", "show onu running config gpon-onu_1/2/1:1") == [
        "pon-onu-mng gpon-onu_1/2/1:1",
        "  service 1 gemport 1 vlan 1001",
        "  vlan port eth_0/1 mode tag vlan 1001",
        "!",
    ]


def test_running_config_of_titan_in_sections(ask):
    lines = ask("c600", "show running-config")
    assert [line for line in lines if line.startswith("!")] == ["!<xpon>", "!</xpon>", "!<MSAN>", "!</MSAN>"]
    assert lines.index("!<MSAN>") + 1 == lines.index("interface vport-1/3/1.1:1")
    assert "  service-port 1 user-vlan 1001 vlan 1001 svlan 800" in lines
    assert "********" in "".join(lines)
    assert "Budi Santoso" not in "".join(lines)
    begun = ask("c600", "show running-config xpon | begin interface gpon_onu-1/3/1:2")
    assert begun[0] == "interface gpon_onu-1/3/1:2"
    assert begun[-1] == "!</xpon>"
    assert all("tcont" in line for line in ask("c600", "show running-config | include tcont"))
    assert "$" not in ask("c600", "show running-config | exclude $")
    assert ask("c600", "show running-config-interface gpon_olt-1/3/2")[-1] == "$"
    assert "  service-port 1 user-vlan 1102 vlan 1102 svlan 801" in ask(
        "c600", "show running-config-interface vport-1/3/2.2:1"
    )


def test_whole_configuration_of_zxan(ask):
    lines = ask("c320", "show running-config")
    assert (lines[0], lines[-1]) == ("Building configuration...", "end")
    assert "pon-onu-mng gpon-onu_1/1/1:1" in lines


def test_uplinks(demo_zte, ssh, ask, sees):
    talk = ssh(demo_zte.olts["c320"]).privileged()
    talk.several("configure terminal", "interface xgei_1/3/1")
    ours, theirs = talk.lines("show this"), sees("zxan_v2_show_this_xgei")[2:]
    assert [line for line in ours if "vlan" not in line][1:] == [line for line in theirs if "vlan" not in line][1:-1]
    assert "  switchport vlan 800-801,2000-2001 tag" in ours
    assert ask("c600", "show running-config-interface xgei-1/10/1")[0] == "interface xgei-1/10/1"


def test_port_status_counts_onus(ask, sees):
    ours, theirs = ask("c320", "show interface gpon-olt_1/1/1"), sees("zxan_v2_show_interface_gpon_olt")
    assert [shape(line) for line in ours[:6]] == [shape(line) for line in theirs[1:7]]
    assert ours[3].endswith("registered onus is 2.")


def test_types(ask):
    assert "PON type:               epon" in ask("c300", "show onu-type epon")
    assert "PON type:               epon" not in ask("c300", "show onu-type gpon")


# ---------------------------------------------------------------------- readings


def powers(lines: list[str]) -> dict[str, float]:
    text = "\n".join(lines)
    names = (("olt_rx", r"Rx :"), ("onu_tx", r"Tx:"), ("olt_tx", r"Tx :"), ("onu_rx", r"Rx:"))
    found = {name: float(re.search(rf"{label}(-?[\d.]+)\(dbm\)", text)[1]) for name, label in names}
    up, down = (float(value) for value in re.findall(r"([\d.]+)\(dB\)", text))
    return {**found, "up": up, "down": down}


def test_printed_losses_are_differences_but_on_titan(demo_zte, ssh):
    for olt, onu in (("c300", "gpon-onu_1/2/1:1"), ("c320", "gpon-onu_1/1/1:1")):
        read = powers(ssh(demo_zte.olts[olt]).privileged().lines(f"show pon power attenuation {onu}"))
        assert read["up"] == pytest.approx(read["onu_tx"] - read["olt_rx"])
        assert read["down"] == pytest.approx(read["olt_tx"] - read["onu_rx"])
    talk = ssh(demo_zte.olts["c600"]).privileged()
    reads = [powers(talk.lines("show pon power attenuation gpon_onu-1/3/1:1")) for _ in range(5)]
    assert any(abs(read["up"] - (read["onu_tx"] - read["olt_rx"])) > 0.001 for read in reads)
    assert all(abs(read["up"] - (read["onu_tx"] - read["olt_rx"])) < 0.5 for read in reads)


def test_ways_to_the_same_power_agree(demo_zte, ssh, zte):
    talk = ssh(demo_zte.olts[zte.olt]).privileged()
    read = powers(talk.lines(f"show pon power attenuation {zte.name('onu')}:1"))
    for word in ("olt-rx", "onu-rx", "onu-tx"):
        rows = talk.lines(f"show pon power {word} {zte.name('olt')}")
        value = float(re.search(r":1 +(-?[\d.]+)\(dbm\)", "\n".join(rows))[1])
        assert value == pytest.approx(read[word.replace("-", "_")], abs=0.35)
        assert ("Tx" if word == "onu-tx" else "Rx") in rows[0]
    launch = talk.lines(f"show pon power olt-tx {zte.name('olt')}")[-1]
    module = "optical-module-info" if zte.olt == "c600" else "interface optical-module-info"
    text = "\n".join(talk.lines(f"show {module} {zte.name('olt')}"))
    for found in (launch, re.search(r"TxPower +: (\S+)", text)[1]):
        assert float(re.search(r"(-?[\d.]+)\(dbm\)", found)[1]) == pytest.approx(read["olt_tx"], abs=0.35)
    remote = "\n".join(talk.lines(f"show gpon remote-onu interface pon {zte.name('onu')}:1"))
    assert float(re.search(r"Rx optical level: +(-[\d.]+)\(dBm\)", remote)[1]) == pytest.approx(
        read["onu_rx"], abs=0.35
    )


def test_no_readings_of_an_onu_that_is_off(demo_zte, ssh):
    talk = ssh(demo_zte.olts["c320"]).privileged()
    assert talk.lines("show pon power olt-rx gpon-olt_1/1/2")[-1] == "gpon-onu_1/1/2:3    no signal"
    assert talk.lines("show pon power onu-rx gpon-olt_1/1/2")[-1] == "gpon-onu_1/1/2:3    N/A"
    assert "No related" in talk.do("show gpon remote-onu interface eth gpon-onu_1/1/2:3")


def test_a_laser_that_is_off(zte_lab, ssh):
    zte_lab.olts["c320"].world.plants[next(iter(zte_lab.olts["c320"].world.plants))].laser_on = False
    talk = ssh(zte_lab.olts["c320"]).privileged()
    assert talk.lines("show pon power olt-tx gpon-olt_1/1/1")[-1] == "1(GPON)             N/A"
    assert "Tx :N/A" in talk.do("show pon power attenuation gpon-onu_1/1/1:1")
    assert "TxPower      : N/A" in talk.do("show interface optical-module-info gpon-olt_1/1/1")
    assert "gpon-olt_1/1/1 is deactivate,line protocol is down." in talk.do("show interface gpon-olt_1/1/1")


def test_a_history_of_coming_and_going(zte_lab, ssh):
    olt = zte_lab.olts["c320"]
    olt.world.pull_out("FHTT05FFE238", dying_gasp=True)
    talk = ssh(olt).privileged()
    assert "DyingGasp" in talk.lines("show gpon onu detail-info gpon-onu_1/1/1:1")[-1]
    assert "Phase state:          DyingGasp" in talk.do("show gpon onu detail-info gpon-onu_1/1/1:1")
    olt.world.plug_in("FHTT05FFE238", "1/1/1", "ODP-1-1", online_after_s=0.0, config_after_s=3600.0)
    assert "Phase state:          syncMib" in talk.do("show gpon onu detail-info gpon-onu_1/1/1:1")


def test_macs(demo_zte, ssh, sees):
    talk = ssh(demo_zte.olts["c600"]).privileged()
    wrapped = ssh(demo_zte.olts["c600"]).privileged()
    lines = talk.lines("show mac interface vport-1/3/1.1:1")
    assert lines[0] == "Total mac address : 1"
    assert re.fullmatch(r"9c74\.1a3f\.a8c1   800    Dynamic   vport-1/3/1\.1:1:1 +", lines[-1])
    real = sees("titan_show_mac_interface_vport")
    assert lines[3] == "-" * 79 == real[5]
    assert lines[2].rstrip() == real[3]
    assert wrapped.do("show mac vlan 800").count("Dynamic") == 2
    assert "Total mac address : 0" in talk.do("show mac vlan 801")
    assert "vport 1" in ssh(demo_zte.olts["c320"]).privileged().do("show mac gpon onu gpon-onu_1/1/1:1")


def test_the_head_of_titans_mac_table_is_wrapped_at_80_columns(demo_zte, telnet, sees):
    lines = telnet(demo_zte.olts["c600"]).privileged().lines("show mac interface vport-1/3/1.1:1")
    assert (len(lines[2]), lines[3]) == (80, " " * 12)
