"""A tested line in two shapes that other systems may ask for: TMF653 (service test) and TMF702 (resource).

Pure functions to plain JSON values; no server, no transport. The field names are those of TMF653 v4.0 and of the
resource of TMF702/TMF639 v4; whatever they have no field for stands in characteristics. In TMF653 ``accuracy`` is a
number of digits, so an uncertainty never goes there.
"""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, TypeAlias

from ponprobe.models.engineering import ActivationState, LineRound
from ponprobe.models.judgement import ATTENUATIONS, Comparison, Judgement, Outcome, Verdict
from ponprobe.models.optical import POWERS
from ponprobe.optics.exact import LOSS_ENDS, NAMES
from ponprobe.reports.facts import ReportData, SplitterReport

Json: TypeAlias = "dict[str, Any]"
_S = ActivationState
_RESOURCE_STATES: dict[ActivationState, tuple[str, str, str, str]] = {
    # administrative, operational, usage, status: what is unknown or stuck is an alarm, never "available"
    _S.NOT_ACTIVATED: ("locked", "disable", "idle", "standby"),
    _S.ACTIVATING: ("unlocked", "disable", "busy", "reserved"),
    _S.ACTIVATED: ("unlocked", "enable", "active", "reserved"),
    _S.ACTIVATION_FAILED: ("locked", "disable", "idle", "standby"),
    _S.REVOKING: ("shutdown", "enable", "busy", "reserved"),
    _S.REVOKE_FAILED: ("shutdown", "enable", "busy", "alarm"),
    _S.UNKNOWN: ("unlocked", "disable", "busy", "unknown"),
    _S.REVOKED: ("locked", "disable", "idle", "available"),
}


def to_tmf653(data: ReportData, report: SplitterReport, tested: LineRound | None = None) -> Json:
    """One line round (default: the newest that counts) as a TMF653 ``ServiceTest``.

    Powers and attenuations are ``testMeasure``s in dBm and dB; one whose limit is missed has a ``ruleViolation``. A
    missing reading is no measure but a characteristic with the reason. ``ValueError`` if the splitter has no round.
    """
    tested = tested or report.round
    if tested is None:
        raise ValueError(f"{report.key} has no line round to tell of")
    verdict = tested.verdict
    said: list[Json] = [
        _characteristic("result", _outcome(tested)),
        _characteristic("oltManagementIp", report.olt.host),
        _characteristic("ponPort", report.key.port),
        _characteristic("splitter", report.key.name),
        _characteristic("splitterPort", tested.splitter_port),
        _characteristic("round", tested.round),
        _characteristic("deviceClean", report.clean),
        _characteristic("activationState", str(report.status.state)),
    ]
    if verdict is not None:
        said += [
            _characteristic("confidence", str(verdict.band)),
            _characteristic("thresholdSet", verdict.threshold_set.key),
            _characteristic("verdictDigest", verdict.digest),
            *_uncertainties(verdict),
            *_absences(verdict),
        ]
    if tested.failure is not None:
        said.append(_characteristic("failure", f"{tested.failure.error_class}: {tested.failure.message}"))
    if report.service is not None:
        said.append(_characteristic("serviceTestPassed", report.service.passed))
    said += [
        _characteristic(f"evidence.{number}", f"{item.kind} sha256:{item.sha256}")
        for number, item in enumerate(report.current_evidence, 1)
    ]
    return {
        "@type": "ServiceTest",
        "id": f"{data.project.id}-{report.number}-{tested.round}",
        "name": f"line test of {report.key}",
        "description": f"ONU test of a newly built splitter, project {data.project.id}",
        "mode": "ONDEMAND",
        "state": "completed" if verdict is not None else "failed",
        "startDateTime": _time(_first(tested)),
        "endDateTime": _time(tested.at),
        "characteristic": said,
        "relatedParty": [{"@referredType": "Individual", "name": tested.actor.name, "role": tested.actor.role}],
        "testMeasure": [] if verdict is None else _measures(verdict),
    }


def to_tmf702(data: ReportData, report: SplitterReport) -> Json:
    """The test ONU on its PON port as a TMF702 ``Resource``: states, what it is bound to, photos, and the place."""
    administrative, operational, usage, status = _RESOURCE_STATES[report.status.state]
    item, tested = report.item, report.round
    said = [
        _characteristic("activationState", report.status.exported),
        _characteristic("activationStateInner", str(report.status.state)),
        _characteristic("oltManagementIp", item.olt_host),
        _characteristic("ponPort", str(item.port)),
        _characteristic("splitter", item.splitter),
        _characteristic("splitterPort", item.splitter_port),
        _characteristic("testState", item.test_state.label),
    ]
    for name, value in (("svlan", item.svlan), ("cvlan", item.cvlan), ("serial", tested.serial if tested else None)):
        if value is not None:
            said.append(_characteristic(name, value if isinstance(value, int) else str(value)))
    found: Json = {
        "@type": "Resource",
        "id": f"{data.project.id}-{report.number}",
        "name": item.onu_name,
        "category": "test ONU",
        "description": f"test ONU on {report.key}",
        "administrativeState": administrative,
        "operationalState": operational,
        "usageState": usage,
        "resourceStatus": status,
        "resourceCharacteristic": said,
        "attachment": [
            {
                "attachmentType": each.kind,
                "name": each.file_name,
                "mimeType": each.media_type,
                "size": {"amount": each.bytes, "units": "byte"},
                "description": f"sha256:{each.sha256}",
            }
            for each in report.current_evidence
        ],
    }
    place = report.splitter.place
    if place is not None or report.splitter.address:
        found["place"] = {"role": "splitter", "name": report.splitter.address or str(place)}
    if place is not None:
        said.append(_characteristic("coordinates", str(place)))
    return found


def _outcome(tested: LineRound) -> str:
    return "not_measured" if tested.verdict is None else str(tested.verdict.outcome)


def _measures(verdict: Verdict) -> list[Json]:
    found = []
    for quantity in (*POWERS, *ATTENUATIONS):
        unit = "dBm" if quantity in POWERS else "dB"
        ends = [verdict.reading.powers[name] for name in LOSS_ENDS.get(quantity, (quantity,))]
        value = ends[0].value if quantity in POWERS else getattr(verdict.loss, quantity)
        if value is None:
            continue
        times = [end.at for end in ends if end.at is not None]
        sources = "; ".join(dict.fromkeys(end.source for end in ends if end.source))
        held = [each for each in verdict.judgements if each.threshold.quantity == quantity]
        found.append(
            {
                "@type": "TestMeasure",
                "metricName": quantity,
                "metricDescription": NAMES[quantity],
                "unitOfMeasure": unit,
                "accuracy": _digits(float(value)),
                "captureDateTime": _time(max(times) if times else verdict.judged_at),
                "captureMethod": sources or "typed in",
                "value": _characteristic(quantity, float(value)),
                "ruleViolation": [_violation(each) for each in held if each.outcome is Outcome.FAIL],
            }
        )
    return found


def _violation(judgement: Judgement) -> Json:
    limit = judgement.threshold
    side = "Lower" if limit.comparison is Comparison.AT_LEAST else "Upper"
    return {
        "@type": "MeasureThresholdRuleViolation",
        "name": f"{limit.quantity} {limit.comparison} {limit.limit.value!r} {limit.limit.unit}",
        "description": f'"{limit.source_text}": {limit.interpretation}; {judgement.reason}',
        f"conformanceTarget{side}": repr(limit.limit.value),
        f"conformanceComparator{side}": str(limit.comparison),
        "numberOfAllowedCrossing": 0,
        "thresholdRuleSeverity": "warning" if judgement.band.marginal else "major",
    }


def _uncertainties(verdict: Verdict) -> list[Json]:
    return [
        _characteristic(
            f"guardBandDb.{each.threshold.quantity}.{each.threshold.comparison}", each.uncertainty.w_db.value
        )
        for each in verdict.judgements
        if each.uncertainty is not None
    ]


def _absences(verdict: Verdict) -> list[Json]:
    powers = verdict.reading.powers
    return [
        _characteristic(f"absence.{name}", str(each.absence))
        for name, each in powers.items()
        if each.absence is not None
    ]


def _characteristic(name: str, value: str | float | None) -> Json:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return {"name": name, "valueType": kinds.get(type(value), "string"), "value": value}


def _digits(value: float) -> int:
    """Digits behind the point that the device gave."""
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _first(tested: LineRound) -> datetime:
    times = [each.at for sample in tested.readings for each in sample.powers.values() if each.at is not None]
    return min([*times, tested.at])


def _time(at: datetime) -> str:
    return at.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
