"""The whole flow of a small project on emulated OLTs of both vendors, with everything that can be wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from site_plan import (
    BUILDER,
    DARK,
    ELSEWHERE,
    ENGINEER,
    GOOD,
    NOW,
    ONUS,
    PORTS,
    PROJECT,
    REVIEWER,
    SERIALS,
    WEAK,
    ZTE_FAR,
    ZTE_GOOD,
    Site,
    dialled,
    enter,
    photo,
    splitter_of,
)

from ponprobe.connect import journal_at
from ponprobe.errors import ConfigError, LeaseConflict
from ponprobe.models.addressing import Loid, OnuAuth, Password, PonPort, Serial
from ponprobe.models.batch import BatchItem
from ponprobe.models.engineering import (
    ActivationItem,
    ActivationState,
    Actor,
    FaultKind,
    Project,
    ServiceTest,
    Splitter,
    SplitterKey,
    Stage,
)
from ponprobe.models.judgement import Finding
from ponprobe.models.service import VlanStack
from ponprobe.store import schema
from ponprobe.store.leases import CvlanPool, choose_pool
from ponprobe.store.refusals import NotReady, RequestConflict, StoreError
from ponprobe.workflow.decisions import Message
from ponprobe.workflow.importing import read_engineering
from ponprobe.workflow.process import Workflow
from ponprobe.workflow.recording import Job, Recorder
from ponprobe.workflow.settling import left_under_way
from ponprobe.workflow.vlans import CvlanRange, VlanRange

_S = ActivationState
CLOSE = Recorder.close


def finish(workflow: Workflow, key: SplitterKey) -> None:
    """Bring what people bring: the service test and both photos."""
    workflow.service_test(PROJECT, key, dialled(), actor=ENGINEER)
    for number, kind in enumerate(("position", "result"), start=1):
        workflow.add_evidence(PROJECT, key, photo(kind, number), actor=ENGINEER)


def test_a_batch_gives_each_splitter_its_true_state_and_leaves_nothing(site: Site) -> None:
    before, workflow = site.snapshot(), site.workflow()
    enter(workflow)
    outcome = workflow.dispatch(PROJECT, onus=ONUS, actor=ENGINEER)
    told = {item.splitter: (item.state, item.line, item.fault) for item in outcome.items}
    assert told == {
        GOOD: (_S.REVOKED, "pass", None),
        WEAK: (_S.REVOKED, "fail", FaultKind.SITE),
        ELSEWHERE: (_S.ACTIVATION_FAILED, None, FaultKind.DATA),
        DARK: (_S.REVOKED, "undetermined", None),
        ZTE_GOOD: (_S.REVOKED, "pass", None),
        ZTE_FAR: (_S.REVOKED, "pass", None),
    }
    wrong = outcome.of(ELSEWHERE).failure
    assert wrong is not None
    assert (wrong.error_class, wrong.rollback) == ("WrongPort", "nothing_done")
    assert "0/1/1" in wrong.message
    assert site.snapshot() == before
    assert workflow.leases() == ()
    (tested,) = workflow.rounds(PROJECT, GOOD)
    assert tested.verdict is not None
    assert (tested.round, tested.onu_name, len(tested.readings)) == (1, tested.onu_name, 2)
    assert tested.verdict.readings == tested.readings


def test_a_recorded_plant_that_the_loss_contradicts_is_a_finding_of_the_round(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow, (GOOD, ZTE_GOOD))
    for key, stages in ((GOOD, (8,)), (ZTE_GOOD, (8, 8))):
        known = splitter_of(key, stages=stages, distance_km=2.5)
        workflow.change_splitter(PROJECT, key, known, actor=BUILDER)
    workflow.dispatch(PROJECT, onus=ONUS, actor=ENGINEER)
    ((wrong,), (right,)) = (workflow.rounds(PROJECT, key) for key in (GOOD, ZTE_GOOD))
    told = [finding for finding in wrong.findings if finding.code == "plant_differs"]
    assert told
    assert "1:8 at 2.5 km should show" in told[0].text
    assert wrong.verdict is not None
    assert wrong.verdict.passed, "the light is good: only the record is wrong"
    assert [finding for finding in right.findings if finding.code == "plant_differs"] == []


def test_the_project_goes_from_engineering_data_to_the_front_office(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow)
    assert workflow.status(PROJECT).stage is Stage.ENGINEERING
    workflow.dispatch(PROJECT, onus=ONUS, actor=ENGINEER)
    assert workflow.status(PROJECT).stage is Stage.ENGINEERING  # two faults sent it back
    with pytest.raises(NotReady) as refused:
        workflow.accept(PROJECT, actor=ENGINEER)
    reasons = "\n".join(refused.value.reasons)
    for words in ("FAT-01-2.*不达标", "FDT-02.*无法判定", "FAT-01-3.*without a reading", "ODC-3.*no service test"):
        assert re.search(words, reasons), words

    # the record of one was wrong, the line of another is put right and one gets its test ONU
    corrected = splitter_of(ELSEWHERE, port=PonPort.parse("0/1/1"))
    moved = workflow.change_splitter(PROJECT, ELSEWHERE, corrected, actor=REVIEWER).key
    workflow.rectified(PROJECT, WEAK, actor=BUILDER, comment="spliced again")
    for key in (WEAK, DARK):
        workflow.delete_splitter(PROJECT, key, actor=REVIEWER)
    assert workflow.waiting(PROJECT) == (moved,)
    again = workflow.dispatch(PROJECT, onus={**ONUS, moved: ONUS[ELSEWHERE]}, actor=ENGINEER)
    assert [(item.splitter, item.state) for item in again.items] == [(moved, _S.REVOKED)]
    for splitter in workflow.splitters(PROJECT):
        finish(workflow, splitter.key)
    # 1:64 behind 4 connectors: the emulated line is what it is, so the record may still fail
    if again.of(moved).line != "pass":
        workflow.delete_splitter(PROJECT, moved, actor=REVIEWER)
    assert workflow.status(PROJECT).stage is Stage.ACCEPTANCE
    with pytest.raises(NotReady, match="not accepted"):
        workflow.review(PROJECT, accepted=True, actor=REVIEWER)
    workflow.accept(PROJECT, actor=ENGINEER)
    assert workflow.status(PROJECT).stage is Stage.REVIEW
    with pytest.raises(NotReady, match="another person's"):
        workflow.review(PROJECT, accepted=True, actor=Actor(name=f" {ENGINEER.name} ", role="resource_admin"))
    with pytest.raises(NotReady, match="second review"):
        workflow.push(PROJECT, actor=REVIEWER)
    workflow.review(PROJECT, accepted=True, actor=REVIEWER)
    message = workflow.push(PROJECT, actor=REVIEWER, report={"id": "R1", "sha256": "00"})
    assert workflow.push(PROJECT, actor=REVIEWER, report={"id": "R1", "sha256": "00"}).event_id == message.event_id
    assert workflow.status(PROJECT).stage is Stage.REVIEW
    taken: list[Message] = []
    assert workflow.deliver(taken.append).delivered == (message.event_id,)
    assert workflow.deliver(taken.append).delivered == ()
    assert taken[0].payload["report"] == {"id": "R1", "sha256": "00"}
    assert workflow.status(PROJECT).stage is Stage.PUSHED
    # what is built on afterwards needs everything once more
    workflow.record(PROJECT, splitters=[splitter_of(GOOD._replace(name="FAT-01-9"))], actor=BUILDER)
    assert workflow.status(PROJECT).stage is Stage.ACTIVATION


def test_a_field_test_on_a_live_onu(site: Site) -> None:
    before, workflow = site.snapshot(), site.workflow()
    enter(workflow, (GOOD, WEAK, ZTE_GOOD))
    outcome = workflow.dispatch(PROJECT, onus=ONUS, mode="activate", actor=ENGINEER)
    assert {item.state for item in outcome.items} == {_S.ACTIVATED}
    assert site.snapshot() != before
    assert len(workflow.leases()) == 3
    rows = {row["分光器设备名称"]: row for row in (item.to_row() for item in workflow.activation_list(PROJECT))}
    assert rows[GOOD.name]["激活状态"] == "激活成功"
    assert rows[GOOD.name]["ONU端口CVLAN"] == 3001
    with pytest.raises(NotReady, match="激活成功"):
        workflow.change_splitter(PROJECT, GOOD, splitter_of(GOOD, ratio=16), actor=BUILDER)
    with pytest.raises(NotReady, match="live"):
        workflow.delete_splitter(PROJECT, GOOD, actor=BUILDER)

    tested = workflow.test(PROJECT, actor=ENGINEER)
    assert {item.splitter: (item.state, item.line) for item in tested.items} == {
        GOOD: (_S.ACTIVATED, "pass"),
        WEAK: (_S.REVOKED, "fail"),  # by default the test ONU of a failed line goes
        ZTE_GOOD: (_S.ACTIVATED, "pass"),
    }
    corroborated = workflow.service_test(PROJECT, GOOD, dialled(), actor=ENGINEER, corroborate=True)
    assert corroborated.macs_learnt
    revoked = workflow.revoke(PROJECT, actor=ENGINEER)
    assert {item.state for item in revoked.items} == {_S.REVOKED}
    assert site.snapshot() == before
    assert workflow.leases() == ()
    (once_more,) = workflow.revoke(PROJECT, [GOOD], actor=ENGINEER).items
    assert (once_more.already, once_more.ok) == (True, True)


def test_what_was_never_activated_is_not_revoked(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow, (GOOD,))
    (item,) = workflow.revoke(PROJECT, [GOOD], actor=ENGINEER).items
    assert item.failure is not None
    assert item.failure.error_class == "IllegalTransition"
    assert item.state is _S.NOT_ACTIVATED


def test_rounds_are_all_kept_and_the_newest_decides(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow, (GOOD, WEAK))
    workflow.dispatch(PROJECT, [WEAK], onus=ONUS, mode="activate", actor=ENGINEER)
    for _ in range(2):
        (item,) = workflow.test(PROJECT, [WEAK], actor=ENGINEER, keep_failed=timedelta(hours=2)).items
        assert item.state is _S.ACTIVATED
    good = workflow.dispatch(PROJECT, [GOOD], onus=ONUS, actor=ENGINEER).of(GOOD)
    assert good.line == "pass"
    (passed,) = workflow.rounds(PROJECT, GOOD)
    workflow.enter_round(PROJECT, WEAK, passed.readings, actor=BUILDER, comment="typed in")
    rounds = workflow.rounds(PROJECT, WEAK)
    assert [(each.round, each.passed, each.source) for each in rounds] == [
        (1, False, "device"),
        (2, False, "device"),
        (3, True, "manual"),
    ]
    (status,) = [each for each in workflow.status(PROJECT).splitters if each.splitter == WEAK]
    assert (status.line, status.rounds, status.fault) == ("pass", 3, None)
    # the same splitter on another path is another line
    workflow.revoke(PROJECT, actor=ENGINEER)
    workflow.change_splitter(PROJECT, WEAK, splitter_of(WEAK, ratio=32), actor=BUILDER)
    (status,) = [each for each in workflow.status(PROJECT).splitters if each.splitter == WEAK]
    assert (status.line, status.rounds) == (None, 3)
    assert [each.change for each in workflow.history(PROJECT, WEAK)] == ["added", "changed"]


def test_accepting_revokes_what_is_live_and_a_removal_that_fails_blocks(site: Site) -> None:
    before, workflow = site.snapshot(), site.workflow()
    enter(workflow, (GOOD,))
    workflow.dispatch(PROJECT, onus=ONUS, mode="activate", actor=ENGINEER)
    workflow.test(PROJECT, actor=ENGINEER)
    finish(workflow, GOOD)
    olt = site.lab.olts["ma5683t"]
    olt.faults.locked_users = {olt.username}  # nobody gets in any more
    with pytest.raises(NotReady, match="撤销失败"):
        workflow.accept(PROJECT, actor=ENGINEER)
    status = workflow.status(PROJECT)
    assert (status.stage, status.live) == (Stage.REVOKE, 1)
    assert (status.splitters[0].exported, status.splitters[0].flag) == ("激活成功", "撤销失败")
    assert len(workflow.leases()) == 1  # what may still stand there keeps its VLAN
    with pytest.raises(NotReady):
        workflow.review(PROJECT, accepted=True, actor=REVIEWER)
    olt.faults.locked_users = set()
    workflow.accept(PROJECT, actor=ENGINEER)
    assert workflow.status(PROJECT).stage is Stage.REVIEW
    assert site.snapshot() == before
    assert workflow.leases() == ()


def test_a_rejected_review_goes_back_until_something_was_done(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow, (GOOD,))
    workflow.dispatch(PROJECT, onus=ONUS, actor=ENGINEER)
    finish(workflow, GOOD)
    workflow.accept(PROJECT, actor=ENGINEER)
    refused = workflow.review(
        PROJECT, accepted=False, fault=FaultKind.DATA, keys=[GOOD], comment="address is wrong", actor=REVIEWER
    )
    assert (refused.accepted, refused.fault) == (False, FaultKind.DATA)
    assert workflow.status(PROJECT).stage is Stage.ENGINEERING
    with pytest.raises(NotReady, match="资源修改"):
        workflow.accept(PROJECT, actor=ENGINEER)
    # an address is not a matter of the line: the test still counts
    workflow.change_splitter(PROJECT, GOOD, splitter_of(GOOD, address="1 号楼 2 单元"), actor=BUILDER)
    workflow.accept(PROJECT, actor=ENGINEER)
    workflow.review(PROJECT, accepted=True, actor=REVIEWER)
    assert [each.accepted for each in workflow.decisions(PROJECT)] == [True, True, False, True, True, True]


def test_a_test_onu_that_was_kept_goes_when_its_time_is_over(site: Site) -> None:
    now = [datetime(2026, 1, 5, 8, tzinfo=timezone.utc)]
    before, workflow = site.snapshot(), site.workflow(clock=lambda: now[0], hold=timedelta(days=3))
    enter(workflow, (GOOD, WEAK))
    workflow.dispatch(PROJECT, onus=ONUS, mode="activate", actor=ENGINEER)
    workflow.keep(PROJECT, WEAK, now[0] + timedelta(days=5), actor=ENGINEER)
    now[0] += timedelta(days=4)
    assert workflow.resume().items == ()  # somebody wants them: that is no leftover of a crash
    assert [item.splitter for item in workflow.sweep_expired().items] == [GOOD]
    assert [lease.splitter for lease in workflow.leases()] == [WEAK]
    now[0] += timedelta(days=1)
    assert [item.state for item in workflow.sweep_expired().items] == [_S.REVOKED]
    assert site.snapshot() == before


def test_time_alone_frees_no_vlan(site: Site) -> None:
    now = [datetime(2026, 1, 5, 8, tzinfo=timezone.utc)]
    workflow = site.workflow(clock=lambda: now[0])
    enter(workflow, (GOOD, WEAK, ELSEWHERE))
    workflow.dispatch(PROJECT, [GOOD, WEAK], onus=ONUS, mode="activate", actor=ENGINEER)
    olt = site.lab.olts["ma5683t"]
    olt.faults.locked_users = {olt.username}
    now[0] += timedelta(days=400)
    swept = workflow.sweep_expired()
    assert [item.ok for item in swept.items] == [False, False]
    assert len(workflow.leases()) == 2
    olt.faults.locked_users = set()
    (refused,) = workflow.dispatch(PROJECT, [ELSEWHERE], onus=ONUS, actor=ENGINEER).items
    assert refused.failure is not None
    assert refused.failure.error_class == "CvlanPoolExhausted"
    assert "2 CVLANs" in refused.failure.message
    assert "FAT-01-2" in refused.failure.message


def test_one_test_onu_is_in_one_place(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow, (GOOD, WEAK))
    same = OnuAuth(serial=Serial(SERIALS[GOOD]))
    workflow.dispatch(PROJECT, [GOOD], onus=same, mode="activate", actor=ENGINEER)
    (item,) = workflow.dispatch(PROJECT, [WEAK], onus=same, actor=ENGINEER).items
    assert item.failure is not None
    assert item.failure.error_class == "LeaseConflict"
    assert GOOD.name in item.failure.message
    assert item.state is _S.NOT_ACTIVATED
    assert len(workflow.leases()) == 1


def take_customers_svlan(workflow: Workflow) -> None:
    """Put the tests of one port under the SVLAN of its customers, who have CVLANs 1001 and 1002."""
    (port,) = [port for port in PORTS if port.key == (ZTE_GOOD.olt, ZTE_GOOD.port)]
    workflow.record(PROJECT, pon_ports=[port.model_copy(update={"svlan": 800})], actor=BUILDER)


def test_a_customers_cvlan_is_passed_over(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow, (ZTE_GOOD,))
    # the first value of this pool is a customer's on the same port and SVLAN
    workflow.put_pool(CvlanPool(name="customers", ranges=((1001, 1003),)), actor=REVIEWER)
    take_customers_svlan(workflow)
    (item,) = workflow.dispatch(PROJECT, onus=ONUS, pool="customers", actor=ENGINEER).items
    assert item.vlans == VlanStack(svlan=800, cvlan=1003)
    assert item.state is _S.REVOKED


def test_a_cvlan_that_the_session_refuses_is_recorded_and_the_next_one_taken(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = site.workflow()
    enter(workflow, (ZTE_GOOD,))
    workflow.put_pool(CvlanPool(name="customers", ranges=((1001, 1003),)), actor=REVIEWER)
    take_customers_svlan(workflow)
    # an OLT that does not tell whose VLANs are in use until it is asked to give one
    monkeypatch.setattr(Workflow, "_avoid_customers", lambda *_: None)
    (item,) = workflow.dispatch(PROJECT, onus=ONUS, pool="customers", actor=ENGINEER).items
    assert item.clashes == (VlanStack(svlan=800, cvlan=1001), VlanStack(svlan=800, cvlan=1002))
    assert item.vlans == VlanStack(svlan=800, cvlan=1003)
    names = [event.name for event in workflow.events(project=PROJECT)]
    assert names.count("lease.clash") == 2
    assert workflow.leases() == ()


def test_an_olt_that_cannot_be_reached_stops_no_other(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow, (GOOD, WEAK, ZTE_GOOD))
    olt = site.lab.olts["ma5683t"]
    olt.faults.locked_users = {olt.username}
    outcome = workflow.dispatch(PROJECT, onus=ONUS, actor=ENGINEER)
    assert outcome.of(ZTE_GOOD).line == "pass"
    for key in (GOOD, WEAK):
        failure = outcome.of(key).failure
        assert failure is not None
        assert (failure.error_class, failure.rollback) == ("AuthError", "nothing_done")
        assert outcome.of(key).state is _S.ACTIVATION_FAILED
    assert workflow.leases() == ()


def test_the_same_request_is_done_once(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow, (GOOD, WEAK))
    first = workflow.dispatch(PROJECT, [GOOD], onus=ONUS, actor=ENGINEER, request_id="r1")
    lines = len(site.lab.olts["ma5683t"].commands)
    assert site.workflow().dispatch(PROJECT, [GOOD], onus=ONUS, actor=ENGINEER, request_id="r1") == first
    assert len(site.lab.olts["ma5683t"].commands) == lines
    # the answer stays, whatever becomes of the splitter
    workflow.delete_splitter(PROJECT, GOOD, actor=BUILDER)
    assert workflow.dispatch(PROJECT, [GOOD], onus=ONUS, actor=ENGINEER, request_id="r1") == first
    with pytest.raises(RequestConflict, match="used before"):
        workflow.dispatch(PROJECT, [WEAK], onus=ONUS, actor=ENGINEER, request_id="r1")
    with pytest.raises(RequestConflict):
        workflow.create_project(Project(id="other", name="x", created_at=NOW), actor=BUILDER, request_id="r1")
    made = Project(id="other", name="x", created_at=NOW)
    assert workflow.create_project(made, actor=BUILDER, request_id="r2") == made
    assert workflow.create_project(made, actor=BUILDER, request_id="r2") == made
    with pytest.raises(ConfigError, match="already"):
        workflow.create_project(made, actor=BUILDER, request_id="r3")
    with site.stores[0].locks.hold("request r4"), pytest.raises(RequestConflict, match="still running"):
        workflow.dispatch(PROJECT, [WEAK], onus=ONUS, actor=ENGINEER, request_id="r4")


def test_an_olt_has_one_writer(site: Site) -> None:
    workflow = site.workflow(writer_wait_s=0.0)
    enter(workflow, (GOOD, ZTE_GOOD))
    with site.stores[0].locks.hold("olt ma5683t"):
        outcome = workflow.dispatch(PROJECT, onus=ONUS, actor=ENGINEER)
        assert outcome.of(ZTE_GOOD).line == "pass"
        failure = outcome.of(GOOD).failure
        assert failure is not None
        assert failure.error_class == LeaseConflict.__name__
        assert outcome.of(GOOD).state is _S.NOT_ACTIVATED


def test_an_exempt_project_skips_to_acceptance(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow, (GOOD,))
    project = workflow.project(PROJECT)
    with pytest.raises(ConfigError, match="100 %"):
        workflow.change_project(project.model_copy(update={"hang_test": False}), actor=BUILDER)
    reason = {"hang_test": False, "hang_test_reason": "零星地址"}
    workflow.change_project(project.model_copy(update=reason), actor=BUILDER)
    status = workflow.status(PROJECT)
    assert (status.stage, status.reasons, status.hang_test.label) == (Stage.ACCEPTANCE, (), "否")
    workflow.accept(PROJECT, actor=ENGINEER)
    empty = Project(id="empty", name="空", created_at=NOW)
    workflow.create_project(empty, actor=BUILDER)
    with pytest.raises(NotReady, match="no splitter"):
        workflow.accept("empty", actor=ENGINEER)
    workflow.change_project(empty.model_copy(update={"hang_test": False}), actor=BUILDER)
    workflow.accept("empty", actor=ENGINEER)


def test_the_plan_shows_what_the_dispatch_sends(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow, (GOOD,))
    plan = workflow.plan(PROJECT, GOOD, onus=ONUS)
    assert workflow.leases() == ()
    olt = site.lab.olts["ma5683t"]
    planned = [line.line for line in plan.lines if line.purpose == "write" and "PONPROBE" not in line.line]
    sent = len(olt.commands)
    workflow.dispatch(PROJECT, onus=ONUS, actor=ENGINEER)
    assert planned
    for line in planned:
        assert line in olt.commands[sent:]


@pytest.mark.parametrize("state", ["activating", "activated", "revoking", "unknown"])
def test_the_wrong_journal_frees_nothing(site: Site, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """Recovery with a journal that does not know the run asks the device, and leaves what may be there."""
    workflow = site.workflow()
    enter(workflow, (GOOD,))

    def fail(*_: object) -> None:
        raise StoreError("the database is gone")

    monkeypatch.setattr(Recorder, "close", fail)
    workflow.dispatch(PROJECT, onus=ONUS, mode="activate", actor=ENGINEER)
    monkeypatch.setattr(Recorder, "close", CLOSE)
    assert len(workflow.leases()) == 1
    with site.stores[0].change(ENGINEER) as change:
        change.connection.execute(sa.update(schema.activations).values(state=state))
        change.event("test.set_back")
    elsewhere = str(site.folder / "other.sqlite3")
    other = Workflow(site.stores[0], connect=site.connect, journal=lambda: journal_at(elsewhere))
    (item,) = other.resume().items
    assert item.failure is not None
    assert "not in the journal" in item.failure.message
    assert len(workflow.leases()) == 1
    (item,) = workflow.resume().items
    assert (item.ok, item.state.live) == (True, False)
    assert workflow.leases() == ()


def test_events_are_a_stream_that_can_be_taken_up(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow, (GOOD,))
    first = list(workflow.events(limit=3))
    rest = list(workflow.events(after=first[-1].id))
    everything = list(workflow.events())
    assert first + rest == everything
    workflow.dispatch(PROJECT, onus=ONUS, actor=ENGINEER, request_id="r9")
    new = list(workflow.events(after=everything[-1].id))
    assert {event.request_id for event in new} == {"r9"}
    states = [event.name for event in new if event.name.startswith("activation.") and event.splitter == GOOD]
    assert states == [
        "activation.activating",
        "activation.planned",
        "activation.activated",
        "activation.revoking",
        "activation.revoked",
    ]


def test_a_callback_that_fails_is_called_again_later(site: Site) -> None:
    now = [datetime(2026, 1, 5, 8, tzinfo=timezone.utc)]
    workflow = site.workflow(clock=lambda: now[0])
    enter(workflow, ())
    project = workflow.project(PROJECT)
    workflow.change_project(project.model_copy(update={"hang_test": False}), actor=BUILDER)
    workflow.accept(PROJECT, actor=ENGINEER)
    workflow.review(PROJECT, accepted=True, actor=REVIEWER)
    message = workflow.push(PROJECT, actor=REVIEWER)

    def refuse(_: Message) -> None:
        raise OSError("front office is closed")

    assert workflow.deliver(refuse).failed == ((message.event_id, "OSError: front office is closed"),)
    assert workflow.status(PROJECT).stage is Stage.REVIEW
    assert workflow.deliver(refuse).failed == ()  # not before its time
    now[0] += timedelta(minutes=1)
    seen: list[Message] = []
    assert workflow.deliver(seen.append).delivered == (message.event_id,)
    assert (seen[0].attempt, seen[0].event_id) == (2, message.event_id)


def test_an_interrupted_batch_takes_away_what_is_live_and_begins_nothing_new(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, workflow = site.snapshot(), site.workflow()
    enter(workflow, (GOOD, WEAK, ZTE_GOOD, ZTE_FAR))
    close = Recorder.close
    closed: list[SplitterKey] = []

    def close_and_interrupt(self: Recorder, job: Job, item: BatchItem, findings: Sequence[Finding] = ()) -> None:
        close(self, job, item, findings)
        closed.append(job.row.key)
        self._batch.stop.set()  # as Ctrl-C in the main thread does

    monkeypatch.setattr(Recorder, "close", close_and_interrupt)
    outcome = workflow.dispatch(PROJECT, onus=ONUS, actor=ENGINEER)
    assert 1 <= len(closed) < 4
    assert site.snapshot() == before
    assert workflow.leases() == ()
    assert [item.splitter for item in outcome.items] == [GOOD, WEAK, ZTE_GOOD, ZTE_FAR]
    for item in outcome.items:
        if item.splitter not in closed:
            assert item.failure is not None
            assert "interrupted" in item.failure.message
            assert item.failure.rollback in {"nothing_done", "rolled_back"}


def test_the_sheets_of_the_resource_system_become_project_and_pools(site: Site) -> None:
    workflow = site.workflow()
    workflow.create_project(Project(id=PROJECT, name="x", created_at=NOW), actor=BUILDER)
    sheet = (
        "OLT名称,OLT设备管理IP,OLT PON口名称,分光器设备名称,分光器端口号,ONU端口SLVAN\n"
        "ma5683t,192.0.2.1,0/1/0,FAT-01-1,3,2000\n"
        "c320,192.0.2.2,gpon-olt_1/1/1,ODP-1-1,1,2000\n"
    )
    read = read_engineering(sheet.encode("gbk"), project=PROJECT)
    taken = workflow.import_engineering(PROJECT, read, actor=BUILDER)
    assert taken.added == (
        SplitterKey("ma5683t", "0/1/0", "FAT-01-1"),
        SplitterKey("c320", "1/1/1", "ODP-1-1"),
    )
    assert workflow.import_engineering(PROJECT, read, actor=BUILDER).unchanged == 2
    ranges = [
        CvlanRange(vlans=VlanRange(first=3001, last=3004), row=2),
        CvlanRange(vlans=VlanRange(first=3101, last=3104), row=3, olt="192.0.2.2"),
        CvlanRange(vlans=VlanRange(first=3110, last=3110), row=4, olt="c320"),
    ]
    pools = {pool.name: pool for pool in workflow.take_ranges(ranges, actor=REVIEWER)}
    assert pools["test c320"].ranges == ((3101, 3104), (3110, 3110))
    for splitter, name in zip(workflow.splitters(PROJECT), ("test", "test c320"), strict=True):
        assert choose_pool(pools, None, splitter, 2000).name == name
    with pytest.raises(ConfigError, match=r"row 5.*not in the store"):
        workflow.take_ranges([ranges[0].model_copy(update={"olt": "nowhere", "row": 5})], actor=REVIEWER)
    with pytest.raises(ConfigError, match="in common"):
        workflow.put_pool(CvlanPool(name="other", ranges=((3104, 3104),), scope="olt"), actor=REVIEWER)


def test_an_onu_that_is_plugged_in_elsewhere_is_a_matter_of_the_record(site: Site) -> None:
    """Activated before anybody was there, then plugged into a splitter of another port than recorded."""
    before, workflow = site.snapshot(), site.workflow()
    enter(workflow, (DARK,))
    workflow.dispatch(PROJECT, onus=ONUS, mode="activate", actor=ENGINEER)
    world = site.lab.olts["ma5683t"].world
    world.plug_in(Serial(SERIALS[DARK]), PonPort.parse("0/1/0"), "FAT-01-1", online_after_s=0.0)
    (item,) = workflow.test(PROJECT, actor=ENGINEER).items
    assert (item.state, item.line, item.fault) == (_S.REVOKED, "undetermined", FaultKind.DATA)
    (tested,) = workflow.rounds(PROJECT, DARK)
    assert "0/1/0" in next(finding.text for finding in tested.findings if finding.code == "wrong_port")
    assert site.snapshot() == before


def test_an_onu_that_somebody_removed_by_hand_is_not_taken_for_ours(site: Site) -> None:
    before, workflow = site.snapshot(), site.workflow()
    enter(workflow, (GOOD,))
    (live,) = workflow.dispatch(PROJECT, onus=ONUS, mode="activate", actor=ENGINEER).items
    world, place = site.lab.olts["ma5683t"].world, live.onu
    assert place is not None
    for service in world.services_of(place.port, place.onu_id):
        world.remove_service(service.index)
    world.delete(place)
    (item,) = workflow.test(PROJECT, actor=ENGINEER).items
    assert item.failure is not None
    assert item.failure.error_class == "NotOurs"
    assert item.state is _S.UNKNOWN
    (status,) = workflow.status(PROJECT).splitters
    assert (status.exported, status.flag, status.line) == ("激活成功", "状态未知", "not_measured")
    assert len(workflow.leases()) == 1
    (settled,) = workflow.resume().items  # the device was asked, and has nothing of ours
    assert settled.state is _S.REVOKED
    assert workflow.leases() == ()
    assert site.snapshot() == before


def test_what_is_kept_meanwhile_is_not_resumed(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow, (GOOD,))
    workflow.dispatch(PROJECT, onus=ONUS, mode="activate", actor=ENGINEER)
    # resume had seen it under way; by the time it is the OLT's writer, the other process has kept it
    stale = workflow._rows(PROJECT)
    settled = workflow._settle("resume", PROJECT, stale, ENGINEER, only=left_under_way)
    assert [item.state for item in settled.items] == [_S.ACTIVATED]
    assert len(workflow.leases()) == 1


class Dialler:
    """A service test that is made by a program."""

    name = "dialler"

    def __init__(self) -> None:
        self.dialled: list[str] = []

    def run(self, splitter: Splitter, item: ActivationItem) -> ServiceTest:
        self.dialled.append(f"{splitter.name} {item.state.exported} {item.cvlan}")
        return dialled(speed_down_mbps=12.5)


def test_a_program_may_make_the_service_test_once(site: Site) -> None:
    workflow, dialler = site.workflow(), Dialler()
    enter(workflow, (GOOD,))
    with pytest.raises(NotReady, match="never been activated"):
        workflow.service_test(PROJECT, GOOD, dialler, actor=ENGINEER)
    workflow.dispatch(PROJECT, onus=ONUS, mode="activate", actor=ENGINEER)
    for _ in range(2):
        made = workflow.service_test(PROJECT, GOOD, dialler, actor=ENGINEER, request_id="dial 1")
        assert (made.provider, made.speed_down_mbps, made.splitter) == ("dialler", 12.5, GOOD)
    assert dialler.dialled == [f"{GOOD.name} 激活成功 3001"]
    assert len(workflow.service_tests(PROJECT, GOOD)) == 1
    workflow.revoke(PROJECT, actor=ENGINEER)


def test_the_same_photo_is_one_piece_of_evidence_until_the_line_is_another(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow, (GOOD,))
    for _ in range(2):
        workflow.add_evidence(PROJECT, GOOD, photo("position"), actor=ENGINEER)
    assert len(workflow.evidence(PROJECT, GOOD)) == 1
    workflow.rectified(PROJECT, GOOD, actor=BUILDER)
    assert workflow.status(PROJECT).splitters[0].evidence == ()
    workflow.add_evidence(PROJECT, GOOD, photo("position"), actor=ENGINEER)
    assert workflow.status(PROJECT).splitters[0].evidence == ("position",)
    assert len(workflow.evidence(PROJECT, GOOD)) == 2


def test_sending_back_by_hand_waits_for_its_cure(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow, (GOOD,))
    workflow.dispatch(PROJECT, onus=ONUS, actor=ENGINEER)
    finish(workflow, GOOD)
    assert workflow.status(PROJECT).stage is Stage.ACCEPTANCE
    workflow.send_back(PROJECT, GOOD, FaultKind.SITE, actor=ENGINEER, comment="box is open")
    assert workflow.status(PROJECT).stage is Stage.ENGINEERING
    with pytest.raises(NotReady, match="现场整改"):
        workflow.accept(PROJECT, actor=ENGINEER)
    # an edit of the record does not close a box
    workflow.change_splitter(PROJECT, GOOD, splitter_of(GOOD, address="x"), actor=BUILDER)
    assert workflow.status(PROJECT).splitters[0].fault is FaultKind.SITE
    workflow.rectified(PROJECT, GOOD, actor=BUILDER)
    assert workflow.status(PROJECT).stage is Stage.ACTIVATION  # everything is tested once more


def test_no_secret_reaches_the_store(site: Site) -> None:
    workflow = site.workflow()
    enter(workflow, (GOOD, ZTE_GOOD))
    secrets = {
        GOOD: OnuAuth(serial=Serial(SERIALS[GOOD]), password=Password(value=SecretStr("CANARYPW1"))),
        ZTE_GOOD: OnuAuth(loid=Loid(value=SecretStr("CANARYLOID"), checkcode=SecretStr("CANARYCC"))),
    }
    outcome = workflow.dispatch(PROJECT, onus=secrets, actor=ENGINEER, request_id="with secrets")
    assert [item.state.live for item in outcome.items] == [False, False]
    live = workflow.dispatch(PROJECT, onus=secrets, mode="activate", actor=ENGINEER)
    assert any(item.state is _S.ACTIVATED for item in live.items)
    (shown,) = [item.password for item in workflow.activation_list(PROJECT, [GOOD])]
    assert shown == f"{SERIALS[GOOD]} + password ***"
    kept = []
    with site.stores[0].read() as connection:
        for table in schema.metadata.sorted_tables:
            kept += [str(tuple(row)) for row in connection.execute(sa.select(table))]
    assert len(kept) > 50
    assert "CANARY" not in "\n".join(kept)
    workflow.revoke(PROJECT, actor=ENGINEER)
    assert workflow.leases() == ()
