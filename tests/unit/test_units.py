"""Units are types: what may be computed, and what is refused."""

from __future__ import annotations

import json
import pickle
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from ponprobe.models.addressing import OnuRef
from ponprobe.models.optical import Absence, Db, Dbm, OpticalReading, Reading, read_at

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
levels = st.floats(min_value=-60, max_value=20)


def test_a_difference_of_powers_is_a_ratio_and_a_power_less_a_ratio_is_a_power() -> None:
    assert Dbm(3.5) - Dbm(-18.25) == Db(21.75)
    assert Dbm(3.5) - Db(21.75) == Dbm(-18.25)
    assert Dbm(-18.25) + Db(1) == Dbm(-17.25)
    assert Db(3) + Db(4) == Db(7)
    assert 2 * Db(3.5) == Db(7)
    assert abs(Db(-1.5)) == -Db(-1.5)


@pytest.mark.parametrize(
    "nonsense",
    [
        lambda: Dbm(1) + Dbm(2),
        lambda: Dbm(1) + 2.0,
        lambda: 2.0 + Dbm(1),
        lambda: Db(1) - Dbm(1),
        lambda: Db(1) + 1,
        lambda: Dbm(1) * 2,
        lambda: Dbm(1) < Db(2),
        lambda: Dbm(1) < 2,
        lambda: Db(1) >= 0,
        lambda: sum([Dbm(1), Dbm(2)]),
        lambda: Dbm("-18.2"),
        lambda: Dbm(True),
    ],
)
def test_what_has_no_meaning_is_a_type_error(nonsense: object) -> None:
    with pytest.raises(TypeError):
        nonsense()  # type: ignore[operator]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="absence"):
        Dbm(number)


def test_a_quantity_equals_only_its_own_kind() -> None:
    assert Dbm(1) != Db(1)
    assert Dbm(1) != 1
    assert len({Dbm(1), Db(1), Dbm(1.0)}) == 2
    with pytest.raises(AttributeError):
        Dbm(1).value = 2


@given(levels, levels)
def test_order_follows_the_numbers(one: float, other: float) -> None:
    assert (Dbm(one) < Dbm(other)) == (one < other)
    assert (Dbm(one) <= Dbm(other)) == (one <= other)
    assert (Dbm(one) > Dbm(other)) == (one > other)
    assert (Dbm(one) >= Dbm(other)) == (one >= other)


def test_quantities_survive_pickling_and_json() -> None:
    class Pair(BaseModel):
        power: Dbm
        loss: Db | None = None

    assert pickle.loads(pickle.dumps(Dbm(-3.25))) == Dbm(-3.25)
    pair = Pair(power=Dbm(-3.25), loss=Db(1))
    assert json.loads(pair.model_dump_json()) == {"power": -3.25, "loss": 1.0}
    assert Pair.model_validate_json(pair.model_dump_json()) == pair
    with pytest.raises(ValidationError):
        Pair(power=-3.25)  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        Pair(power=Db(1))  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        Pair.model_validate_json('{"power": "-3.25"}')


def test_a_reading_has_a_value_or_a_reason() -> None:
    with pytest.raises(ValidationError, match="either a value or the reason"):
        Reading()
    with pytest.raises(ValidationError, match="either a value or the reason"):
        Reading(value=Dbm(1), absence=Absence.OFFLINE)
    assert str(read_at(None, None, source="x", at=NOW)) == "absent (not_reported)"
    with pytest.raises(ValidationError):
        Reading(value=Dbm(1), at=datetime(2030, 1, 1))  # noqa: DTZ001 - a time without zone must be refused


def test_merging_fills_what_is_absent_and_keeps_each_source() -> None:
    onu = OnuRef.parse("0/1/2:3")
    cli = OpticalReading(
        onu=onu,
        onu_rx_dbm=read_at(Dbm(-18), None, source="cli", at=NOW),
        olt_rx_dbm=read_at(None, Absence.OUT_OF_RANGE, source="cli", at=NOW),
    )
    snmp = OpticalReading(
        onu=onu,
        onu_rx_dbm=read_at(Dbm(-17), None, source="snmp", at=NOW),
        olt_rx_dbm=read_at(Dbm(-21), None, source="snmp", at=NOW),
        olt_tx_dbm=read_at(None, Absence.UNSUPPORTED, source="snmp", at=NOW),
        voltage_v=3.3,
    )
    merged = cli.merged_with(snmp)
    assert (merged.onu_rx_dbm.value, merged.onu_rx_dbm.source) == (Dbm(-18), "cli")
    assert (merged.olt_rx_dbm.value, merged.olt_rx_dbm.source) == (Dbm(-21), "snmp")
    assert merged.olt_tx_dbm.absence is Absence.UNSUPPORTED, "a reason says more than 'nobody asked'"
    assert merged.onu_tx_dbm.absence is Absence.NOT_READ
    assert merged.voltage_v == 3.3
    assert not merged.complete
    with pytest.raises(ValueError, match="cannot be merged"):
        cli.merged_with(OpticalReading(onu=OnuRef.parse("0/1/2:4")))
