"""kill -9 at any point of a project: no lease is lost, nothing stays on an OLT, no verdict is forgotten."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Callable
from threading import Lock
from typing import Any, Literal

import pytest
from site_plan import ENGINEER, GOOD, ONUS, PROJECT, WEAK, ZTE_FAR, ZTE_GOOD, Site, Zygote, enter

from ponprobe.connect import journal_at
from ponprobe.models.engineering import ActivationState
from ponprobe.workflow.process import Workflow

KEYS = (GOOD, WEAK, ZTE_GOOD, ZTE_FAR)
LINES = {GOOD: "pass", WEAK: "fail", ZTE_GOOD: "pass", ZTE_FAR: "pass"}
Mode = Literal["measure", "activate"]


@pytest.fixture
def zygote(site: Site, run_python: Callable[..., subprocess.Popen[str]]) -> Zygote:
    return Zygote(run_python("zygote_process.py"), site)


@pytest.fixture
def workflow(site: Site) -> Workflow:
    workflow = site.workflow()
    enter(workflow, KEYS)
    return workflow


def kill_at_line(site: Site, zygote: Zygote, nth: int, moment: str, **keywords: Any) -> bool:
    """Kill the worker when the nth line of any OLT arrives, or has been executed; false if there was no such line."""
    lock, counted, killed = Lock(), [0], list[int]()

    def on_command(_number: int, _line: str, at: str) -> None:
        if at != moment:
            return
        with lock:
            counted[0] += 1
            mine = counted[0] == nth
        if mine:
            killed.append(zygote.pid)
            os.kill(zygote.pid, signal.SIGKILL)
            raise ConnectionAbortedError

    for olt in site.lab.olts.values():
        olt.faults.on_command = on_command
    status = zygote.run("dispatch", **keywords)
    for olt in site.lab.olts.values():
        olt.faults.on_command = None
    assert status == (-signal.SIGKILL if killed else 0), zygote.log
    return bool(killed)


def prove(site: Site, workflow: Workflow, before: dict[str, Any], mode: Mode) -> None:
    """What must hold after a crash and its recovery."""
    settled = workflow.resume(PROJECT)
    assert settled.ok, settled
    status = workflow.status(PROJECT)
    if mode == "activate":
        # what was activated before the crash is wanted, and stays with its lease; nothing else is there
        live = {each.splitter: each.state for each in status.splitters if each.state.live}
        assert set(live.values()) <= {ActivationState.ACTIVATED}
        assert {lease.splitter for lease in workflow.leases()} == set(live)
        assert {run.order["splitter"] for run in journal_at(site.journal).unfinished()} == {key.name for key in live}
        return
    prove_clean(site, workflow, before)


def prove_clean(site: Site, workflow: Workflow, before: dict[str, Any]) -> None:
    assert not [each for each in workflow.status(PROJECT).splitters if each.state.live]
    assert workflow.leases() == ()
    assert site.snapshot() == before, "something of ours was left on an OLT"
    assert journal_at(site.journal).unfinished() == ()
    judged = {str(event.data["run_id"]) for event in workflow.events(project=PROJECT) if event.name == "line.judged"}
    rounds = [each for key in KEYS for each in workflow.rounds(PROJECT, key)]
    kept = [each.run_id for each in rounds if each.verdict is not None]
    assert judged <= set(kept), "a verdict was reached and its round is lost"
    assert len(kept) == len(set(kept)), "one run made two rounds"


def go_on(site: Site, workflow: Workflow, request_id: str, mode: Mode) -> None:
    """The same request again finishes what is left, and only that."""
    wanted = "line.tested" if mode == "measure" else "activation.kept"
    events = [event for event in workflow.events(project=PROJECT) if event.request_id == request_id]
    done = {event.splitter for event in events if event.name == wanted}
    outcome = workflow.dispatch(PROJECT, KEYS, onus=ONUS, mode=mode, actor=ENGINEER, request_id=request_id)
    assert {item.splitter for item in outcome.items if item.already} >= done, "what was done was done again"
    assert [item.splitter for item in outcome.items] == list(KEYS)
    if mode == "measure":
        assert {item.state for item in outcome.items} == {ActivationState.REVOKED}
        assert {item.splitter: item.line for item in outcome.items} == LINES
        for item in outcome.items:
            (tested,) = [each for each in workflow.rounds(PROJECT, item.splitter) if each.run_id == item.run_id]
            assert tested.round == item.round
    else:
        assert {item.state for item in outcome.items} == {ActivationState.ACTIVATED}
        assert workflow.revoke(PROJECT, actor=ENGINEER).ok


def points(count: int, last: int, seed: str) -> list[int]:
    return sorted(random.Random(seed).sample(range(1, last + 1), count))


@pytest.mark.parametrize("mode", ["measure", "activate"])
def test_a_project_that_is_killed_while_it_talks_to_its_olts(
    site: Site, workflow: Workflow, zygote: Zygote, mode: Mode
) -> None:
    before = site.snapshot()
    keys = [list(key) for key in KEYS]
    hits = 0
    for nth in points(4, 110 if mode == "measure" else 60, f"lines {mode} {site.place[:4]}"):
        for moment in ("arrived", "executed"):
            request_id = f"{mode} {nth} {moment}"
            hits += kill_at_line(site, zygote, nth, moment, keys=keys, mode=mode, request_id=request_id)
            prove(site, workflow, before, mode)
            go_on(site, workflow, request_id, mode)
            prove_clean(site, workflow, before)
    assert hits >= 5, "the kills must have hit something"


@pytest.mark.parametrize("mode", ["measure", "activate"])
def test_a_project_that_is_killed_while_it_writes_to_its_store(
    site: Site, workflow: Workflow, zygote: Zygote, mode: Mode
) -> None:
    before = site.snapshot()
    keys = [list(key) for key in KEYS]
    hits = 0
    for nth in range(1, 24, 3):
        moment = "before" if nth % 2 else "after"
        request_id = f"{mode} {nth} {moment}"
        status = zygote.run("dispatch", (nth, moment), keys=keys, mode=mode, request_id=request_id)
        assert status in {-signal.SIGKILL, 0}, zygote.log
        hits += status != 0
        prove(site, workflow, before, mode)
        go_on(site, workflow, request_id, mode)
        prove_clean(site, workflow, before)
    assert hits >= 5


def test_a_recovery_that_is_killed_is_recovered(site: Site, workflow: Workflow, zygote: Zygote) -> None:
    before = site.snapshot()
    keys = [list(key) for key in KEYS]
    for nth in range(1, 12, 3):
        assert kill_at_line(site, zygote, 45, "executed", keys=keys, request_id=f"cut {nth}")
        assert site.snapshot() != before
        zygote.run("resume", (nth, "before" if nth % 2 else "after"))
        prove(site, workflow, before, "measure")
