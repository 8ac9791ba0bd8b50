"""The TM Forum shapes: only published field names, numbers as they are, and nothing hidden."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ponprobe.models.engineering import ActivationState
from ponprobe.reports import ReportData, to_tmf653, to_tmf702
from ponprobe.reports.tmf import _RESOURCE_STATES

COMMON = {"@type", "@baseType", "@schemaLocation", "@referredType", "id", "href", "name", "description"}
FIELDS: dict[str, set[str]] = {
    # TMF653 v4.0: ServiceTest, TestMeasure, MeasureThresholdRuleViolation; TMF702/TMF639 v4: Resource
    "ServiceTest": {
        "characteristic", "endDateTime", "lastUpdate", "lifecycleStatus", "mode", "relatedParty", "relatedService",
        "startDateTime", "state", "testMeasure", "testSpecification", "validFor", "version",
    },
    "TestMeasure": {
        "accuracy", "captureDateTime", "captureMethod", "metricDescription", "metricHref", "metricName",
        "ruleViolation", "unitOfMeasure", "value",
    },
    "MeasureThresholdRuleViolation": {
        "appliedConsequence", "conformanceComparatorLower", "conformanceComparatorUpper", "conformanceTargetExact",
        "conformanceTargetLower", "conformanceTargetUpper", "numberOfAllowedCrossing", "thresholdRuleSeverity",
        "tolerancePeriod",
    },
    "Resource": {
        "activationFeature", "administrativeState", "attachment", "category", "endOperatingDate", "note",
        "operationalState", "place", "relatedParty", "resourceCharacteristic", "resourceRelationship",
        "resourceSpecification", "resourceStatus", "resourceVersion", "startOperatingDate", "usageState",
    },
}  # fmt: skip


def checked(value: Any) -> Any:
    """Walk through a shape: known fields only, and plain JSON."""
    json.dumps(value, allow_nan=False)
    if isinstance(value, dict):
        if value.get("@type") in FIELDS:
            assert value.keys() <= FIELDS[value["@type"]] | COMMON
        for each in value.values():
            checked(each)
    elif isinstance(value, list):
        for each in value:
            checked(each)
    return value


def test_a_service_test_has_the_six_numbers_and_the_violated_limit(everything: ReportData) -> None:
    _, weak, *_ = everything.opened()
    told = checked(to_tmf653(everything, weak))
    values = {each["metricName"]: (each["value"]["value"], each["unitOfMeasure"]) for each in told["testMeasure"]}
    assert values["onu_rx_dbm"] == (-24.9, "dBm")
    assert values["downstream_attenuation_db"] == (28.34, "dB")
    assert len(values) == 6
    (violation,) = [rule for each in told["testMeasure"] for rule in each["ruleViolation"]]
    assert (violation["conformanceComparatorLower"], violation["conformanceTargetLower"]) == (">=", "-20.0")
    assert told["mode"] == "ONDEMAND"
    assert {each["accuracy"] for each in told["testMeasure"]} <= {1, 2}


def test_what_is_missing_is_no_measure_and_has_its_reason(everything: ReportData) -> None:
    reports = {each.key.name: each for each in everything.opened()}
    told = checked(to_tmf653(everything, reports["FDT-02"]))
    assert [each["metricName"] for each in told["testMeasure"]] == ["olt_tx_dbm", "onu_tx_dbm"]
    said = {each["name"]: each["value"] for each in told["characteristic"]}
    assert said["result"] == "undetermined"
    assert said["absence.onu_rx_dbm"] == "no_signal"
    failed = checked(to_tmf653(everything, reports["FAT-01-5"]))
    assert (failed["state"], failed["testMeasure"]) == ("failed", [])
    with pytest.raises(ValueError, match="no line round"):
        to_tmf653(everything, reports["FAT-01-6"])


def test_a_resource_that_may_be_left_is_an_alarm(everything: ReportData) -> None:
    reports = {each.key.name: checked(to_tmf702(everything, each)) for each in everything.opened()}
    stuck, gone = reports["FAT-02-1"], reports["FAT-01-2"]
    assert (stuck["administrativeState"], stuck["resourceStatus"]) == ("shutdown", "alarm")
    assert (gone["administrativeState"], gone["usageState"], gone["resourceStatus"]) == ("locked", "idle", "available")
    assert _RESOURCE_STATES.keys() == set(ActivationState)
    for administrative, operational, usage, status in _RESOURCE_STATES.values():
        assert administrative in {"locked", "unlocked", "shutdown"}
        assert operational in {"enable", "disable"}
        assert usage in {"idle", "active", "busy"}
        assert status in {"standby", "alarm", "available", "reserved", "unknown", "suspended"}
    live = {state for state, told in _RESOURCE_STATES.items() if told[3] in {"available", "standby"}}
    assert live == {state for state in ActivationState if not state.live}
