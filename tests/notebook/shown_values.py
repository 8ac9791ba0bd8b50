"""Values to show and draw, with the names that people and attackers give to splitters."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ponprobe.evaluate import CONSTRUCTION, judge, link_loss
from ponprobe.models.acceptance import ActivationOrder, Registration
from ponprobe.models.addressing import OnuAuth, OnuRef, PonPort, Serial
from ponprobe.models.judgement import Finding, Verdict
from ponprobe.models.optical import Absence, Dbm, OpticalReading, Reading
from ponprobe.models.run import MeasureResult, Plan, PlannedLine, Removal
from ponprobe.models.service import ProfileRef, VlanStack
from ponprobe.models.sweep import SweepRecord

AT = datetime(2026, 3, 1, 8, 30, tzinfo=timezone.utc)
HOSTILE = (
    "=1+1",
    "<script>alert(1)</script>",
    "one\nline\r\nthree",
    "x" * 200,
    "👩‍🔧 splitter 🔥",
    "ＦＡＴ－０１　分光器",
    "\u202eevil\u202c",
    '"><img src=x onerror=alert(1)>',
    "$\\frac{$ & 5",
    "\x00\x1b[31m",
    "_leading",
    "",
)


def power(value: float | None, absence: Absence = Absence.OFFLINE) -> Reading:
    if value is None:
        return Reading(absence=absence, source="cli: display ont optical-info 0 7", at=AT)
    return Reading(value=Dbm(value), source="cli: display ont optical-info 0 7", at=AT)


def reading(onu_rx: float | None = -18.4, onu: str = "0/1/0:7") -> OpticalReading:
    return OpticalReading(
        onu=OnuRef.parse(onu),
        olt_tx_dbm=power(3.4),
        olt_rx_dbm=power(-20.1),
        onu_tx_dbm=power(2.2),
        onu_rx_dbm=power(onu_rx),
        temperature_c=45.0,
    )


def verdict(onu_rx: float | None = -18.4, **more: Any) -> Verdict:
    return judge([reading(onu_rx)], CONSTRUCTION, judged_at=AT, **more)


def order(splitter: str | None = "FAT-01", **auth: Any) -> ActivationOrder:
    return ActivationOrder(
        port=PonPort.parse("0/1/0"),
        auth=OnuAuth(**(auth or {"serial": Serial("HWTC0B086EA9")})),
        vlans=VlanStack(svlan=2000, cvlan=3001),
        line_profile=ProfileRef(id=20),
        service_profile=ProfileRef(id=20),
        splitter=splitter,
    )


def result(onu_rx: float | None = -18.4, splitter: str | None = "FAT-01", *, removed: bool = True) -> MeasureResult:
    removal = Removal(
        onu=OnuRef.parse("0/1/0:7"),
        removed=("ONU 0/1/0:7",),
        proof=(("display ont info 0 1 0 7", f"  Failure: The ONT does not exist\n{splitter}"),),
        at=AT,
    )
    return MeasureResult(
        run_id="0123456789ab",
        olt="lab",
        host="192.0.2.1",
        order=order(splitter),
        onu=OnuRef.parse("0/1/0:7"),
        readings=(reading(onu_rx),),
        verdict=verdict(onu_rx),
        removal=removal if removed else None,
        findings=(Finding(code="x", text=f"about {splitter}", next_step="look"),),
        started_at=AT,
        finished_at=AT,
        online_after_s=12.34,
    )


def swept(onu_rx: float | None = -18.4, *, onu: str = "0/1/0:7", distance_m: float | None = 2500.0) -> SweepRecord:
    optical = reading(onu_rx, onu)
    return SweepRecord(
        olt="lab",
        host="192.0.2.1",
        onu=optical.onu,
        serial=Serial("HWTC0B086EA9"),
        run_state="online",
        distance_m=distance_m,
        optical=optical,
        loss=link_loss(optical),
        read_at=AT,
    )


def plan() -> Plan:
    registration = Registration(order=order(), onu=OnuRef.parse("0/1/0:7"), mark="PONPROBE_0123abcd")
    return Plan(
        registration=registration,
        reads_done=(PlannedLine(line="display ont info 0 1 0 all", view="config", purpose="read"),),
        lines=(
            PlannedLine(line="ont add 0 7 ...", view="config-if-gpon-0/1", purpose="write", what="register"),
            PlannedLine(line="display ont info 0 1 0 7", view="config", purpose="proof", what="is anything left?"),
        ),
    )
