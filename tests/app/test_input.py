"""What cannot be meant is refused in one line for each problem, naming the option, before anything is sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ponprobe.emulator import EmulatedOlt

from .conftest import CANARIES, GOOD, PATH, Run, measure


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (measure("HWTC12"), "--serial:"),
        (measure(port="0/1"), "PORT:"),
        (measure(port="0/1/0/9"), "PORT:"),
        (measure(port="0/1/999"), "PORT:"),
        ([*measure(), "--cvlan", "0"], "--cvlan 0:"),
        ([*measure(), "--cvlan", "4095"], "--cvlan 4095:"),
        ([*measure(), "--svlan", "4095"], "--svlan 4095:"),
        ([*measure(), "--cvlan", "many"], "--cvlan"),
        ([*measure(), "--user-vlan", "4095"], "--user-vlan:"),
        ([*measure(), "--description", 'a "b"'], "--description:"),
        ([*measure(), "--description", "a\nundo all"], "--description:"),
        ([*measure(), "--description", "what?"], "--description:"),
        ([*measure(), "--description", "翠竹苑"], "--description:"),
        ([*measure(), "--description", "x" * 41], "--description:"),
        ([*measure(), "--line-profile", "has blank"], "--line-profile:"),
        ([*measure(), "--service-profile", "a;b"], "--service-profile:"),
        ([*measure(), "--gemport", "5000"], "--gemport:"),
        ([*measure(), "--eth-port", "0"], "--eth-port:"),
        ([*measure(), "--splitter-port", "0"], "--splitter-port:"),
        ([*measure(), "--inbound-traffic", "10"], "--inbound-traffic and --outbound-traffic:"),
        ([*measure(), "--samples", "0"], "--samples"),
        ([*measure(), "--online-timeout", "-1"], "--online-timeout:"),
        ([*measure(), "--timeout", "0"], "--timeout:"),
        ([*measure(), "--stage", "roof"], "--stage"),
        ([*measure(), "--access", "pigeon"], "--access"),
        ([*measure(), "--loid", "env:ONU_LOID"], "--loid:"),
        ([*measure(), "--checkcode", "env:ONU_CHECKCODE"], "--checkcode:"),
        ([*measure(), "--onu-password", "env:NOWHERE"], "--onu-password:"),
        ([*measure(), "--transcript", "/nowhere/at/all"], "--transcript:"),
        ([*measure(), "--config", "/nowhere.toml"], "nowhere.toml"),
        ([*measure(), "--nonsense"], "--nonsense"),
        (["measure", "ma5683t", "0/1/0", "--svlan", "2000"], "--serial:"),
        (["measure", "ma5683t", "0/1/0", *PATH, "--onu-password", "env:LAB_PASSWORD"], "--onu-password:"),
        (["measure", "ma5683t", "0/1/0", "--serial", GOOD], "--svlan and --cvlan:"),
        (["measure", "ma5683t", "0/1/0", "--mac", "0018-82ab-cdef", *PATH], "--mac:"),
        (["measure", "ma5683t", "0/1/0", "--mac", "x", "--technology", "epon", *PATH], "--mac:"),
        (["measure", "ma5683t", "0/1/0", "--serial", GOOD, *PATH, "--onu-type", "a b"], "--onu-type:"),
        (["measure", "ma5683t", "0/1/0", "--serial", GOOD, "--svlan", "2000", "--cvlan", "3001"], "line_profile"),
        (["measure", "ma5683t", "0/1/0", "--onu-password", "env:ONU_PASSWORD", *PATH, "--confirm"], "--confirm:"),
        (["measure", "ma5683t"], "PORT"),
        (["measure", "nobody", "0/1/0", "--serial", GOOD, *PATH], "nobody"),
        (["optics", "ma5683t", "0/1/x"], "ONU|PORT|FRAME/SLOT:"),
        (["onus", "ma5683t"], "PORT or --serial:"),
        (["onus", "ma5683t", "--serial", "x"], "--serial:"),
        (["discover", "ma5683t", "x"], "PORT:"),
        (["revoke", "ma5683t", "no-such-run"], "no-such-run"),
        (["facts", "ma5683t", "--platform", "abacus"], "abacus"),
        (["parse", "--command", "display version"], "--platform:"),
        (["emulate", "no-such-scenario"], "no-such-scenario"),
        (["nonsense"], "nonsense"),
    ],
)
def test_wrong_input_is_2_and_names_its_option(cli: Run, olt: EmulatedOlt, arguments: list[str], option: str) -> None:
    ran = cli(*arguments)
    assert ran.code == 2, ran.err
    assert ran.out == ""
    assert option in ran.err.splitlines()[0], ran.err
    assert "Traceback" not in ran.err
    assert "validation error" not in ran.err
    assert "pydantic" not in ran.err
    assert olt.commands == []


def test_every_problem_has_its_line(cli: Run) -> None:
    ran = cli("measure", "ma5683t", "x", "--serial", "x", "--svlan", "0", "--cvlan", "4095", "--gemport", "9999")
    lines = [line[2:].partition(":")[0] for line in ran.err.splitlines()]
    assert ran.code == 2
    assert lines == [
        "PORT", "--serial", "--svlan 0", "--cvlan 4095", "--gemport",
    ]  # fmt: skip


@pytest.mark.parametrize("option", ["--password", "--onu-password", "--loid", "--checkcode"])
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(cli: Run, olt: EmulatedOlt, option: str) -> None:
    ran = cli(*measure(), option, "Canary-plain-1", "-vv", "--json")
    assert ran.code == 2
    assert "Canary-plain-1" not in ran.out + ran.err
    assert option in ran.json["error"]["message"]
    assert olt.commands == []


@pytest.mark.parametrize(("option", "variable"), [("--onu-password", "ONU_PASSWORD"), ("--loid", "ONU_LOID")])
def test_a_secret_that_no_device_takes_is_not_repeated(
    cli: Run, monkeypatch: pytest.MonkeyPatch, option: str, variable: str
) -> None:
    monkeypatch.setenv(variable, CANARIES[variable] + " with a blank, and far too long")
    ran = cli("measure", "ma5683t", "0/1/0", *PATH, option, f"env:{variable}", "-vv", "--json")
    assert ran.code == 2
    assert CANARIES[variable] not in ran.out + ran.err
    assert option in ran.json["error"]["message"]


def test_there_is_no_prompt_without_a_terminal(cli: Run, olt: EmulatedOlt) -> None:
    ran = cli(*measure(), "--onu-password", "ask:")
    assert (ran.code, "there is no terminal" in ran.err) == (2, True)
    assert olt.commands == []


def test_usage_errors_are_json_too(cli: Run) -> None:
    ran = cli("measure", "ma5683t", "--json")
    assert ran.code == 2
    assert set(ran.json) == {"schema", "error"}
    assert set(ran.json["error"]) == {"class", "message", "hint", "retryable", "after_change"}
    last = cli("measure", "ma5683t", "--events").events[-1]
    assert (last["event"], last["data"]["exit_code"], last["error"]["class"]) == ("finished", 2, "WrongInput")


def test_an_inventory_with_a_plain_password_is_refused_and_not_repeated(cli: Run, home: Path) -> None:
    (home / "ponprobe.toml").write_text(
        '[olts.x]\nhost = "127.0.0.1"\nplatform = "huawei_smartax"\nusername = "u"\npassword = "Canary-in-file"\n'
    )
    for arguments in (["facts", "x", "--json"], ["config", "show", "--json"]):
        ran = cli(*arguments)
        assert ran.code == 2
        assert "Canary-in-file" not in ran.out + ran.err
        assert json.loads(ran.out)["error"]["class"] == "ConfigError"
