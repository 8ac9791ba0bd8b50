"""ZTE OLTs: login, views and prompts, pager, width of the terminal, errors, logout; and their bad habits."""

from __future__ import annotations

import re
import socket
import threading

import pytest

from ponprobe.emulator import builtin_scenario, serve

LOGOUT = r"The configuration is changed,confirm to logout without saving\? \[yes/no\]:"


def plain(text: str) -> str:
    return text.replace("\r", "")


# ---------------------------------------------------------------------- login


def test_first_telnet_bytes_are_a_c300s(demo_zte, zte):
    olt = demo_zte.olts[zte.olt]
    with socket.create_connection((olt.host, olt.telnet_port), timeout=20) as connection:
        received = b""
        while len(received) < 15:
            received += connection.recv(100)
    assert received[:15].hex(" ", 3) == "fffb01 fffb1f fffb18 fffd20 fffd03"


def test_telnet_login_wrong_then_right(demo_zte, telnet, zte):
    talk = telnet(demo_zte.olts[zte.olt], login=False)
    talk.until("Username:")
    talk.send("probe\r\n")
    talk.until("Password:")
    talk.send("wrong\r\n")
    answer = talk.until("Username:")
    said = {
        "c300": "No username or bad password",
        "c320": "authentication failed",
        "c600": "% Username or password error",
    }
    assert said[zte.olt] in answer
    assert "wrong" not in answer
    talk.send("probe\r\n")
    talk.until("Password:")
    talk.send("emulated\r\n")
    talk.until(talk.prompt)


def test_landing_mode(demo_zte, ssh, telnet, zte):
    mark = ">" if zte.olt == "c320" else "#"
    for access in (ssh, telnet):
        talk = access(demo_zte.olts[zte.olt])
        assert talk.several("who").endswith(mark)


@pytest.mark.parametrize(
    ("olt", "says"),
    [
        ("c300", "% The password is not strong, please change the password."),
        ("c320", "0 authentication failures happ\nened."),
        ("c600", "Afterwards, 0 authentication failure occurred."),
    ],
)
def test_a_successful_login_that_sounds_like_a_failure(demo_zte, telnet, olt, says):
    talk = telnet(demo_zte.olts[olt], login=False)
    talk.until("Username:")
    talk.send("probe\r\n")
    talk.until("Password:")
    talk.send("emulated\r\n")
    assert says in plain(talk.until(talk.prompt))


def test_a_banner_is_wrapped_inside_words(demo_zte, telnet):
    def banner(columns):
        talk = telnet(demo_zte.olts["c600"], login=False, columns=columns)
        talk.until("Username:")
        talk.send("probe\r\n")
        talk.until("Password:")
        talk.send("emulated\r\n")
        return plain(talk.until(talk.prompt))

    assert max(map(len, banner(None).split("\n"))) == 80
    assert "through TELNET. Afterwards" in banner(200)


def test_banner_of_titan_tells_how_one_came(demo_zte, ssh):
    text = ssh(demo_zte.olts["c600"], first_prompt=False).until("occurred.")
    assert "Welcome to TITAN series OLT of ZTE Corporation" in text
    assert re.search(r"Login at \d\d:\d\d:\d\d \d\d-\d\d-\d{4} from 127\.0\.0\.1 through SSH\.", text)


def test_the_notice_can_be_switched(zte_lab, ssh):
    zte_lab.olts["c300"].faults.password_notice = False
    assert "not strong" not in ssh(zte_lab.olts["c300"], first_prompt=False).until("ZXAN-C300#")


def test_locked_user(zte_lab, telnet):
    olt = zte_lab.olts["c600"]
    olt.faults.locked_users.add("probe")
    talk = telnet(olt, login=False)
    talk.until("Username:")
    talk.send("probe\r")
    talk.until("Password:")
    talk.send("emulated\r")
    assert "% Username or password error" in talk.to_the_end()


def test_no_more_sessions_than_vtys(zte_lab, telnet, ssh):
    olt = zte_lab.olts["c600"]
    sessions = [telnet(olt), ssh(olt), telnet(olt)]
    assert sum("vty" in line for line in sessions[0].lines("who")) == 3
    assert "All vty lines are in use" in ssh(olt, first_prompt=False).to_the_end()
    sessions[0].send("exit\r")
    sessions[0].until(LOGOUT)
    sessions[0].send("yes\r")
    sessions[0].to_the_end()
    telnet(olt)


# ---------------------------------------------------------------------- enable


def test_enable_asks_for_a_password_and_counts_wrong_ones(demo_zte, ssh):
    talk = ssh(demo_zte.olts["c320"])
    talk.send("enable\r")
    talk.until("Password:")
    for word in ("exit", "logout"):
        talk.send(f"{word}\r")
        answer = talk.until("Password:")
        assert "%Error 20208: Bad password" in answer
        assert word not in answer
    talk.send("no\r")
    assert plain(talk.until(talk.prompt)).endswith("%Error 20208: Bad password\nLO.Berkah-Pati.v2>")


def test_enable_asks_even_in_exec_mode(demo_zte, ssh, zte):
    talk = ssh(demo_zte.olts[zte.olt]).privileged()
    talk.send("enable\r")
    talk.until("Password:")
    talk.send("emulated\r")
    assert talk.until(talk.prompt).endswith("#")
    if zte.olt == "c320":
        assert talk.do("disable").endswith(">")


def test_the_enable_password_may_be_another(ssh):
    scenario = builtin_scenario("demo_zte")
    scenario.olts[1].enable_password = "second"
    with serve(scenario) as lab:
        assert ssh(lab.olts["c320"]).privileged().prompt
        assert "Bad password" in _enable(ssh(lab.olts["c320"]), "emulated")


def _enable(talk, password: str) -> str:
    talk.send("enable\r")
    talk.until("Password:")
    talk.send(f"{password}\r")
    return talk.until("Password:")


# ---------------------------------------------------------------------- views and prompts


def test_prompts_of_every_view(demo_zte, ssh, zte):
    talk = ssh(demo_zte.olts[zte.olt]).privileged()
    olt, onu = zte.name("olt"), f"{zte.name('onu')}:1"
    prompts = [
        talk.do(line).split("\n")[-1]
        for line in (
            "configure terminal",
            f"interface {olt}",
            "exit",
            f"interface {onu}",
            "!",
            f"pon-onu-mng {onu}",
            "end",
        )
    ]
    name = demo_zte.olts[zte.olt].world.name
    views = {
        "c300": ["(config)", "(config-if)", "(config)", "(config-if)", "(config)", "(gpon-onu-mng)", ""],
        "c320": ["(config)", "(config-if)", "(config)", "(config-if)", "(config)", "(gpon-onu-mng 1/1/1:1)", ""],
        "c600": [
            "(config)",
            "(config-if-gpon_olt-1/3/1)",
            "(config)",
            "(config-if-gpon_onu-1/3/1:1)",
            "(config)",
            "(config-gpon-onu-mng)",
            "",
        ],
    }
    assert prompts == [f"{name}{view}#" for view in views[zte.olt]]


def test_an_interface_opens_from_within_another(demo_zte, ssh, zte):
    talk = ssh(demo_zte.olts[zte.olt]).privileged()
    talk.several("configure terminal", f"interface {zte.name('olt')}", f"interface {zte.name('onu')}:1")
    assert f"interface {zte.name('onu')}:1" in talk.do("show this")
    talk.do("exit")
    assert talk.do("exit").endswith(f"{demo_zte.olts[zte.olt].world.name}#")


def test_the_line_that_configuring_begins_with(demo_zte, ssh, zte):
    answer = ssh(demo_zte.olts[zte.olt]).privileged().lines("configure terminal")
    rest = "Enter configuration commands, one per line."
    assert answer == [f"{rest}  End with CTRL/Z." if zte.olt == "c300" else f"%Info 20272: {rest} End with CTRL/Z."]


@pytest.mark.parametrize("line", ["con t", "conf t", "configure t"])
def test_configure_terminal_is_wanted_in_full_by_titan(demo_zte, ssh, zte, line):
    answer = ssh(demo_zte.olts[zte.olt]).privileged().do(line)
    if zte.olt == "c600":
        assert plain(answer) == f'%Error 140301: Ambiguous command:"{line}"\nZXAN#'
    else:
        assert answer.endswith("(config)#")


def test_show_works_inside_configuration(demo_zte, ssh, zte):
    talk = ssh(demo_zte.olts[zte.olt]).privileged()
    talk.several("configure terminal", f"interface {zte.name('olt')}")
    assert "Slot CfgType" in talk.do("show card")


# ---------------------------------------------------------------------- errors of the command line


def test_errors_of_zxan_with_their_carets(demo_zte, ssh):
    talk = ssh(demo_zte.olts["c320"]).privileged()
    at = len("LO.Berkah-Pati.v2#")
    assert talk.lines("frobnicate") == [" " * at + "^", "%Error 20200: Invalid input detected at '^' marker."]
    assert talk.lines("show gpon onu optical-info gpon-onu_1/1/1:1") == [
        " " * (at + 14) + "^",
        "%Error 20200: Invalid input detected at '^' marker.",
    ]
    assert talk.lines("show gpon onu detail-info gpon_onu-1/1/1:1") == [
        " " * (at + 26) + "^",
        "%Error 20202: Invalid input detected at '^' marker. Invalid parameter",
    ]
    assert talk.lines("show gpon onu") == ["%Error 20203: Incomplete command"]
    assert talk.lines("show gpon onu b") == ["%Error 20204: Ambiguous command"]


def test_titan_has_one_error_for_nearly_all(demo_zte, ssh):
    talk = ssh(demo_zte.olts["c600"]).privileged()
    for line, at in (
        ("show version", 5),
        ("show running-config interface gpon_onu-1/3/1:1", 20),
        ("show system-group", 5),
        ("show version-running", 5),
        ("show gpon onu state gpon-olt_1/3/1", 20),
    ):
        assert talk.lines(line) == [" " * (5 + at) + "^", "%Error 140303: Invalid input detected at '^' marker."]


@pytest.mark.parametrize("spoilt", ["wrong separator", "no rack", "no such port", "no such onu"])
def test_interfaces_that_are_none(demo_zte, ssh, zte, spoilt):
    names = {
        "wrong separator": zte.name("olt").translate(str.maketrans("-_", "_-")),
        "no rack": zte.name("olt").replace("1/", "", 1),
        "no such port": zte.name("olt", "1/20/1"),
        "no such onu": f"{zte.name('onu')}:77",
    }
    talk = ssh(demo_zte.olts[zte.olt]).privileged()
    prompt = talk.do("configure terminal").split("\n")[-1]
    caret, error = talk.lines(f"interface {names[spoilt]}")
    assert caret == " " * (len(prompt) + 10) + "^"
    assert error.startswith("%Error 140303" if zte.olt == "c600" else "%Error 20202")
    assert error.endswith("" if zte.olt == "c600" else "Invalid parameter")


def test_a_pipe_hangs_a_c320(zte_lab, ssh):
    olt = zte_lab.olts["c320"]
    executed = threading.Event()
    talk = ssh(olt).privileged()
    olt.faults.on_command = lambda number, line, moment: executed.set() if moment == "executed" else None
    talk.send("show running-config | include onu 1\r")
    assert executed.wait(20)
    assert ssh(olt).privileged().lines("terminal length 0") == []
    assert talk.buffer == ""


# ---------------------------------------------------------------------- pager


def test_pager_and_its_eraser(demo_zte, ssh, zte):
    talk = ssh(demo_zte.olts[zte.olt]).privileged(paging=True)
    talk.send(f"show gpon onu detail-info {zte.name('onu')}:1\r")
    first = plain(talk.until(r"\n --More--"))
    assert first.count("\n") == 24
    talk.send(" ")
    rest = talk.until(talk.prompt)
    # the next line stands on the same row
    assert re.match(r"\x08{9} {9}\x08{9}[- ]", rest)


def test_return_brings_one_line_and_q_none(demo_zte, ssh):
    talk = ssh(demo_zte.olts["c300"]).privileged(paging=True)
    talk.send("show version-running\rshow running-config\r")
    talk.until(" --More--")
    talk.send("\r")
    assert plain(talk.until(" --More--")).count("\n") == 1
    talk.send("q")
    assert plain(talk.until(talk.prompt)).endswith("\b\nZXAN-C300#")


def test_terminal_length_only_in_exec(demo_zte, ssh):
    talk = ssh(demo_zte.olts["c320"])
    assert talk.do("terminal length 0").count("%Error 20200") == 1
    talk.privileged()
    assert talk.lines("terminal length 513")[1].startswith("%Error 20202")
    assert "\n --More--" not in talk.do("show running-config")


def test_terminal_length_accepted_without_effect(zte_lab, ssh):
    olt = zte_lab.olts["c600"]
    olt.faults.terminal_length_ignored = True
    talk = ssh(olt)
    assert talk.lines("terminal length 0") == []
    talk.send("show running-config\r")
    talk.until(" --More--")


# ---------------------------------------------------------------------- width

LONG = "show running-config-interface gpon_onu-1/3/1:1 | include aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


def test_a_long_echo_goes_on_after_a_dollar_on_titan(demo_zte, telnet):
    talk = telnet(demo_zte.olts["c600"])
    talk.send(LONG + "\r")
    echoed = plain(talk.until(talk.prompt)).split("\n")
    assert echoed[0] + echoed[1] == LONG[:75] + "$" + LONG[75:]


def test_a_long_echo_scrolls_with_backspaces_on_zxan(demo_zte, telnet):
    talk = telnet(demo_zte.olts["c320"]).privileged()
    line = "show running-config interface gpon-onu_1/1/1:1" + " " * 30
    talk.send(line + "\r")
    echoed = talk.until(r"\n").strip("\r\n")
    room = 80 - len("LO.Berkah-Pati.v2#")
    assert echoed.startswith(line[:room] + "\b" * room)
    assert talk.until(talk.prompt)
    assert demo_zte.olts["c320"].commands[-1] == line.strip()


@pytest.mark.parametrize("access", ["telnet", "ssh"])
def test_an_announced_width_is_kept(demo_zte, telnet, ssh, access):
    talk = telnet(demo_zte.olts["c600"], columns=500) if access == "telnet" else ssh(demo_zte.olts["c600"])
    talk.send(LONG + "\r")
    assert plain(talk.until(r"\n")) == f"{LONG}\n"
    wide = telnet(demo_zte.olts["c320"], columns=200).privileged()
    assert "Copyright (c) by ZTE Corporation Compiled" in wide.do("show system-group")
    narrow = telnet(demo_zte.olts["c320"]).privileged()
    assert "ZTE Corporati\non Compiled" in plain(narrow.do("show system-group"))


# ---------------------------------------------------------------------- logout and saving


def test_logout_asks_even_after_reading_only(demo_zte, ssh, zte):
    talk = ssh(demo_zte.olts[zte.olt]).privileged()
    for reply, said in (("exit", "%Error 20205: Invalid input detected\n"), ("no", "")):
        talk.send("exit\r")
        talk.until(LOGOUT)
        assert plain(talk.do(reply)).startswith(said)
    talk.send("exit\r")
    talk.until(LOGOUT)
    talk.send("yes\r")
    assert "%" not in talk.to_the_end()


def test_write_only_in_exec_and_counted(zte_lab, ssh, zte):
    olt = zte_lab.olts[zte.olt]
    talk = ssh(olt).privileged()
    assert talk.do("write").count("[OK]") == 1
    talk.do("configure terminal")
    assert re.search(r"%Error (20200|140303)", talk.do("write"))
    assert olt.snapshot()["saves"] == 1


def test_write_is_slow(ssh):
    scenario = builtin_scenario("demo_zte")
    scenario.olts[0].save_s = 3600.0
    with serve(scenario) as lab:
        talk = ssh(lab.olts["c300"]).privileged()
        talk.send("write\r")
        other = ssh(lab.olts["c300"])
        while lab.olts["c300"].world.saves == 0:
            other.do("who")
        assert "OK" not in talk.buffer
