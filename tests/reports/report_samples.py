"""Projects for report tests, made of readings and records and nothing else: no device, no store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from ponprobe.evaluate import CONSTRUCTION, judge
from ponprobe.models.acceptance import Residue
from ponprobe.models.addressing import PonPort, Serial
from ponprobe.models.engineering import (
    ActivationItem,
    ActivationState,
    Actor,
    Decision,
    EvidenceItem,
    Failure,
    FaultKind,
    HangTest,
    LineRound,
    OltRecord,
    Place,
    Project,
    ServiceTest,
    Splitter,
    Stage,
    TestState,
)
from ponprobe.models.judgement import Finding, ThresholdSet
from ponprobe.models.optical import Absence, Db, Dbm, OpticalReading, Reading
from ponprobe.models.run import Removal
from ponprobe.models.service import VlanStack
from ponprobe.reports import data as report
from ponprobe.reports.data import Counted, ReportData, SplitterReport
from ponprobe.store.activations import Activation
from ponprobe.workflow.base import AcceptanceRules
from ponprobe.workflow.status import SplitterStatus

NOW = datetime(2016, 8, 1, 2, 0, tzinfo=timezone.utc)
ENGINEER = Actor(name="验收乙", role="acceptance_engineer")
REVIEWER = Actor(name="资管丙", role="resource_admin")
OLT = OltRecord(name="ma5683t", host="192.0.2.10", platform="huawei_smartax")
HOSTILE = {
    "formula": "=1+1",
    "markup": "<script>alert(1)</script>",
    "newline": "FAT\n01",
    "long": "很长的名字" * 40,
    "emoji": "👷🏽‍♀️ 1号",
    "wide": "＝ＳＵＭ（１）",
    "plus": "+86 138",
    "at": "@import 'x'",
    "minus": "-20.1",
    "error": "#N/A",
    "escape": "_x0041_",
    "quotes": "\"a\" & 'b'",
    "turned": "abc\u202edef",
    "control": "bell\x07",
    "number": "0012345678",
    "exponent": "1234E567",
    "comma": "a,b;c\td",
}
"""Names of splitters that somebody may write, each 200 characters at most."""
ODD = {"control"}
"""Names that not every format can hold as they are."""


def power(value: float | None, *, reason: Absence = Absence.NOT_REPORTED, at: datetime = NOW) -> Reading:
    source = "cli: display ont optical-info 0 7"
    if value is None:
        return Reading(absence=reason, source=source, at=at)
    return Reading(value=Dbm(value), source=source, at=at, precision_db=Db(3.0))


def optical(
    onu_rx: float | None,
    *,
    port: str = "0/1/0",
    olt_tx: float | None = 3.44,
    onu_tx: float | None = 2.17,
    olt_rx: float | None = -19.81,
) -> OpticalReading:
    return OpticalReading(
        onu=PonPort.parse(port).onu(7),
        olt_tx_dbm=power(olt_tx, at=NOW + timedelta(seconds=3)),
        olt_rx_dbm=power(olt_rx),
        onu_tx_dbm=power(onu_tx),
        onu_rx_dbm=power(onu_rx, reason=Absence.NO_SIGNAL),
    )


def dialled(**more: Any) -> ServiceTest:
    facts = {
        "dial_ok": True,
        "reach_ok": True,
        "speed_down_mbps": 98.2,
        "speed_up_mbps": 19.7,
        "account": "test01@example",
    }
    return ServiceTest(**{**facts, "started_at": NOW + timedelta(minutes=5), "actor": ENGINEER, **more})


def photo(kind: str, number: int = 1, **more: Any) -> EvidenceItem:
    facts: dict[str, Any] = {"sha256": f"{number:02x}" * 32, "bytes": 1000 + number, "file_name": f"{kind}.jpg"}
    facts |= {"media_type": "image/jpeg", "captured_at": NOW, "offset": "+08:00", "added_at": NOW, "actor": ENGINEER}
    return EvidenceItem(**{"kind": kind, **facts, **more})


def line_round(
    splitter: Splitter,
    readings: Sequence[OpticalReading],
    *,
    number: int = 1,
    serial: str | None = "HWTC0B086EA9",
    limits: ThresholdSet = CONSTRUCTION,
    at: datetime = NOW,
    **more: Any,
) -> LineRound:
    verdict = judge(readings, limits, judged_at=at) if readings else None
    fault = None if verdict is None or verdict.outcome.value != "fail" else FaultKind.SITE
    facts = {"readings": tuple(readings), "verdict": verdict, "fault": fault, "splitter_port": splitter.splitter_port}
    facts |= {"serial": None if serial is None else Serial(serial), "vlans": VlanStack(svlan=2000, cvlan=3001)}
    facts |= {
        "onu": splitter.port.onu(7),
        "onu_name": "PT-0001",
        "actor": ENGINEER,
        "run_id": f"r{number:04d}",
        "at": at,
    }
    return LineRound(splitter=splitter.key, round=number, **{**facts, **more})


def removed(splitter: Splitter) -> Removal:
    proof = (("display ont info by-sn HWTC0B086EA9", "The required ONT does not exist"),)
    return Removal(onu=splitter.port.onu(7), removed=("ONU 0/1/0:7",), proof=proof, at=NOW + timedelta(minutes=9))


def splitter_named(name: str, *, port: str = "0/1/0", **more: Any) -> Splitter:
    facts = {"ratio": 8, "stages": (4, 8), "distance_km": 3.0, "address": "锦绣花园 1 号楼"}
    return Splitter(project="XM-2016-001", name=name, olt=OLT.name, port=PonPort.parse(port), **{**facts, **more})


def reported(
    splitter: Splitter,
    rounds: Sequence[LineRound] = (),
    *,
    number: int = 1,
    services: Sequence[ServiceTest] | None = None,
    evidence: Sequence[EvidenceItem] | None = None,
    state: ActivationState | None = None,
    counted: Counted | None = None,
    **activation: Any,
) -> SplitterReport:
    """A splitter as the store would have it; by default with service test, both photos, and a proven removal."""
    services = ([dialled()] if rounds else []) if services is None else services
    if evidence is None:
        evidence = [photo("position", 1), photo("result", 2)] if rounds else []
    counted = counted or Counted()
    if state is None:
        state = ActivationState.REVOKED if rounds else ActivationState.NOT_ACTIVATED
    counting = [each for each in rounds if each.round > counted.rounds_void]
    newest = counting[-1] if counting else None
    line = None if newest is None else ("not_measured" if newest.verdict is None else str(newest.verdict.outcome))
    current = services[counted.services_void :]
    service = current[-1].passed if current else None
    status = SplitterStatus(
        splitter=splitter.key,
        to_be_tested=splitter.to_be_tested,
        state=state,
        exported=state.exported,
        flag=state.flag,
        test_state=TestState.DONE if line and service is not None else TestState.NOT_DONE,
        line=line,
        rounds=len(rounds),
        service=service,
        evidence=tuple(sorted({each.kind for each in evidence[counted.evidence_void :]})),
        fault=newest.fault if newest else None,
    )
    facts: dict[str, Any] = {"state": state, "attempt": len(rounds), "auth": "HWTC0B086EA9 + password ***"}
    if rounds:
        facts |= {"vlans": VlanStack(svlan=2000, cvlan=3001), "onu_name": "PT-0001", "onu": splitter.port.onu(7)}
    if state is ActivationState.REVOKED:
        facts["removal"] = removed(splitter)
    now = Activation(**{**facts, **activation})
    item = ActivationItem.of(
        splitter, OLT, onu_name="PT-0001", vlans=now.vlans, state=state, test_state=status.test_state
    ).model_copy(update={"password": now.auth})
    return report.with_comparisons(
        SplitterReport(
            number=number,
            splitter=splitter,
            olt=OLT,
            item=item,
            status=status,
            activation=now,
            counted=counted,
            rounds=tuple(rounds),
            service_tests=tuple(services),
            evidence=tuple(evidence),
        )
    )


def project_of(reports: Iterable[SplitterReport], **more: Any) -> ReportData:
    gathering = report.Gathering()
    wanted, done, passed, live = 0, 0, 0, 0
    for each in reports:
        gathering.add(each)
        wanted += each.status.to_be_tested
        done += each.status.test_state is TestState.DONE
        passed += each.total is True
        live += not each.clean
    facts: dict[str, Any] = {
        "project": Project(id="XM-2016-001", name="锦绣花园二期", builder="某施工单位", created_at=NOW),
        "stage": Stage.FIELD_TEST,
        "hang_test": HangTest(required=True, derived=True),
        "rules": AcceptanceRules(),
        "generated_at": NOW + timedelta(hours=1),
        "to_test": wanted,
        "tested": done,
        "passed": passed,
        "live": live,
    }
    return ReportData(**{**facts, **gathering.found(), **more})


def everything() -> ReportData:
    """One splitter of each kind that a report has to tell."""
    good = splitter_named(
        "锦绣花园 1 号楼/FAT-01-1", place=Place(latitude=31.230416, longitude=121.473701, datum="wgs84")
    )
    weak, mended = splitter_named("FAT-01-2"), splitter_named("FAT-01-3")
    edge, dark = splitter_named("FAT-01-4"), splitter_named("FDT-02", port="0/1/1", stages=None)
    wrong, new = splitter_named("FAT-01-5"), splitter_named("FAT-01-6")
    kept, first = splitter_named("FAT-02-1", port="0/1/2"), splitter_named("OBD-1", last_stage=False)
    blind = splitter_named("FAT-01-7", stages=(2, 8))
    found = Finding(
        code="wrong_port",
        text="HWTC0B086EA9 was found on 0/1/1 instead of 0/1/0: the record is wrong",
        next_step="correct the record of the splitter, or plug into the right one",
    )
    failure = Failure(
        error_class="TransportTimeout",
        message="192.0.2.10 did not answer",
        hint="check the road",
        rollback="rolled_back",
    )
    left = Residue(what="ONU 0/1/2:7", ours=True, where="192.0.2.10")
    stuck = Failure(error_class="ResidueError", message="the ONU is still there", rollback="residue", residue=(left,))
    old = line_round(mended, [optical(-26.5)], number=1, at=NOW - timedelta(days=2))
    far = photo(
        "position",
        3,
        place=Place(latitude=31.2, longitude=121.4, datum="gcj02"),
        distance_m=1800.4,
        warnings=("1.8 km from site",),
    )
    reports = [
        reported(
            good,
            [line_round(good, [optical(-15.2), optical(-15.21), optical(-15.19)])],
            evidence=[far, photo("result", 4)],
        ),
        reported(
            weak,
            [line_round(weak, [optical(-24.9, olt_rx=-26.4)])],
            services=[dialled(dial_ok=False, reach_ok=None, error="691")],
        ),
        reported(
            mended,
            [old, line_round(mended, [optical(-15.6)], number=2)],
            services=[dialled(), dialled()],
            counted=Counted(rounds_void=1, services_void=1),
        ),
        reported(edge, [line_round(edge, [optical(-20.004)])]),
        reported(dark, [line_round(dark, [optical(None, port="0/1/1", olt_rx=None)])], services=[]),
        reported(wrong, [line_round(wrong, [], failure=failure, findings=(found,), fault=FaultKind.DATA)], services=[]),
        reported(new),
        reported(
            kept,
            [line_round(kept, [optical(-18.38, port="0/1/2")])],
            state=ActivationState.REVOKE_FAILED,
            failure=stuck,
            evidence=[photo("result", 5)],
        ),
        reported(first),
        reported(blind, [line_round(blind, [optical(-17.4, onu_tx=None)])]),
    ]
    numbered = [each.model_copy(update={"number": place}) for place, each in enumerate(reports, 1)]
    refusal = Decision(
        kind="acceptance", accepted=False, fault=FaultKind.SITE, actor=ENGINEER, at=NOW, comment="FAT-01-2 整改后复测"
    )
    return project_of(numbered, decisions=(refusal,))


def hostile() -> ReportData:
    """Every hostile name as a splitter, a comment and a file name."""
    reports = []
    for number, name in enumerate(HOSTILE.values(), 1):
        splitter = splitter_named(name, address=name)
        piece = photo("result", number, file_name=name, warnings=(name,))
        reports.append(
            reported(
                splitter,
                [line_round(splitter, [optical(-15 - number / 10)], comment=name)],
                number=number,
                evidence=[piece],
            )
        )
    return project_of(reports, project=Project(id="XM-2016-001", name="=<b>&二期", builder="@施工", created_at=NOW))


def many(count: int) -> ReportData:
    """A large project: eight splitters a PON, every seventh weak, every fifth tested twice."""

    def each(number: int) -> SplitterReport:
        port = f"0/{number // 128 % 16 + 1}/{number // 8 % 16}"
        splitter = splitter_named(f"小区{number // 64:03d}/FAT-{number:05d}", port=port)
        level = -24.0 - number % 3 if number % 7 == 0 else -15.0 - number % 40 / 10
        rounds = [line_round(splitter, [optical(level - 0.01 * each, port=port) for each in range(3)])]
        if number % 5 == 0:
            rounds.append(line_round(splitter, [optical(level + 0.3, port=port)] * 3, number=2))
        return reported(splitter, rounds, number=number)

    return project_of(each(number) for number in range(1, count + 1))
