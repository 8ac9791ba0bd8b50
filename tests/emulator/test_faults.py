"""Latency, cuts, lost answers, garbage, busy, alarms."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

from ponprobe.emulator import builtin_scenario, serve

ADD = "ont add 0 2 sn-auth 485754430B086EA9 omci ont-lineprofile-id 20 ont-srvprofile-id 20"


def registered(olt) -> bool:
    return "2" in olt.snapshot()["onus"]["0/1/0"]


@pytest.mark.parametrize("access", ["ssh", "telnet"])
def test_cut_before_and_after(lab, request, access):
    for setting, executed in (("cut_before", False), ("cut_after", True)):
        talk = request.getfixturevalue(access)(lab.olt).setup(view="0/1")
        setattr(lab.olt.faults, setting, len(lab.olt.commands) + 1)
        talk.send(ADD + "\r")
        assert "success" not in talk.to_the_end()
        assert registered(lab.olt) is executed
        assert lab.olt.commands[-1] == ADD


def test_silence_keeps_the_connection_and_other_sessions(lab, telnet):
    talk = telnet(lab.olt).setup(view="0/1")
    executed = threading.Event()
    lab.olt.faults.silent_after = len(lab.olt.commands) + 1
    lab.olt.faults.on_command = lambda number, line, moment: executed.set() if moment == "executed" else None
    talk.send(ADD + "\r")
    assert executed.wait(20)
    assert registered(lab.olt)
    talk.send("quit\r")
    other = telnet(lab.olt)
    assert other.do("enable").endswith("#")
    assert lab.olt.sessions_open == 2
    assert talk.buffer == ""


def test_garbage_instead_of_an_answer(lab, telnet):
    talk = telnet(lab.olt).setup()
    lab.olt.faults.garbage_after = len(lab.olt.commands) + 1
    assert "VERSION" not in talk.do("display version")
    assert "VERSION" in talk.do("display version")


def test_the_watcher_sees_both_moments_and_may_abort(lab, telnet):
    talk = telnet(lab.olt).setup(view="0/1")
    seen = []
    lab.olt.faults.on_command = lambda number, line, moment: seen.append((number, line, moment, registered(lab.olt)))
    number = len(lab.olt.commands) + 1
    talk.do(ADD)
    assert seen == [(number, ADD, "arrived", False), (number, ADD, "executed", True)]

    def abort(number: int, line: str, moment: str) -> None:
        if moment == "arrived":
            raise ConnectionAbortedError

    lab.olt.faults.on_command = abort
    talk.send("ont delete 0 2\r")
    talk.to_the_end()
    assert registered(lab.olt)


def test_busy_refuses_changes_only(lab, telnet):
    talk = telnet(lab.olt).setup(view="0/1")
    lab.olt.faults.busy = 2
    assert "busy" not in talk.do("display ont info 0 0")
    for _ in range(2):
        assert talk.lines(ADD) == ["  Failure: System is busy, please retry after a while"]
        assert not registered(lab.olt)
    assert "success: 1" in talk.do(ADD)


def test_delay_ends_when_the_lab_closes(lab, telnet):
    talk = telnet(lab.olt)
    lab.olt.faults.delay_s = 3600.0
    arrived = threading.Event()
    lab.olt.faults.on_command = lambda *_: arrived.set()
    talk.send("enable\r")
    assert arrived.wait(20)
    lab.close()


def test_alarm_in_the_middle_of_an_answer(lab, telnet):
    talk = telnet(lab.olt).setup()
    lab.olt.faults.alarm_before = {len(lab.olt.commands) + 1}
    answer = talk.do("display version")
    assert (
        answer.index("VERSION :")
        < answer.index("  ALARM NAME  :")
        < answer.index("  --- END-")
        < answer.index("Uptime")
    )
    assert "ALARM" not in talk.do("display version")
    lab.olt.faults.alarm_every = 1
    assert "ALARM" in talk.do("display version")
    talk.do("infoswitch cli OFF")
    lab.olt.faults.alarm_heeds_infoswitch = True
    assert "ALARM" not in talk.do("display version")


def test_alarm_that_eats_a_letter(lab, telnet):
    talk = telnet(lab.olt).setup(view="0/1")
    lab.olt.faults.alarm_eats = True
    lab.olt.faults.alarm_before = {len(lab.olt.commands) + 1}
    talk.send("display port state all\r")
    answer = talk.until(r"% Unknown command, the error locates at '\^'\r\r\n\r\r\n.*#")
    assert "display \r\r\n\r\r\n  ! 1 [" in answer
    assert "  --- END-\r\r\nMA5683T(config-if-gpon-0/1)#display ortstateall\r" in answer
    assert lab.olt.commands[-1] == "display ortstateall"


def test_faults_from_the_scenario(telnet):
    scenario = builtin_scenario("demo_huawei")
    scenario.olts[0].faults.pager = False
    scenario.olts[0].faults.busy = 1
    with serve(scenario) as lab, suppress(OSError):
        talk = telnet(lab.olt).setup(paging=True)
        assert "More" not in talk.do("display ont info 0 1 0 0")
        assert "busy" in talk.do("undo service-port 0")
