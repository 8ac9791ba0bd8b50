"""ponprobe in a real kernel against an emulated OLT: tables, a running loop, and every way in which a cell can end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from real_kernel import PATIENCE_S, Kernel

from ponprobe import emulator
from ponprobe.emulator.faults import Moment

PASSWORD, COMMUNITY = "Canary-OLT-77", "Canary-Snmp-88"

SETUP = """
import ponprobe
from pydantic import SecretStr
from ponprobe.config import SnmpEntry

%load_ext ponprobe.notebook
olt = ponprobe.connect(
    {host!r}, platform="huawei_smartax", username={user!r}, password=SecretStr({password!r}), port={port},
    snmp=SnmpEntry(community=SecretStr({community!r}), port={snmp_port}),
    journal={journal!r}, known_hosts={hosts!r}, removal_wait_s=20,
)
order = ponprobe.ActivationOrder(
    port="0/1/0",
    auth=ponprobe.OnuAuth(serial=ponprobe.Serial("HWTC0B086EA9")),
    vlans=ponprobe.VlanStack(svlan=2000, cvlan=3001),
    line_profile=ponprobe.ProfileRef(id=20),
    service_profile=ponprobe.ProfileRef(id=20),
    splitter="<b>=1+1</b>",
)
"""


@pytest.fixture
def lab() -> Iterator[emulator.Lab]:
    scenario = emulator.builtin_scenario("demo_huawei")
    for each in scenario.olts:
        each.password, each.snmp.community = PASSWORD, COMMUNITY
    with emulator.serve(scenario) as lab:
        yield lab


@pytest.fixture
def setup(lab: emulator.Lab, tmp_path: Path) -> str:
    olt = lab.olt
    return SETUP.format(
        host=olt.host,
        user=olt.username,
        password=olt.password,
        port=olt.ssh_port,
        community=olt.snmp_community,
        snmp_port=olt.snmp_port,
        journal=str(tmp_path / "journal.sqlite3"),
        hosts=str(tmp_path / "known_hosts"),
    )


@pytest.fixture
def session(kernel: Kernel, setup: str) -> Kernel:
    kernel.run(setup)
    return kernel


@pytest.fixture
def arrives(lab: emulator.Lab) -> Callable[[str], threading.Event]:
    """Tell when a command whose line begins so reaches the OLT."""

    def watch(beginning: str) -> threading.Event:
        seen = threading.Event()

        def note(_: int, line: str, moment: Moment) -> None:
            if line.startswith(beginning) and moment == "executed":
                seen.set()

        lab.olt.faults.on_command = note
        return seen

    return watch


ENDLESS = """
with olt.test_onu(order) as onu:
    print("inside", flush=True)
    while True:
        onu.refresh()
"""


def test_values_are_shown_without_setup_and_tuples_with_the_extension(kernel: Kernel) -> None:
    shown = kernel.run("import ponprobe.models.device as d; board = d.Board(slot=1, board='<b>x</b>'); board")
    assert "&lt;b&gt;x&lt;/b&gt;" in shown.data["text/html"]
    assert shown.data["text/plain"] == "Board(slot=1, board='<b>x</b>', frame=0)"
    assert "text/html" not in kernel.run("(board, board)").data
    kernel.run("%load_ext ponprobe.notebook\n%load_ext ponprobe.notebook")
    for code in ("(board, board)", "[board, board]"):
        assert "2 × board" in kernel.run(code).data["text/html"]
    assert "text/html" not in kernel.run("(1, 2), []").data
    kernel.run("%unload_ext ponprobe.notebook")
    assert "text/html" not in kernel.run("(board, board)").data


def test_other_peoples_sequences_keep_their_own_display(kernel: Kernel) -> None:
    kernel.run("""
    class Mine(tuple):
        def _repr_html_(self):
            return "<i>mine</i>"

    html = get_ipython().display_formatter.formatters["text/html"]
    html.for_type(list, lambda items: f"<u>{len(items)}</u>")
    %load_ext ponprobe.notebook
    """)
    assert kernel.run("Mine((1, 2))").data["text/html"] == "<i>mine</i>"
    assert kernel.run("[1, 2, 3]").data["text/html"] == "<u>3</u>"
    kernel.run("%unload_ext ponprobe.notebook")
    assert kernel.run("[1, 2, 3]").data["text/html"] == "<u>3</u>"


def test_looking_at_an_olt_asks_it_nothing_and_shows_no_secret(session: Kernel, lab: emulator.Lab) -> None:
    shown = session.run("olt")
    assert "huawei_smartax" in shown.data["text/html"]
    assert lab.olt.commands == []
    assert lab.olt.snmp_requests == []
    for form in (*shown.data.values(), *session.run("olt.plan(order)").data.values()):
        assert PASSWORD not in form
        assert COMMUNITY not in form


def test_questions_work_inside_the_running_loop(session: Kernel, lab: emulator.Lab) -> None:
    """A kernel runs cells in a loop: whoever starts another one there fails."""
    assert (
        "loop runs: True"
        in session.run("import asyncio; print('loop runs:', asyncio.get_running_loop().is_running())").text
    )
    assert "MA5683T" in session.run("olt.facts()").data["text/html"]
    assert lab.olt.snmp_requests, "this went by SNMP"
    shown = session.run("olt.optical_port('0/1/0')")
    assert "optical reading" in shown.data["text/html"]
    assert "ONU Rx [dBm]" in shown.data["text/html"]
    # the same from inside a coroutine of the user's, and from another thread
    session.run("""
    async def ask():
        return olt.optical_port("0/1/0")

    inside = await ask()
    beside = await asyncio.to_thread(olt.optical_port, "0/1/0")
    assert len(inside) == len(beside) >= 2
    """)
    many = session.run(
        "from ponprobe.notebook import to_frame; to_frame(olt.sweep(ports=['0/1/0'])).dtypes.astype(str).to_dict()"
    )
    assert "'onu_rx_dbm': 'Float64'" in many.data["text/plain"]


def test_a_block_that_ends_and_a_block_that_fails_leave_nothing(session: Kernel, lab: emulator.Lab) -> None:
    before = lab.olt.snapshot()
    shown = session.run("""
    with olt.test_onu(order) as onu:
        onu.wait_online(60)
        display(onu)
    """)
    assert "on the OLT now" in shown.data["text/html"]
    assert "&lt;b&gt;=1+1&lt;/b&gt;" in shown.data["text/html"]
    assert "device clean" in session.run("onu").data["text/html"]
    assert lab.olt.snapshot() == before
    failed = session.finish(session.start("with olt.test_onu(order) as onu:\n    1 / 0"))
    assert failed.error == "ZeroDivisionError"
    assert lab.olt.snapshot() == before


def test_the_stop_button_revokes(session: Kernel, lab: emulator.Lab) -> None:
    before = lab.olt.snapshot()
    cell = session.start(ENDLESS)
    session.says(cell, "inside")
    session.manager.interrupt_kernel()
    assert session.finish(cell).error == "KeyboardInterrupt"
    assert lab.olt.snapshot() == before
    assert "device clean" in session.run("onu").data["text/html"]
    assert session.run("olt.recover()").data["text/plain"] == "()", "and the journal knows"


def test_stopping_while_the_onu_is_being_registered_rolls_back(
    session: Kernel, lab: emulator.Lab, arrives: Callable[[str], threading.Event]
) -> None:
    before = lab.olt.snapshot()
    lab.olt.faults.delay_s = 0.2
    working = arrives("ont add")
    cell = session.start(ENDLESS)
    assert working.wait(PATIENCE_S)
    session.manager.interrupt_kernel()
    assert session.finish(cell).error == "KeyboardInterrupt"
    lab.olt.faults.delay_s = 0.0
    assert lab.olt.snapshot() == before


def test_an_impatient_second_stop_leaves_a_run_that_recover_ends(
    session: Kernel, lab: emulator.Lab, arrives: Callable[[str], threading.Event]
) -> None:
    before = lab.olt.snapshot()
    cell = session.start(ENDLESS)
    session.says(cell, "inside")
    lab.olt.faults.delay_s = 0.5
    revoking = arrives("undo service-port")
    session.manager.interrupt_kernel()
    assert revoking.wait(PATIENCE_S)
    session.manager.interrupt_kernel()
    assert session.finish(cell).error == "KeyboardInterrupt"
    lab.olt.faults.delay_s = 0.0
    session.run("recovered = olt.recover()\nassert all(each.clean for each in recovered), recovered")
    assert lab.olt.snapshot() == before


def test_restarting_the_kernel_revokes_in_the_block(session: Kernel, lab: emulator.Lab) -> None:
    """Jupyter interrupts the running cell first, then asks the kernel to end, and kills it only then."""
    before = lab.olt.snapshot()
    session.says(session.start(ENDLESS), "inside")
    session.manager.restart_kernel()
    assert lab.olt.snapshot() == before


def test_restarting_the_kernel_revokes_what_no_block_holds(session: Kernel, lab: emulator.Lab) -> None:
    before = lab.olt.snapshot()
    session.run("onu = olt.test_onu(order)\nagain = onu")
    assert lab.olt.snapshot() != before
    session.manager.restart_kernel()
    assert lab.olt.snapshot() == before


def test_what_was_kept_on_purpose_survives_a_restart(session: Kernel, lab: emulator.Lab, setup: str) -> None:
    before = lab.olt.snapshot()
    run_id = session.run("onu = olt.test_onu(order)\nonu.keep()\nprint(onu.run_id)").text.strip()
    session.manager.restart_kernel()
    assert lab.olt.snapshot() != before
    session.client.wait_for_ready(timeout=PATIENCE_S)
    session.run(setup)
    assert "device clean" in session.run(f"olt.revoke({run_id!r})").data["text/html"]
    assert lab.olt.snapshot() == before


def test_after_a_kill_recover_takes_it_away(session: Kernel, lab: emulator.Lab, setup: str) -> None:
    before = lab.olt.snapshot()
    pid = int(session.run("import os; print(os.getpid())").text)
    session.says(session.start(ENDLESS), "inside")
    os.kill(pid, signal.SIGKILL)
    session.manager.restart_kernel(now=True)
    assert lab.olt.snapshot() != before, "nobody could clean up"
    session.client.wait_for_ready(timeout=PATIENCE_S)
    session.run(setup)
    shown = session.run("olt.recover()").data["text/html"]
    assert "device clean" in shown
    assert lab.olt.snapshot() == before
