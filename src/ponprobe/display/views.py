"""How each kind of value is shown when it stands alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ponprobe.display.parts import (
    Markup,
    block,
    bullets,
    clean_badge,
    folded,
    page,
    pairs,
    paragraph,
    safe,
    state_badge,
    table,
    verdict_badge,
)
from ponprobe.display.rows import absences, by_kind, fields, found, sweep_row, tables, words
from ponprobe.models._base import Value
from ponprobe.models.acceptance import ActivationOrder, Registration, Residue
from ponprobe.models.addressing import Loid, OnuAuth, OnuRef, Password, PonPort
from ponprobe.models.judgement import Comparison, Finding, Judgement, LinkLoss, ThresholdSet, Verdict
from ponprobe.models.optical import OpticalReading, Reading
from ponprobe.models.plant import ExpectedLoss, Explanation, PlantComparison, SiblingTable
from ponprobe.models.run import MeasureResult, Plan, Recovery, Removal
from ponprobe.models.service import ProfileRef, VlanStack
from ponprobe.models.sweep import SweepRecord
from ponprobe.optics.diagram import level_diagram
from ponprobe.optics.exact import link_loss
from ponprobe.optics.explain import explain, state_of
from ponprobe.optics.words import WORDS, State, exact, shown

View = Callable[[Any], Markup]

_IN_ONE_WORD = (PonPort, OnuRef, OnuAuth, Password, Loid, VlanStack, ProfileRef)
"""What its own short text says better than a table."""
_BEST, _ALWAYS = 3, frozenset({"as_recorded", "extra_loss", "less_loss"})
"""So many explanations are shown at once, and those of these kinds."""
_AGAINST = {Comparison.AT_LEAST: "≥", Comparison.AT_MOST: "≤"}
_KINDS = 6
"""A tuple of more kinds of things than this is no table."""


def html_of(value: object) -> str | None:
    """One value as HTML; ``None`` for what its text says better (``PonPort(0/1/0)``), and for what is not ours.

    Asks no device and reads no file. Secrets are shown as ``***``.
    """
    if not isinstance(value, Value) or isinstance(value, _IN_ONE_WORD):
        return None
    view: View = found(_VIEWS, type(value), _fields)
    return view(value)


def table_of(items: Iterable[object]) -> str | None:
    """Values as a table, one for each kind in the order of its first; ``None`` unless all are values with fields."""
    values: list[Value] = []
    for item in items:
        if not isinstance(item, Value) or isinstance(item, _IN_ONE_WORD):
            return None
        values.append(item)
    kinds = by_kind(values)
    return page("", tables(kinds)) if 0 < len(kinds) <= _KINDS else None


# -- one value --------------------------------------------------------------------------------------------------------


def _fields(value: Value) -> Markup:
    """Any value: its fields, and its parts as tables of their own."""
    flat: dict[str, object] = {}
    below: list[Markup] = []
    for name, each in fields(value).items():
        whole = each if isinstance(each, tuple) else (each,)
        inner = [part for part in whole if isinstance(part, Value) and not isinstance(part, (*_IN_ONE_WORD, Reading))]
        if inner and len(inner) == len(whole):
            below.append(folded(f"{name.replace('_', ' ')} ({len(inner)})", tables(by_kind(inner))))
        else:
            flat[name] = each
    return page(safe(_title(type(value))), pairs(flat, absences=absences(value)), *below)


def _title(kind: type) -> str:
    name = words(kind)
    return name[:1].upper() + name[1:]


def _reading(value: OpticalReading) -> Markup:
    rows = [
        {
            "quantity": safe(WORDS["en"].names[name]),
            "power_dbm": reading,
            "read_by": reading.source,
            "answered": reading.at,
        }
        for name, reading in value.powers.items()
    ]
    module = {name: getattr(value, name) for name in ("temperature_c", "voltage_v", "bias_ma")}
    return page(f"ONU {safe(value.onu)}: optical powers", table(rows), _losses(link_loss(value)), pairs(module))


def _losses(loss: LinkLoss) -> Markup:
    told = []
    for name in ("downstream", "upstream"):
        value, reason = getattr(loss, f"{name}_attenuation_db"), getattr(loss, f"{name}_absence")
        told.append(
            f"{safe(name)} attenuation <b>{safe(value)}</b>" if value is not None else f"{name}: {safe(reason)}"
        )
    return paragraph("; ".join(told))


def _loss(value: LinkLoss) -> Markup:
    return page("Attenuation of both directions", _losses(value))


def _verdict(value: Verdict) -> Markup:
    return page(f"{verdict_badge(value)} ONU {safe(value.onu)}", _judged(value))


def _judged(value: Verdict) -> Markup:
    """What a verdict says under its badge: a sentence, the picture, every judgement, what was noticed."""
    judgements = table([_judgement(each) for each in value.judgements])
    notes = bullets(_finding(each) for each in value.findings)
    return Markup(
        paragraph(safe(explain(value)))
        + level_diagram(value)
        + judgements
        + notes
        + paragraph(f"Next: {safe(value.next_action.text)}")
    )


def _judgement(value: Judgement) -> Mapping[str, object]:
    threshold, guard = value.threshold, value.uncertainty
    measured = value.measured
    return {
        "quantity": safe(WORDS["en"].names[threshold.quantity]),
        "measured": None if measured is None else safe(shown(measured, against=(threshold.limit,))),
        "limit": safe(f"{_AGAINST[threshold.comparison]} {exact(threshold.limit)}"),
        "in_the_words_of_the_specification": threshold.source_text,
        "margin_db": value.margin_db,
        "uncertainty_db": None if guard is None else safe(f"±{guard.w_db.value:.2f}"),
        "band": state_badge(state_of(value.band)),
        "probability": None if value.probability is None else safe(f"{value.probability:.2f}"),
    }


def _finding(value: Finding) -> Markup:
    step = f" <i>Next: {safe(value.next_step)}</i>" if value.next_step else ""
    return Markup(f"{safe(value.text)}{step}")


def _result(value: MeasureResult) -> Markup:
    order, verdict = value.order, value.verdict
    outcome = state_badge(State.UNDETERMINED) if verdict is None else verdict_badge(verdict)
    clean = clean_badge(value.clean, known=value.removal is not None)
    facts = {
        "OLT": f"{value.olt} ({value.host})",
        "test_ONU": f"{value.onu}, registered by {order.auth}",
        "vlans": order.vlans,
        "samples": len(value.readings),
        "online_after_s": value.online_after_s,
        "finished": value.finished_at,
        "run": value.run_id,
    }
    parts = [pairs(facts)]
    parts += [] if verdict is None else [_judged(verdict)]
    parts += [bullets(safe(each.text) for each in value.comparisons), bullets(map(_finding, value.findings))]
    parts += [] if value.removal is None else [folded(_proof_words(value.removal), _proof(value.removal))]
    return page(f"{outcome} {clean} {safe(order.splitter or f'port {order.port}')}", *parts)


def _removal(value: Removal) -> Markup:
    removed = ", ".join(value.removed) or ("nothing: it was gone already" if value.already_absent else "nothing")
    facts = {"removed": removed, "at": value.at, "note": value.note}
    left = table([fields(each) for each in value.residue], caption="Still there") if value.residue else Markup("")
    proof = folded(_proof_words(value), _proof(value))
    return page(f"{clean_badge(value.clean)} ONU {safe(value.onu)}: removal", pairs(facts), left, proof)


def _proof_words(value: Removal) -> str:
    return f"proof: {len(value.proof)} questions to the OLT and their answers"


def _proof(value: Removal) -> Markup:
    return Markup("".join(f"<code>{safe(question)}</code>{block(answer)}" for question, answer in value.proof))


def _plan(value: Plan) -> Markup:
    registration = value.registration
    rows = [
        {
            "line": Markup(f"<code>{safe(each.line)}</code>"),
            "view": each.view,
            "purpose": each.purpose,
            "what": each.what,
        }
        for each in value.lines
    ]
    changing = [each.purpose in {"write", "undo"} for each in value.lines]
    asked = bullets(f"<code>{safe(each.line)}</code>" for each in value.reads_done)
    return page(
        f"Plan for ONU {safe(registration.onu)}: {len(rows)} lines, {sum(changing)} of them change the OLT",
        paragraph("Nothing has been changed. Lines that change something are bold and say so under “purpose”."),
        table(rows, strong=changing),
        folded(f"{len(value.reads_done)} questions were asked to make this plan", asked),
    )


def _comparison(value: PlantComparison) -> Markup:
    expected, measured = value.expected, value.measured
    numbers = {
        "plant_as_recorded": f"{expected.record.layout} at {expected.record.km:g} km",
        "measured_db": measured.loss_db,
        "expected_db": Markup(f"{safe(f'{expected.mean_db.value:.2f} ± {2 * expected.sigma_db.value:.2f}')} (2 sigma)"),
        "worst_value_db": expected.worst_db,
        "excess_db": Markup(f"{safe(f'{value.excess_db.value:+.2f}')} ({safe(f'{value.z:+.1f}')} sigma)"),
        "flagged_from_db": value.flagged_from_db,
        "norm": value.budget.text,
        "distance": None if value.distance is None else value.distance.text,
    }
    # what could explain any number ranks last, and must not be hidden by the layouts before it
    best = [*value.explanations[:_BEST], *(each for each in value.explanations[_BEST:] if each.kind in _ALWAYS)]
    rest = [each for each in value.explanations if each not in best]
    direction = {"down": "downstream", "up": "upstream", "mean": "mean of both directions"}[measured.direction]
    return page(
        f"Loss against the plant as recorded, {direction}",
        paragraph(safe(value.text)),
        pairs(numbers),
        paragraph("Explanations, best first:"),
        bullets(map(_explanation, best)),
        folded(f"{len(rest)} more", bullets(map(_explanation, rest))),
        folded("what the expected loss is made of", _terms(expected)),
    )


def _explanation(value: Explanation) -> Markup:
    return Markup(f"{'<b>fits</b>' if value.fits else 'does not fit'}: {safe(value.text)}")


def _terms(value: ExpectedLoss) -> Markup:
    rows = [
        {
            "part": each.name,
            "elements": each.elements,
            "loss_db": each.total_db,
            "sigma_db": each.sigma_db,
            "worst_db": each.worst_db,
            "source": each.source,
            "status": each.status,
        }
        for each in value.terms
    ]
    return Markup(table(rows) + bullets(map(safe, value.assumptions)))


def _expected(value: ExpectedLoss) -> Markup:
    title = f"Expected loss of {value.record.layout} at {value.record.km:g} km: {shown(value.mean_db)}"
    numbers = {"direction": value.direction, "sigma_db": value.sigma_db, "worst_db": value.worst_db}
    return page(safe(title), pairs(numbers), _terms(value))


def _siblings(value: SiblingTable) -> Markup:
    rows = [
        {
            "splitter": each.splitter,
            "deviation_db": Markup(safe(f"{each.deviation_db.value:+.2f}")),
            "look_here": "yes" if each.flagged else "",
            "in_words": each.text,
        }
        for each in value.deviations
    ]
    strong = [each.flagged for each in value.deviations]
    return page(
        "Splitters of one PON against their median", paragraph(safe(value.statement)), table(rows, strong=strong)
    )


def _limits(value: ThresholdSet) -> Markup:
    rows = [
        {
            "quantity": safe(WORDS["en"].names[each.quantity]),
            "limit": safe(f"{_AGAINST[each.comparison]} {exact(each.limit)}"),
            "in_the_words_of_the_specification": each.source_text,
            "taken_as": each.interpretation,
            "source": each.source,
        }
        for each in value.thresholds
    ]
    unjudged = ", ".join(WORDS["en"].names[name] for name in value.not_judged)
    more = {
        "stage": value.stage,
        "replaces": value.replaces,
        "optical_class": value.optical_class,
        "no_limit": unjudged,
    }
    return page(f"Limits {safe(value.key)}", table(rows), pairs(more))


def _registration(value: Registration) -> Markup:
    facts = {"ONU": value.onu, "mark": value.mark, "service_index": value.service_index, **fields(value.order)}
    return page("Registration", pairs(facts))


def _order(value: ActivationOrder) -> Markup:
    return page(f"Order for a test ONU on port {safe(value.port)}", pairs(fields(value)))


def _swept(value: SweepRecord) -> Markup:
    more = {name: each for name, each in sweep_row(value).items() if not isinstance(each, Reading)}
    inner = _reading(value.optical)
    return page("", pairs(more, absences=value.absent), inner)


def _residue(value: Residue) -> Markup:
    return page("Left on the device", pairs(fields(value)))


def _recovery(value: Recovery) -> Markup:
    proof = Markup("") if value.removal is None else folded(_proof_words(value.removal), _proof(value.removal))
    title = f"{clean_badge(value.clean)} run {safe(value.run_id)} on ONU {safe(value.onu)}"
    return page(title, pairs({"error": value.error}), proof)


_VIEWS: Mapping[type, View] = {
    OpticalReading: _reading,
    LinkLoss: _loss,
    Verdict: _verdict,
    MeasureResult: _result,
    Removal: _removal,
    Plan: _plan,
    PlantComparison: _comparison,
    ExpectedLoss: _expected,
    SiblingTable: _siblings,
    ThresholdSet: _limits,
    Registration: _registration,
    ActivationOrder: _order,
    SweepRecord: _swept,
    Residue: _residue,
    Recovery: _recovery,
}
