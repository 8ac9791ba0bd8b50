"""What a plant built as recorded should lose, what should arrive, and what is left for the user.

Every part's loss is known to lie in an interval and no better, so each is a rectangular distribution: the expected loss
is the sum of the middles, its sigma the root of the summed variances (half width over the root of three each), and the
worst value the sum of the upper bounds, which is how the norms compute. The loss of ``n`` connectors is the sum of
``n`` independent ones; one fibre's dB per km holds for its whole length. Probabilities come from the exact sum of these
rectangles, not from a normal approximation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_DOWN, Decimal
from statistics import NormalDist

from ponprobe.errors import ConfigError
from ponprobe.models.components import ComponentTable, Interval, Status
from ponprobe.models.optical import Db, Dbm, Reading
from ponprobe.models.plant import (
    BudgetView,
    ClassView,
    Direction,
    Drop,
    ExpectedLoss,
    ExpectedPower,
    Launch,
    LossTerm,
    MeasuredLoss,
    PlantRecord,
    UserProjection,
)
from ponprobe.optics.classes import OpticalClass
from ponprobe.optics.components import COMPONENTS

_WEAKER: tuple[Status, ...] = ("seen", "derived", "recalled")
_NANO = 10**9  # exact sums of rectangles are done in whole nano-dB


def tenths(value: float) -> str:
    """One decimal for a sentence, ties towards zero, whatever the last bit of the float says."""
    return str(Decimal(repr(round(value, 9))).quantize(Decimal("0.1"), ROUND_HALF_DOWN))


def root_sum_square(*parts: Db) -> Db:
    """The standard uncertainty of a sum or difference of independent parts, in dB."""
    return Db(math.hypot(*(part.value for part in parts)))


def expected_loss(
    record: PlantRecord, direction: Direction = "down", *, components: ComponentTable = COMPONENTS
) -> ExpectedLoss:
    """What the recorded plant should lose from the OLT to the splitter's output, in dB.

    ``mean`` is the mean of both directions, whose splitters and connectors are the same glass. Raises ``ConfigError``
    for a ratio, system or wavelength that the table does not have.
    """
    system = components.system(record.system)
    wavelengths = {"down": (system.down_nm,), "up": (system.up_nm,), "mean": (system.down_nm, system.up_nm)}[direction]
    terms = [_term(f"splitter 1:{ratio}", 1, components.splitter(ratio).interval) for ratio in record.stages]
    terms.append(_fibre(record.km, [components.per_km(nm) for nm in wavelengths], wavelengths))
    terms.append(_term("connectors", record.connector_pairs, components.connector))
    if record.mechanical_splices:
        terms.append(_term("mechanical splices", record.mechanical_splices, components.mechanical_splice))
    return ExpectedLoss(
        record=record,
        direction=direction,
        wavelengths_nm=wavelengths,
        terms=tuple(terms),
        mean_db=_total(term.total_db for term in terms),
        sigma_db=root_sum_square(*(term.sigma_db for term in terms)),
        worst_db=_total(term.worst_db for term in terms),
        components=components.id,
        assumptions=tuple(_assumptions(record, terms)),
    )


def expected_power(loss: ExpectedLoss, launch: Launch) -> ExpectedPower:
    """What should arrive: ONU Rx for a ``down`` loss and the OLT's launch, OLT Rx for ``up`` and the ONU's, in dBm."""
    if loss.direction == "mean":
        raise ValueError("a power arrives in one direction: use the expected loss of 'down' or 'up'")
    return ExpectedPower(
        launch=launch,
        loss=loss,
        mean_dbm=launch.mean_dbm - loss.mean_db,
        sigma_db=root_sum_square(launch.half_width_db * (1 / math.sqrt(3)), loss.sigma_db),
        worst_dbm=launch.lowest_dbm - loss.worst_db,
    )


def measured_launch(reading: Reading, u_db: Db) -> Launch:
    """The launch as the device reports it: its reading, known to a standard uncertainty in dB (rectangular).

    Raises ``ValueError`` for an absent reading or a negative uncertainty.
    """
    if reading.value is None:
        raise ValueError(f"the launched power is {reading}: use the range of the optical class instead")
    if u_db < Db(0):
        raise ValueError(f"u_db is {u_db}: a standard uncertainty is not negative")
    half = u_db * math.sqrt(3)
    return Launch(
        lowest_dbm=reading.value - half,
        highest_dbm=reading.value + half,
        source=f"measured {reading.value} ± {half} ({reading.source or 'source not given'})",
    )


def probability_at_least(power: ExpectedPower, limit: Dbm) -> float:
    """How probable it is that at least ``limit`` arrives at a plant without any defect, 0 to 1.

    Launch and every loss are rectangular and independent, and the sum is computed exactly. For a class's range this
    says that any launch of the class is equally likely, which is a choice; with a measured launch it is that launch.
    """
    half_widths = [power.launch.half_width_db] * (power.launch.half_width_db > Db(0))
    for term in power.loss.terms:
        half_widths += [term.half_width_db] * (term.elements if term.half_width_db > Db(0) else 0)
    below = _sum_of_rectangles(limit.value - power.mean_dbm.value, [each.value for each in half_widths])
    return 1 - below


def budget(expected: ExpectedLoss, measured: MeasuredLoss) -> BudgetView:
    """The norm's view: the measured loss may not exceed the worst value; equality is met. Raises for two directions."""
    _same_direction(expected, measured)
    met = measured.loss_db <= expected.worst_db
    margin = expected.worst_db - measured.loss_db
    sign = "<=" if met else ">"
    text = f"measured loss {measured.loss_db} {sign} worst value {expected.worst_db}, "
    text += f"margin {margin}" if met else f"exceeded by {-margin}"
    return BudgetView(measured_db=measured.loss_db, worst_db=expected.worst_db, margin_db=margin, met=met, text=text)


def class_launch(optics: OpticalClass, power: str = "olt_tx_dbm") -> Launch:
    """What a transmitter of the class launches: ``olt_tx_dbm`` or ``onu_tx_dbm``, anything in its range equally likely.

    Raises ``ConfigError`` where the class's range is not known at both ends.
    """
    known = optics.power(power)
    if known is None or known.lowest is None or known.highest is None:
        raise ConfigError(
            f"the {power} range of {optics.name} is not known at both ends",
            hint="use a measured launch, or Launch with the range of the module's data sheet",
        )
    return Launch(
        lowest_dbm=known.lowest,
        highest_dbm=known.highest,
        source=f"{optics.name} range, uniform (a choice): {known.source} ({known.status})",
    )


def class_view(expected: ExpectedLoss, optics: OpticalClass) -> ClassView:
    """A plant against the loss range of its optical class, by mean and by worst value, which may disagree.

    Raises ``ConfigError`` for a class of another system, or one whose loss range is not known.
    """
    system, limits = expected.record.system, optics.odn_loss
    if system not in optics.systems:
        raise ConfigError(
            f"{optics.name} is no class of {system}, which the record names", hint="give the class of the OLT's module"
        )
    if limits is None:
        raise ConfigError(f"the loss range of {optics.name} is not known", hint="compare with the worst value instead")
    mean_fits, worst_fits = expected.mean_db <= limits.highest, expected.worst_db <= limits.highest
    too_strong = expected.mean_db < limits.lowest
    figures = f"expected {_mean_and_worst(expected)}, and {optics.name} allows {limits.highest.value:g} dB"
    if worst_fits:
        text = f"{figures}: every plant built within the norms fits"
    elif mean_fits:
        text = f"{figures}: the average plant fits, one at the worst values does not"
    else:
        text = f"{figures}: even the average plant does not fit"
    if too_strong:
        text += f"; the mean is below the class's minimum of {limits.lowest.value:g} dB: the receiver may be overloaded"
    return ClassView(
        class_id=optics.id,
        max_loss_db=limits.highest,
        min_loss_db=limits.lowest,
        mean_db=expected.mean_db,
        worst_db=expected.worst_db,
        mean_fits=mean_fits,
        worst_fits=worst_fits,
        too_strong=too_strong,
        text=text,
    )


RESERVE = Drop(
    name="reserve",
    mean_db=Db(7.0),
    sigma_db=Db(0.0),
    worst_db=Db(7.0),
    basis="the acceptance specification's reserve for drop cable and ageing, -20 less -27 dBm; a rule, no measurement",
)
"""The default drop: what the limits of the two stages leave between them, not what a drop is expected to lose."""

USER_LIMIT = Dbm(-27.0)
"""The limit on the user's side, ONU Rx: that of the ``user_side`` threshold set."""


def described_drop(
    length_m: float,
    *,
    connectors: int,
    mechanical_splices: int = 0,
    system_nm: int = 1490,
    components: ComponentTable = COMPONENTS,
) -> Drop:
    """A drop cable by its parts: length in m, connector pairs, mechanical splices, at a wavelength in nm.

    Raises ``ValueError`` for a negative part and ``ConfigError`` for a wavelength that the table does not have.
    """
    if not (length_m >= 0 and math.isfinite(length_m)) or connectors < 0 or mechanical_splices < 0:
        raise ValueError(
            f"a drop of {length_m} m, {connectors} connectors, {mechanical_splices} splices does not exist"
        )
    terms = [
        _fibre(length_m / 1000, [components.per_km(system_nm)], (system_nm,)),
        _term("connectors", connectors, components.connector),
        _term("mechanical splices", mechanical_splices, components.mechanical_splice),
    ]
    return Drop(
        name=f"{length_m:g} m, {_some(connectors, 'connector')}, {_some(mechanical_splices, 'mechanical splice')}",
        mean_db=_total(term.total_db for term in terms),
        sigma_db=root_sum_square(*(term.sigma_db for term in terms)),
        worst_db=_total(term.worst_db for term in terms),
        basis=f"component table {components.id!r} at {system_nm} nm",
    )


def plain_drop(loss_db: Db, u_db: Db, *, basis: str) -> Drop:
    """A drop whose loss in dB and standard uncertainty somebody knows; its worst value is the loss plus two of them."""
    if loss_db < Db(0) or u_db < Db(0):
        raise ValueError(f"a drop of {loss_db} with uncertainty {u_db} does not exist: both are 0 or more")
    return Drop(name="given", mean_db=loss_db, sigma_db=u_db, worst_db=loss_db + u_db * 2, basis=basis)


def project_to_user(splitter_rx: Dbm, u_db: Db, drop: Drop = RESERVE, *, limit: Dbm = USER_LIMIT) -> UserProjection:
    """Take the ONU Rx read at a splitter through the drop to the user's side, with its standard uncertainty.

    The drop's loss is taken off, the uncertainties of reading and drop are combined, and the result is held against
    ``limit`` (equality is met). This is a forecast, no acceptance result.
    """
    rx, u = splitter_rx - drop.mean_db, root_sum_square(u_db, drop.sigma_db)
    margin = rx - limit
    probability = NormalDist(0.0, u.value).cdf(margin.value) if u > Db(0) else None
    text = (
        f"{splitter_rx} at the splitter less {drop.mean_db} ({drop.name}) leaves {rx} ± {u * 2} (2 sigma) at the user, "
        f"{abs(margin)} {'above' if margin >= Db(0) else 'below'} {limit}"
    )
    if drop == RESERVE:
        text += "; the 7 dB are the specification's reserve, no measured drop"
    return UserProjection(
        splitter_rx_dbm=splitter_rx,
        drop=drop,
        user_rx_dbm=rx,
        u_db=u,
        worst_dbm=splitter_rx - u_db * 2 - drop.worst_db,
        limit_dbm=limit,
        margin_db=margin,
        met=rx >= limit,
        probability=probability,
        text=text,
    )


def _term(name: str, elements: int, interval: Interval) -> LossTerm:
    return LossTerm(
        name=name,
        elements=elements,
        mean_db=interval.mean_db,
        half_width_db=interval.half_width_db,
        source=interval.source,
        status=interval.status,
    )


def _fibre(km: float, per_km: Sequence[Interval], wavelengths: Sequence[int]) -> LossTerm:
    """One stretch of fibre; of several wavelengths the mean, since the glass that is bad at one is bad at the other."""
    share = km / len(per_km)
    return LossTerm(
        name=f"fibre {km:g} km at {'/'.join(str(nm) for nm in wavelengths)} nm",
        elements=1,
        mean_db=Db(sum(each.mean_db.value for each in per_km) * share),
        half_width_db=Db(sum(each.half_width_db.value for each in per_km) * share),
        source="; ".join(each.source for each in per_km),
        status=max((each.status for each in per_km), key=_WEAKER.index),
    )


def _total(parts: Iterable[Db]) -> Db:
    # whole nano-dB: 17.2 + 0.9 + 2.0 is 20.1, and a measured 20.1 meets it
    return Db(round(math.fsum(part.value for part in parts), 9))


def _some(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _mean_and_worst(expected: ExpectedLoss) -> str:
    spread = tenths(2 * expected.sigma_db.value)
    return f"{tenths(expected.mean_db.value)} ± {spread} dB (worst {tenths(expected.worst_db.value)})"


def _assumptions(record: PlantRecord, terms: Sequence[LossTerm]) -> Iterable[str]:
    if record.distance_source == "ranging":
        yield f"{record.km:g} km is the OLT's ranging distance; the record has none"
    else:
        yield f"{record.km:g} km is the recorded length"
    if record.connectors is None:
        yield f"{record.connector_pairs} connector pairs are assumed: 4 with one split stage, 6 with two (a choice)"
    for term in terms:
        if term.status == "recalled":
            yield f"{term.name}: the figure is recalled, no published source was seen"
        elif term.name.startswith("fibre") and term.status == "derived":
            yield f"{term.name}: no figure for this wavelength was seen; {term.source}"


def _same_direction(expected: ExpectedLoss, measured: MeasuredLoss) -> None:
    if expected.direction != measured.direction:
        raise ValueError(
            f"a measured {measured.direction} loss cannot be held against an expected {expected.direction} one"
        )


def _sum_of_rectangles(x: float, half_widths: Sequence[float]) -> float:
    """The probability that independent rectangles around 0 sum up to less than ``x``; exact, in whole nano-dB.

    The inclusion-exclusion sum over the corners cancels many digits, so it is done in integers; equal rectangles are
    counted, not listed, so that many connectors cost no more than a few.
    """
    groups: dict[int, int] = {}
    for half in half_widths:
        nano = round(half * _NANO)
        groups[nano] = groups.get(nano, 0) + 1
    groups.pop(0, None)
    point = round(x * _NANO)
    if not groups:
        return 1.0 if point > 0 else 0.0
    n = sum(groups.values())
    volume: int = math.factorial(n) * math.prod((2 * half) ** count for half, count in groups.items())
    inside = 0
    for minuses in itertools.product(*(range(count + 1) for count in groups.values())):
        corner, weight = point, 1
        for (half, count), minus in zip(groups.items(), minuses, strict=True):
            corner += half * (count - 2 * minus)
            weight *= math.comb(count, minus) * (-1 if minus % 2 else 1)
        if corner > 0:
            inside += weight * corner**n
    return inside / volume
