"""A Chinese report is Chinese: whatever was found, failed or noted, no English sentence but marked quotations."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from report_samples import (
    ENGINEER,
    NOW,
    dialled,
    everything,
    line_round,
    optical,
    photo,
    project_of,
    reported,
    splitter_named,
)

import ponprobe
from ponprobe import errors
from ponprobe.evaluate import CONSTRUCTION, USER_SIDE, judge
from ponprobe.models.addressing import Serial
from ponprobe.models.engineering import ActivationState, Decision, Failure, FaultKind, Place
from ponprobe.models.judgement import Finding, Policy, Threshold, ThresholdSet, Verdict
from ponprobe.models.optical import Db, Dbm, OpticalReading
from ponprobe.optics.classes import optical_classes
from ponprobe.optics.findings import SAYINGS, finding_step, finding_text
from ponprobe.optics.limit_words import meaning_of, stage_of
from ponprobe.optics.thresholds import threshold_sets
from ponprobe.reports import TABLES, ReportData, rows, write_html, write_xlsx
from ponprobe.reports.failures import what_to_do, why_failed

QUOTED = re.compile("原文：“[^”]*”")
SENTENCE = re.compile(r"[A-Za-z][a-z']+(?:[ ,;:]+[A-Za-z'-]{2,}){2,}")
"""Three words in a row; names of devices, units and codes are fewer."""
OWN_WORDS = {"commands", "comment", "address", "file_name", "run_id", "speed_server", "onu_name"}
"""Cells that hold what a device or a person wrote."""

# what the values of a finding are, where the finding is made outside of the judge
SAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "wrong_port": (("serial", "HWTC0B086EA9"), ("seen", "0/1/1"), ("recorded", "0/1/0")),
    "registration_conflict": (("serial", "HWTC0B086EA9"), ("at", "0/1/0:3")),
    "never_online": (("port", "0/1/0"), ("cause", "dying-gasp")),
    "verify_still_registered": (("onu", "0/1/0:7"), ("seen", "HWTC0B086EA9")),
    "verify_not_registered": (("onu", "0/1/0:7"),),
    "verify_other_onu": (("onu", "0/1/0:7"), ("serial", "HWTC0B086EA9"), ("seen", "HWTC0B086EB0")),
    "verify_run_state": (("onu", "0/1/0:7"), ("state", "online"), ("seen", "offline")),
    "verify_power": (("quantity", "onu_rx_dbm"), ("measured", "-18.38 dBm"), ("seen", "-19.10 dBm")),
    "within_precision": (("quantity", "onu_rx_dbm"), ("margin", "1.62 dB"), ("precision", "3.00 dB")),
    "calibration_extrapolated": (
        ("measured", "-18.38 dBm"), ("certificate", "C-1"), ("low", "-28.00 dBm"), ("high", "-20.00 dBm"),
    ),
    "not_verified": (),
    "plant_differs": (),
    "service_not_seen": (),
    "cut_short": (),
}  # fmt: skip


def english(text: str) -> list[str]:
    """The English sentences in a text; marked quotations do not count."""
    return SENTENCE.findall(QUOTED.sub("", text))


def strange(**more: Any) -> OpticalReading:
    return optical(-18.0).model_copy(update=more)


def verdicts() -> Iterator[Verdict]:
    """Verdicts that between them have every finding of the judge."""
    late = optical(-18.0).onu_rx_dbm.model_copy(update={"at": NOW + timedelta(seconds=200)})
    powerful = optical(-18.0).onu_tx_dbm.model_copy(update={"value": Dbm(32.0)})
    yield judge([strange(voltage_v=0.163, bias_ma=5600.0, onu_tx_dbm=powerful)], CONSTRUCTION, judged_at=NOW)
    yield judge([optical(-18.0), optical(None), optical(-21.5)], CONSTRUCTION, judged_at=NOW)
    yield judge(
        [strange(onu_rx_dbm=late, device_downstream_attenuation_db=Db(25.0))], CONSTRUCTION, judged_at=NOW, split=1024
    )
    yield judge([optical(-5.0, olt_tx=-10.0, onu_tx=-10.0, olt_rx=-5.0)], CONSTRUCTION, judged_at=NOW)
    yield judge([optical(-19.81, onu_tx=3.44)], CONSTRUCTION, judged_at=NOW)
    yield judge([optical(-33.0, olt_tx=3.44, onu_tx=2.17, olt_rx=-12.0)], CONSTRUCTION, judged_at=NOW)
    yield judge([optical(-12.0, olt_tx=3.0, onu_tx=9.0, olt_rx=-7.0)], CONSTRUCTION, judged_at=NOW)
    yield judge([optical(-20.0, olt_tx=7.0, onu_tx=2.0, olt_rx=-15.0)], CONSTRUCTION, judged_at=NOW)
    yield judge([optical(-28.0, olt_tx=9.0, onu_tx=-4.0, olt_rx=-5.0)], CONSTRUCTION, judged_at=NOW)
    deaf = ThresholdSet(
        id="mine", stage="现场", thresholds=(threshold(-40.0),), version=1
    )  # a limit that no receiver of the class reaches
    for each in optical_classes():
        yield judge([optical(-38.0, olt_tx=9.0, onu_tx=9.0)], deaf, judged_at=NOW, optical_class=each)
        yield judge([optical(-1.0, olt_tx=2.0, onu_tx=2.0, olt_rx=-1.0)], deaf, judged_at=NOW, optical_class=each)


def threshold(limit: float) -> Threshold:
    return Threshold.model_validate(
        {
            "quantity": "onu_rx_dbm",
            "comparison": ">=",
            "limit": Dbm(limit),
            "source_text": "自定",
            "interpretation": "自定",
        }
    )


def judged_findings() -> dict[str, Finding]:
    return {each.code: each for verdict in verdicts() for each in verdict.findings}


def made_in_the_source() -> set[str]:
    """Every code that a ``Finding(code="...")`` of ours names."""
    root = Path(ponprobe.__file__).parent
    return {
        str(keyword.value.value)
        for path in root.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Finding"
        for keyword in call.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }


def test_every_finding_that_is_made_has_chinese_words() -> None:
    made = made_in_the_source()
    assert len(made) > 20
    assert made <= set(SAYINGS)


@pytest.mark.parametrize("code", sorted(set(SAYINGS) - set(SAMPLES)))
def test_what_the_judge_finds_is_told_with_its_numbers(code: str) -> None:
    found = judged_findings()[code]
    text = finding_text(found, "zh")
    assert not english(text)
    assert "原文" not in text
    for name, value in found.values:
        assert name in {"quantity", "side"} or value in text, f"{name} {value} is not in {text}"
        # the English sentence has the same numbers; only how a range is written differs
        assert name in {"quantity", "side", "bound", "range"} or value in found.text, f"{value} is not in {found.text}"
    step = finding_step(found, "zh")
    assert (step is None) is (found.next_step is None)
    assert step is None or not english(step)


@pytest.mark.parametrize("code", sorted(SAMPLES))
def test_what_a_session_finds_is_told_with_its_names(code: str) -> None:
    found = Finding(code=code, text="some words of it", next_step="look there", values=SAMPLES[code])
    text = finding_text(found, "zh")
    assert "原文" not in text
    assert not english(text + (finding_step(found, "zh") or ""))
    for name, value in SAMPLES[code]:
        assert name in {"quantity", "state"} or value in {"online", "offline"} or value in text
    without = finding_text(found.model_copy(update={"values": ()}), "zh")
    assert without == text or "原文：“some words of it”" in without or len(without) < len(text)


def test_a_power_that_one_road_does_not_have_is_told_in_words() -> None:
    dark = optical(None).onu_rx_dbm
    values = (("quantity", "onu_rx_dbm"), ("measured", str(dark)), ("seen", "-18.38 dBm"))
    found = Finding(code="verify_power", text="x", values=values)
    assert "ONU接收光功率配置途径为 无读数（未收到光），SNMP为 -18.38 dBm" in finding_text(found, "zh")


def test_an_unknown_finding_is_quoted() -> None:
    found = Finding(code="brand_new", text="all of this is new", next_step="go and see it")
    assert finding_text(found, "zh") == "原文：“all of this is new”"
    assert finding_step(found, "zh") == "原文：“go and see it”"
    assert finding_text(found, "en") == "all of this is new"


def test_values_survive_json_and_nothing_is_added_without_them() -> None:
    found = judged_findings()["ddm_untrusted"]
    assert Finding.model_validate_json(found.model_dump_json()) == found
    assert "values" not in Finding(code="a", text="b").model_dump()
    assert set(Finding.model_json_schema(mode="serialization")["properties"]) == set(Finding.model_fields)


@pytest.mark.parametrize("name", sorted(each for each in dir(errors) if isinstance(getattr(errors, each), type)))
def test_every_error_has_chinese_words(name: str) -> None:
    kind = getattr(errors, name)
    if not issubclass(kind, errors.PonprobeError) or kind is errors.PonprobeError or name == "ImportProblem":
        return  # a project's failures are not import problems, and nobody raises the root itself
    failure = Failure(
        error_class=name, message="it did not work at all", hint="try it once more", rollback="rolled_back"
    )
    told = why_failed(failure, "zh")
    assert name in told
    assert not english(told)
    assert "已回滚并证明" in told
    step = what_to_do(failure, "zh")
    assert step
    assert not english(step)
    assert "原文" not in step
    assert "it did not work at all" in why_failed(failure, "en")


@pytest.mark.parametrize("name", threshold_sets())
def test_every_built_in_limit_is_told_in_chinese(name: str) -> None:
    limits = threshold_sets()[name]
    assert not english(stage_of(limits, "zh"))
    for each in limits.thresholds:
        assert not english(meaning_of(each, "zh"))
    own = limits.model_copy(update={"stage": "my own stage here"})
    assert stage_of(own, "zh") == "my own stage here"


def all_kinds() -> ReportData:
    """Everything that a report can tell, in one project."""
    reports = list(everything().opened())
    for number, verdict in enumerate(verdicts()):
        splitter = splitter_named(f"V-{number}", place=Place(latitude=31.2, longitude=121.4, datum="wgs84"))
        tested = line_round(splitter, verdict.readings).model_copy(
            update={"verdict": verdict, "fault": FaultKind.SITE if verdict.outcome.value == "fail" else None}
        )
        reports.append(reported(splitter, [tested], evidence=remarked()))
    for name in sorted(errors.__dict__):
        if isinstance(errors.__dict__[name], type) and issubclass(errors.__dict__[name], errors.PonprobeError):
            splitter = splitter_named(f"E-{name}", ratio=3, stages=(3,))
            failure = Failure(
                error_class=name, message="the words of an error", hint="do this and that", rollback="unknown"
            )
            found = tuple(Finding(code=code, text="x", next_step="y", values=SAMPLES[code]) for code in SAMPLES)
            tested = line_round(splitter, [], failure=failure, findings=found, fault=FaultKind.DATA)
            reports.append(reported(splitter, [tested], services=[dialled(provider="manual", reach_ok=False)]))
    for state in ActivationState:
        splitter = splitter_named(f"S-{state}", ratio=7, stages=(3, 7))
        limits = USER_SIDE if state.live else CONSTRUCTION
        reports.append(reported(splitter, [line_round(splitter, [optical(-19.9)], limits=limits)], state=state))
    for policy in Policy:
        splitter = splitter_named(f"P-{policy}")
        verdict = judge([optical(-20.5)], CONSTRUCTION, judged_at=NOW, policy=policy)
        tested = line_round(splitter, [optical(-15.0)]).model_copy(update={"verdict": verdict, "fault": None})
        reports.append(reported(splitter, [tested]))
    decisions = tuple(
        Decision(kind=kind, accepted=accepted, fault=None if accepted else FaultKind.SITE, actor=ENGINEER, at=NOW)
        for kind in ("acceptance", "review")
        for accepted in (True, False)
    )
    numbered = [each.model_copy(update={"number": place}) for place, each in enumerate(reports, 1)]
    return project_of(numbered, decisions=decisions)


def remarked() -> list[Any]:
    """Evidence with every remark that is made when it is added."""
    place = Place(latitude=31.21, longitude=121.41, datum="unknown")
    return [
        photo("position", 1, captured_at=None, offset=None, place=None,
              warnings=("no capture time",), notes=("no place in the file",)),
        photo("result", 2, offset=None, place=place, distance_m=1800.4, warnings=(
            "1.8 km from site", "datum unknown: distance means little below 1 km", "captured 6 h before the test"),
            notes=("the file's time has no offset: Asia/Shanghai was assumed",)),
        photo("label", 3, media_type="application/pdf", warnings=("not a picture: application/pdf",)),
        photo("label", 4, place=place.model_copy(update={"datum": "gcj02"}), distance_m=80.0,
              warnings=("datums differ (gcj02, wgs84): distance means little below 1 km",), notes=("80 m from site",)),
        photo("other", 5, place=place, notes=("no site coordinate to compare the place with",)),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def kinds() -> ReportData:
    return all_kinds()


def test_no_cell_of_a_chinese_report_has_an_english_sentence(kinds: ReportData) -> None:
    seen = set()
    for table in TABLES:
        for row in rows(kinds, table, "zh"):
            for column, cell in zip(table.columns, row, strict=True):
                if isinstance(cell, str) and column.key not in OWN_WORDS:
                    assert not english(cell), f"{table.name}.{column.key}: {cell}"
                    seen.add((table.name, column.key))
    assert {("results", "findings"), ("results", "next_step"), ("history", "why"), ("evidence", "warnings")} <= seen
    # what is only quoted is what nobody has words for
    quotes = {quote for row in rows(kinds, TABLES[2], "zh") for cell in row for quote in QUOTED.findall(str(cell))}
    assert quotes == {"原文：“captured 6 h before the test”"}


def test_the_same_remarks_are_told_in_english_as_they_were_noted(kinds: ReportData) -> None:
    evidence = TABLES[2]
    told = {str(row[evidence.keys.index("warnings")]) for row in rows(kinds, evidence, "en")}
    assert any("captured 6 h before the test" in each and "1.8 km from site" in each for each in told)


class Spoken(HTMLParser):
    """All that a page says: text, titles and descriptions of pictures, attributes that are read out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._silent = 0
        self._own = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self._silent += tag == "style"
        self._own = tag == "dd" and known.get("data-k") in OWN_WORDS
        self.said += [str(known[name]) for name in ("alt", "title", "aria-label") if known.get(name)]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag == "style"
        self._own = False

    def handle_data(self, data: str) -> None:
        if not self._silent and not self._own:
            self.said.append(data)


def test_no_word_of_a_chinese_page_or_first_sheet_is_an_english_sentence(kinds: ReportData) -> None:
    target = io.BytesIO()
    write_html(kinds, target, details=1000)
    page = Spoken()
    page.feed(target.getvalue().decode())
    assert len(page.said) > 1000
    for each in page.said:
        assert not english(each), each
    import openpyxl  # noqa: PLC0415 - an extra

    target = io.BytesIO()
    write_xlsx(kinds, target)
    for row in openpyxl.load_workbook(target)["汇总"].values:
        for cell in row:
            assert not english(str(cell)), cell


def test_a_chinese_serial_is_no_sentence() -> None:
    """The search itself: it finds sentences and lets names be."""
    assert english("the ONU is offline now")
    assert not english(f"{Serial('HWTC0B086EA9')} ONU接收光功率 -20.00 dBm construction@1 Asia/Shanghai")
    assert not english("原文：“the ONU is offline now”；设备未应答")
