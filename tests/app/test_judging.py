"""Limits, confidence, plant and picture as options of ``measure``; ``judge`` on what was stored."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ponprobe.emulator import EmulatedOlt
from ponprobe.models.addressing import Serial
from ponprobe.models.judgement import Verdict
from ponprobe.models.optical import Db, Dbm
from ponprobe.models.plant import PairedReading
from ponprobe.optics.calibration import calibrate

from .conftest import GOOD, WEAK, Run, measure

LIMITS = """
[[threshold_sets]]
id = "strict"
stage = "our own"
[[threshold_sets.thresholds]]
quantity = "onu_rx_dbm"
operator = ">="
limit = "-10 dBm"
"""


@pytest.fixture
def stored(cli: Run, home: Path) -> Path:
    ran = cli(*measure(WEAK), "--json", "--split", "1:8+1:8")
    assert ran.code == 3
    path = home / "result.json"
    path.write_text(ran.out, "utf-8")
    return path


def test_a_measurement_is_held_against_the_plant(cli: Run, home: Path) -> None:
    ran = cli(*measure(WEAK), "--json", "--split", "1:8+1:8", "--km", "3", "--picture", "level.svg", "--lang", "zh")
    down, up = ran.json["comparisons"]
    assert (down["measured"]["direction"], up["measured"]["direction"]) == ("down", "up")
    assert down["expected"]["record"]["record_km"] == 3
    assert down["expected"]["record"]["ranging_km"] > 0
    assert down["excess_db"] > 3
    assert "不达标" in ran.json["explanation"]
    assert ET.fromstring((home / "level.svg").read_text("utf-8")).tag.endswith("svg")


def test_the_length_may_be_what_the_olt_ranges(stored: Path) -> None:
    down = json.loads(stored.read_text("utf-8"))["comparisons"][0]
    assert down["expected"]["record"]["record_km"] is None
    assert "ranging" in " ".join(down["expected"]["assumptions"])


def test_a_stored_result_is_judged_again_and_names_the_old_verdict(command: Run, stored: Path) -> None:
    before = stored.read_bytes()
    old = Verdict.model_validate_json(json.dumps(json.loads(before)["verdict"]))
    ran = command("judge", str(stored), "--stage", "user_side", "--json")
    assert (ran.code, ran.json["verdict"]["outcome"]) == (0, "pass")
    assert ran.json["verdict"]["replaces"] == old.digest
    assert stored.read_bytes() == before
    shown = command("judge", str(stored), "--split", "1:64", "--km", "3")
    assert shown.code == 3
    assert "1:64 at 3.0 km should show" in " ".join(shown.err.split())


def test_a_policy_changes_the_verdict_and_is_printed(cli: Run) -> None:
    assert cli(*measure(GOOD), "--json").json["verdict"]["band"] == "marginal_pass"
    guarded = cli(*measure(GOOD), "--json", "--policy", "guard_accept")
    assert (guarded.code, guarded.json["verdict"]["outcome"]) == (3, "fail")
    assert guarded.json["verdict"]["options"]["policy"] == "guard_accept"


def test_own_limits(cli: Run, home: Path, olt: EmulatedOlt) -> None:
    (home / "limits.toml").write_text(LIMITS, "utf-8")
    ran = cli(*measure(GOOD), "--json", "--thresholds", "limits.toml")
    assert (ran.code, ran.json["verdict"]["threshold_set"]["id"]) == (3, "strict")
    (home / "limits.toml").write_text(LIMITS.replace("-10 dBm", "-20dB"), "utf-8")
    before = len(olt.commands)
    wrong = cli(*measure(GOOD), "--thresholds", "limits.toml")
    assert wrong.code == 2
    assert "limits.toml" in wrong.err
    assert len(olt.commands) == before


def certificate(serial: str, days: int) -> str:
    now = datetime.now(timezone.utc)
    pairs = [PairedReading(meter_dbm=Dbm(level), onu_rx_dbm=Dbm(level + 1.5)) for level in (-15.0, -20.0, -25.0)]
    return calibrate(
        Serial(serial), pairs, meter_id="PM-1", meter_accuracy_db=Db(0.5), certificate="K-7",
        calibrated_at=now - timedelta(days=400), valid_until=now + timedelta(days=days),
    ).model_dump_json()  # fmt: skip


def test_a_certificate_corrects_the_reading_and_shrinks_its_doubt(cli: Run, home: Path) -> None:
    (home / "k7.json").write_text(certificate(GOOD, 30), "utf-8")
    plain = cli(*measure(GOOD), "--json").json["verdict"]
    ran = cli(*measure(GOOD), "--json", "--calibration", "k7.json").json["verdict"]
    shift = ran["reading"]["onu_rx_dbm"]["value"] - plain["reading"]["onu_rx_dbm"]["value"]
    assert shift == pytest.approx(-1.5, abs=0.5)
    assert "K-7" in ran["reading"]["onu_rx_dbm"]["source"]
    assert ran["judgements"][0]["uncertainty"]["w_db"] < plain["judgements"][0]["uncertainty"]["w_db"] / 2


@pytest.mark.parametrize(("serial", "days"), [(GOOD, -1), (WEAK, 30)])
def test_a_certificate_that_is_not_valid_here_stops_everything(
    cli: Run, home: Path, olt: EmulatedOlt, serial: str, days: int
) -> None:
    (home / "k7.json").write_text(certificate(serial, days), "utf-8")
    ran = cli(*measure(GOOD), "--calibration", "k7.json")
    assert ran.code == 2
    assert "K-7" in ran.err
    assert olt.commands == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--stage", "moon"], "--stage: there is no threshold set 'moon'"),
        (["--class", "Z"], "--class:"),
        (["--split", "one"], "--split: 'one' is no split"),
        (["--split", "1:1"], "--split:"),
        (["--km", "3"], "--km: needs --split"),
        (["--thresholds", "nowhere.toml"], "--thresholds:"),
        (["--calibration", "nowhere.json"], "--calibration:"),
        (["--picture", "no/such/place.svg"], "--picture: there is no directory"),
    ],
)
def test_wrong_options_are_named_before_anything_is_sent(
    cli: Run, olt: EmulatedOlt, options: list[str], told: str
) -> None:
    ran = cli(*measure(GOOD), *options)
    assert ran.code == 2
    assert told in " ".join(ran.err.split())
    assert olt.commands == []


@pytest.mark.parametrize("text", ["{}", "[1]", "not json", '{"verdict": {"outcome": "pass"}}'])
def test_what_is_no_measurement_is_refused(command: Run, home: Path, text: str) -> None:
    (home / "x.json").write_text(text, "utf-8")
    ran = command("judge", "x.json")
    assert ran.code == 2
    assert "FILE:" in ran.err
    assert "measure --json" in " ".join(ran.err.split())
