"""The command with both roads: what SNMP answers, what it is asked to look at again, and wrong options."""

from __future__ import annotations

from pathlib import Path

import pytest

from ponprobe.app.emulate import inventory
from ponprobe.emulator import EmulatedOlt, Lab

from .conftest import CANARIES, GOOD, Run, measure


@pytest.fixture
def both(cli: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("PONPROBE_ROUTES")
    return cli


def test_questions_go_by_snmp_and_the_command_line_is_left_alone(both: Run, olt: EmulatedOlt) -> None:
    ran = both("optics", "ma5683t", "0/0/0:0", "--json")
    assert ran.code == 0
    assert '"source": "snmp: get ' in ran.out
    assert olt.commands == []


def test_the_order_of_roads_is_an_option(both: Run, olt: EmulatedOlt) -> None:
    ran = both("optics", "ma5683t", "0/0/0:0", "--json", "--routes", "cli")
    assert ran.code == 0
    assert "snmp" not in ran.out
    assert olt.snmp_requests == []
    wrong = both("optics", "ma5683t", "0/0/0:0", "--routes", "carrier-pigeon")
    assert wrong.code == 2
    assert "routes" in wrong.err


def test_measure_looks_again(both: Run, olt: EmulatedOlt) -> None:
    before = olt.snapshot()
    ran = both(*measure(), "--verify", "snmp", "--json")
    assert (ran.code, ran.json["verification"]["findings"], ran.json["clean"]) == (0, [], True)
    assert ran.json["verification"]["reading"]["onu_rx_dbm"]["source"].startswith("snmp: ")
    assert ran.json["readings"][0]["onu_rx_dbm"]["source"].startswith("cli: ")
    assert olt.snapshot() == before


def test_what_could_not_be_verified_is_told_to_people(both: Run, olt: EmulatedOlt, home: Path, lab: Lab) -> None:
    text = inventory(lab).replace(
        f"port = {olt.snmp_port}\n", f"port = {olt.snmp_port}\ntimeout_s = 0.1\nretries = 0\n"
    )
    (home / "ponprobe.toml").write_text(text, "utf-8")
    olt.faults.snmp_drop_every = 1
    ran = both(*measure(), "--verify", "snmp")
    assert ran.code == 0
    assert "nothing was verified" in " ".join(ran.err.split())


def test_without_a_user_an_olt_is_read_by_options_alone(
    command: Run, olt: EmulatedOlt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMUNITY", CANARIES["LAB_COMMUNITY"])
    road = ["--platform", "huawei_smartax", "--snmp-community", "env:COMMUNITY", "--snmp-port", str(olt.snmp_port)]
    ran = command("onus", olt.host, "0/0/0", *road, "--json")
    assert ran.code == 0
    assert olt.commands == []
    refused = command("measure", olt.host, "0/1/0", "--serial", GOOD, "--service-model", "none",
                      "--line-profile", "20", "--service-profile", "20", *road)  # fmt: skip
    assert refused.code != 0
    assert "no user for its command line" in " ".join(refused.err.split())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--snmp-community", "public"], "--snmp-community: write env:NAME"),
        (["--snmp-port", "1161"], "--snmp-port: needs --snmp-community"),
    ],
)
def test_wrong_options_are_named(command: Run, options: list[str], told: str) -> None:
    ran = command("onus", "192.0.2.1", "0/0/0", "--platform", "huawei_smartax", *options)
    assert ran.code == 2
    assert told in " ".join(ran.err.split())


def test_a_community_in_plain_text_is_refused_and_not_shown(command: Run, home: Path) -> None:
    (home / "ponprobe.toml").write_text(
        '[olts.lab]\nhost = "192.0.2.1"\nplatform = "huawei_smartax"\n[olts.lab.snmp]\ncommunity = "s3cret-public"\n',
        "utf-8",
    )
    ran = command("facts", "lab")
    assert ran.code == 2
    assert "olts.lab.snmp.community" in ran.err
    assert "s3cret-public" not in ran.err


def test_the_configuration_shows_where_secrets_are(both: Run) -> None:
    ran = both("config", "show", "--json")
    assert ran.json["olts"][0]["snmp"]["community"] == "env:PONPROBE_LAB_MA5683T_COMMUNITY"
    assert CANARIES["LAB_COMMUNITY"] not in ran.out
