"""A measured loss against the plant as recorded: how much is too much, and what would explain it.

Nothing here gives a verdict. One poll of a device finds a broken joint or a wrong ratio, not a dirty connector: the
comparison says itself from which excess on it can flag anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from statistics import NormalDist

from ponprobe.models.components import ComponentTable
from ponprobe.models.judgement import K_ONE_SIDED_95, Verdict
from ponprobe.models.optical import Db, OpticalReading
from ponprobe.models.plant import (
    DirectionCheck,
    DistanceCheck,
    ExpectedLoss,
    Explanation,
    MeasuredLoss,
    OneWay,
    PlantComparison,
    PlantRecord,
)
from ponprobe.optics.components import COMPONENTS
from ponprobe.optics.exact import LOSS_ENDS, link_loss
from ponprobe.optics.plant import budget, expected_loss, root_sum_square, tenths
from ponprobe.optics.uncertainty import uncertainty_of

TWO_SIDED_95 = 1.96
_POWER_90 = NormalDist().inv_cdf(0.9)

_QUANTITIES: dict[OneWay, str] = {"down": "downstream_attenuation_db", "up": "upstream_attenuation_db"}


def measured_loss(reading: OpticalReading, direction: OneWay, *, u_db: Mapping[str, Db], basis: str) -> MeasuredLoss:
    """The attenuation of one direction (``down`` or ``up``) with the combined uncertainty of its two powers.

    ``u_db`` gives each power's standard uncertainty in dB by the name of the power, ``basis`` says where those come
    from. Raises ``ValueError`` that names an absent power, and for any other direction.
    """
    if direction not in _QUANTITIES:
        raise ValueError(f"{direction!r} is no direction of a reading: use 'down' or 'up', and mean_loss for both")
    quantity = _QUANTITIES[direction]
    loss = link_loss(reading)
    value: Db | None = getattr(loss, quantity)
    if value is None:
        why = getattr(loss, quantity.replace("attenuation_db", "absence"))
        raise ValueError(f"the {direction} loss of {reading.onu} cannot be compared: {why}")
    u = root_sum_square(*(u_db[name] for name in LOSS_ENDS[quantity]))
    return MeasuredLoss(direction=direction, loss_db=value, u_db=u, basis=basis)


def judged_losses(verdict: Verdict) -> tuple[MeasuredLoss, ...]:
    """The losses of a verdict's reading with the judge's own uncertainty: ``down``, ``up``, or those that there are."""
    found: list[MeasuredLoss] = []
    for direction, quantity in _QUANTITIES.items():
        value: Db | None = getattr(verdict.loss, quantity)
        if value is not None:
            u = uncertainty_of(quantity, verdict.readings, verdict.reading, verdict.options)
            basis = "; ".join(dict.fromkeys(f"{term.kind}: {term.source}" for term in u.terms))
            found.append(MeasuredLoss(direction=direction, loss_db=value, u_db=u.u_db, basis=basis))
    return tuple(found)


def mean_loss(down: MeasuredLoss, up: MeasuredLoss) -> MeasuredLoss:
    """The mean of both directions of one link: four independent readings, so half of the doubt."""
    if (down.direction, up.direction) != ("down", "up"):
        raise ValueError(f"a mean needs a 'down' and an 'up' loss, not {down.direction!r} and {up.direction!r}")
    basis = down.basis if down.basis == up.basis else f"{down.basis}; {up.basis}"
    return MeasuredLoss(
        direction="mean",
        loss_db=(down.loss_db + up.loss_db) * 0.5,
        u_db=root_sum_square(down.u_db, up.u_db) * 0.5,
        basis=f"mean of down and up; {basis}",
    )


def compare(
    record: PlantRecord,
    measured: MeasuredLoss,
    *,
    components: ComponentTable = COMPONENTS,
    candidates: Iterable[Sequence[int]] | None = None,
    k: float = K_ONE_SIDED_95,
) -> PlantComparison:
    """Hold a measured loss against the recorded plant and rank what would explain it.

    ``z`` is measured minus expected over the combined sigma of readings and plant; an excess is flagged from ``k``
    sigma on (1.645: one-sided 95 %). ``candidates`` are the layouts tried beside the record; by default every single
    splitter and every pair of the table up to its largest ratio. A candidate keeps the recorded distance and splices,
    and has two connector pairs more or less for each stage more or less. The ranged distance is tried where it matters.

    Ranking, a choice: what fits before what does not; the record first, then the ranged distance, then other layouts
    from the nearest to the record on (``steps``: doublings of the total ratio and stages added or removed, smaller
    ``abs(z)`` first), then an extra loss, which could explain any number.
    """
    if not k > 0:
        raise ValueError(f"k is {k}: how many sigma are flagged must be more than 0")
    expected = expected_loss(record, measured.direction, components=components)
    sigma = root_sum_square(measured.u_db, expected.sigma_db)
    excess = measured.loss_db - expected.mean_db
    z = _in_sigma(excess, sigma)
    found = [_explain(record, record, measured, components, k)]
    distance = check_distance(record, components=components)
    if distance is not None and distance.matters:
        ranged = record.model_copy(update={"record_km": None})
        found.append(_explain(ranged, record, measured, components, k))
    layouts = {tuple(each) for each in (_layouts(components) if candidates is None else candidates)} - {record.stages}
    found += [_explain(_other_layout(record, stages), record, measured, components, k) for stages in sorted(layouts)]
    if abs(z) > k:
        found.append(_unexplained(expected, measured, sigma, z))
    ranked = tuple(sorted(found, key=_rank))
    return PlantComparison(
        expected=expected,
        measured=measured,
        excess_db=excess,
        sigma_db=sigma,
        z=z,
        k=k,
        flagged_from_db=sigma * k,
        found_with_90_db=sigma * (k + _POWER_90),
        budget=budget(expected, measured),
        distance=distance,
        explanations=ranked,
        text=_message(expected, measured, z, k, ranked),
    )


def check_distance(record: PlantRecord, *, components: ComponentTable = COMPONENTS) -> DistanceCheck | None:
    """Hold the OLT's ranging distance against the recorded one; ``None`` unless both are known.

    ``matters`` when the difference changes the expected downstream loss by more than the half width of what the fibre's
    dB per km leaves open over the longer of both distances. Below that no loss can tell the two distances apart.
    """
    if record.record_km is None or record.ranging_km is None:
        return None
    per_km = components.per_km(components.system(record.system).down_nm)
    difference = record.ranging_km - record.record_km
    shift = per_km.mean_db * difference
    tolerance = per_km.half_width_db * max(record.ranging_km, record.record_km)
    matters = abs(shift) > tolerance
    text = (
        f"ranging says {record.ranging_km:g} km, the record {record.record_km:g} km: {difference:+.3f} km, "
        f"which is {shift.value:+.2f} dB downstream, "
        + (
            f"more than the ±{tolerance} that the fibre figure leaves open. Check the recorded length and route"
            if matters
            else f"within the ±{tolerance} that the fibre figure leaves open"
        )
    )
    return DistanceCheck(
        record_km=record.record_km,
        ranging_km=record.ranging_km,
        difference_km=difference,
        shift_db=shift,
        tolerance_db=tolerance,
        matters=matters,
        text=text,
    )


def check_directions(
    record: PlantRecord, down: MeasuredLoss, up: MeasuredLoss, *, components: ComponentTable = COMPONENTS
) -> DirectionCheck:
    """Hold up minus down against what the two wavelengths explain (GPON: 0.11 dB per km), within the readings' doubt.

    The band is 1.96 times the uncertainty of the difference: 4.5 dB for four readings of sigma 1.16 dB, 6.8 dB for
    four of ±3 dB. It finds gross errors only. Raises ``ValueError`` unless given a ``down`` and an ``up`` loss.
    """
    if (down.direction, up.direction) != ("down", "up"):
        raise ValueError(f"give the 'down' and the 'up' loss, not {down.direction!r} and {up.direction!r}")
    system = components.system(record.system)
    per_km = components.per_km(system.up_nm).mean_db - components.per_km(system.down_nm).mean_db
    expected, difference = per_km * record.km, up.loss_db - down.loss_db
    band = root_sum_square(down.u_db, up.u_db) * TWO_SIDED_95
    off = difference - expected
    agrees = abs(off) <= band
    text = (
        f"up {up.loss_db} less down {down.loss_db} is {difference}, expected {expected}: "
        f"{'within' if agrees else 'outside'} the ±{band} of the readings (95 %)"
    )
    hint, status = None, None
    if not agrees and off < Db(0):
        hint = (
            "down loses more than up: a macro-bend does that (a longer wavelength suffers more), "
            "and so does an OLT Tx that is read too high or from another port"
        )
        status = "recalled"
    elif not agrees:
        hint = "up loses more than down: check that ONU Tx and OLT Rx are this ONU's, and that no powers are swapped"
        status = "derived"
    return DirectionCheck.model_validate(
        {
            "difference_db": difference,
            "expected_db": expected,
            "band_db": band,
            "agrees": agrees,
            "text": text,
            "hint": hint,
            "hint_status": status,
        }
    )


def _in_sigma(residual: Db, sigma: Db) -> float:
    if sigma == Db(0):
        raise ValueError("neither the readings nor the plant have any uncertainty: give the readings' u_db")
    return residual.value / sigma.value


def _layouts(components: ComponentTable) -> list[tuple[int, ...]]:
    """Every single splitter and every pair, the smaller ratio first, up to the largest ratio in the table."""
    ratios = sorted(each.ratio for each in components.splitters)
    pairs = [(a, b) for a in ratios for b in ratios if a <= b and a * b <= ratios[-1]]
    return [*((ratio,) for ratio in ratios), *pairs]


def _other_layout(record: PlantRecord, stages: tuple[int, ...]) -> PlantRecord:
    pairs = record.connectors
    if pairs is not None:
        pairs = max(0, pairs + 2 * (len(stages) - len(record.stages)))
    changed = {"stages": stages, "connectors": pairs}
    return PlantRecord.model_validate({**dict(record), **changed})


def _explain(
    candidate: PlantRecord, record: PlantRecord, measured: MeasuredLoss, components: ComponentTable, k: float
) -> Explanation:
    """One candidate: the record itself, its ranged distance, or another layout."""
    expected = expected_loss(candidate, measured.direction, components=components)
    sigma = root_sum_square(measured.u_db, expected.sigma_db)
    residual = measured.loss_db - expected.mean_db
    z = _in_sigma(residual, sigma)
    fits = abs(z) <= k
    should = f"should show {tenths(expected.mean_db.value)} dB, the measured {tenths(measured.loss_db.value)} dB"
    words = f"{should} {'fits' if fits else 'does not fit'} ({z:+.1f} sigma)"
    if candidate is record:
        kind, text = "as_recorded", f"as recorded, {record.layout} at {_km(record)}: {words}"
    elif candidate.stages == record.stages:
        kind, text = "other_distance", f"{record.layout} at the ranged {_km(candidate)}, not {_km(record)}: {words}"
    else:
        kind, text = "other_layout", f"{candidate.layout} in place of {record.layout}: {words}"
    return Explanation.model_validate(
        {
            "kind": kind,
            "stages": candidate.stages,
            "km": candidate.km,
            "expected_db": expected.mean_db,
            "residual_db": residual,
            "sigma_db": sigma,
            "z": z,
            "fits": fits,
            "steps": _steps(candidate, record),
            "text": text,
        }
    )


def _unexplained(expected: ExpectedLoss, measured: MeasuredLoss, sigma: Db, z: float) -> Explanation:
    """The record is right and the line is not: what it loses more, or less, than it should."""
    record, excess = expected.record, measured.loss_db - expected.mean_db
    size = f"{abs(_shown_excess(expected, measured))} dB ({abs(z):.1f} sigma)"
    if excess > Db(0):
        text = f"as recorded with {size} of extra loss: a joint, a connector or a bend"
    else:
        text = f"as recorded with {size} less loss than it can have: a stage is bypassed, or a reading is wrong"
    return Explanation(
        kind="extra_loss" if excess > Db(0) else "less_loss",
        stages=record.stages,
        km=record.km,
        expected_db=expected.mean_db,
        residual_db=excess,
        sigma_db=sigma,
        z=z,
        fits=True,
        steps=0,
        text=text,
    )


def _shown_excess(expected: ExpectedLoss, measured: MeasuredLoss) -> Decimal:
    """The excess in tenths of a dB, so that the figures of a sentence add up as they are shown."""
    return Decimal(tenths(measured.loss_db.value)) - Decimal(tenths(expected.mean_db.value))


def _steps(candidate: PlantRecord, record: PlantRecord) -> int:
    """How far a layout is from the record: doublings of the total ratio, plus stages added or removed, at least 1."""
    if candidate.stages == record.stages:
        return 0
    doublings = abs(candidate.split.bit_length() - record.split.bit_length())
    return max(1, doublings + abs(len(candidate.stages) - len(record.stages)))


_ORDER = {"as_recorded": 0, "other_distance": 1, "other_layout": 2, "extra_loss": 3, "less_loss": 3}


def _rank(each: Explanation) -> tuple[bool, int, int, float, tuple[int, ...]]:
    if not each.fits:
        return (True, 0, 0, abs(each.z), each.stages)
    return (False, _ORDER[each.kind], each.steps, abs(each.z), each.stages)


def _km(record: PlantRecord) -> str:
    """At least one decimal, and all metres that the record has."""
    return f"{record.km:.1f} km" if round(record.km, 1) == record.km else f"{record.km:g} km"


def _message(expected: ExpectedLoss, measured: MeasuredLoss, z: float, k: float, ranked: Sequence[Explanation]) -> str:
    """The comparison in one line."""
    mean, found = tenths(expected.mean_db.value), tenths(measured.loss_db.value)
    excess = _shown_excess(expected, measured)
    spread, worst = tenths(2 * expected.sigma_db.value), tenths(expected.worst_db.value)
    doubt = tenths(TWO_SIDED_95 * measured.u_db.value)
    figures = (
        f"{expected.record.layout} at {_km(expected.record)} should show {mean} ± {spread} dB (worst {worst}); "
        f"measured {found} ± {doubt} (95 %, readings only); excess {excess} dB ({z:.1f} sigma combined)."
    )
    parts = [figures]
    if abs(z) <= k:
        return f"{figures} As recorded fits."
    other = next((each for each in ranked if each.fits and each.kind in {"other_distance", "other_layout"}), None)
    if other is None:
        parts.append("No other layout fits.")
    elif other.kind == "other_distance":
        parts.append(f"The ranged {other.km:g} km would fit ({tenths(other.expected_db.value)}).")
    else:
        layout = " + ".join(f"1:{ratio}" for ratio in other.stages)
        parts.append(f"A {layout} would fit ({tenths(other.expected_db.value)}).")
    if z < 0:
        parts.append("Check recorded ratio and port first, then the readings.")
    elif other is None:
        parts.append("Check the joints.")
    elif other.kind == "other_distance":
        parts.append("Check recorded length first, then joints.")
    else:
        parts.append("Check recorded ratio first, then joints.")
    return " ".join(parts)
