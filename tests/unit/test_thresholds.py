"""Limits as data: the built-in sets and classes, the text of a limit, and users' own sets from TOML and YAML."""

from __future__ import annotations

import importlib.util
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from parts import missing
from ponprobe.errors import ConfigError, MissingExtra, UnitAmbiguity
from ponprobe.evaluate import judge
from ponprobe.models.addressing import OnuRef
from ponprobe.models.judgement import QUANTITIES, Comparison, Threshold, ThresholdSet
from ponprobe.models.optical import POWERS, Db, Dbm, OpticalReading, Reading
from ponprobe.optics.classes import LossRange, OpticalClass, PowerRange, optical_class, optical_classes
from ponprobe.optics.thresholds import (
    CONSTRUCTION,
    USER_SIDE,
    check_against_class,
    class_thresholds,
    load_threshold_sets,
    parse_limit,
    parse_threshold_sets,
    threshold_set,
    threshold_sets,
)

TOML = """
[[threshold_sets]]
id = "acme"
version = 2
replaces = "acme@1"
stage = "construction"
source = "rule 7, 2026"
optical_class = "gpon_b_plus"

[[threshold_sets.thresholds]]
quantity = "onu_rx_dbm"
operator = ">="
limit = "-20DB"
interpretation = "ONU Rx >= -20 dBm"
status = "seen"

[[threshold_sets.thresholds]]
quantity = "downstream_attenuation_db"
operator = "<="
limit = 25
source = "table 3"
"""
YAML = """
threshold_sets:
  - id: acme
    version: 2
    replaces: acme@1
    stage: construction
    source: rule 7, 2026
    optical_class: gpon_b_plus
    thresholds:
      - {quantity: onu_rx_dbm, operator: ">=", limit: "-20DB", interpretation: "ONU Rx >= -20 dBm", status: seen}
      - {quantity: downstream_attenuation_db, operator: "<=", limit: 25, source: table 3}
"""


def need_yaml() -> None:
    if importlib.util.find_spec("yaml") is None:
        missing("PyYAML is not installed")


def row(**changes: object) -> str:
    """A file with one set of one row, changed."""
    fields = {"quantity": "'onu_rx_dbm'", "operator": "'>='", "limit": "'-20dBm'", **changes}
    lines = [f"{key} = {value}" for key, value in fields.items() if value is not None]
    return "\n".join(["[[threshold_sets]]", "id = 'mine'", "stage = 'x'", "[[threshold_sets.thresholds]]", *lines])


def onu_rx(limit: float, comparison: Comparison = Comparison.AT_LEAST) -> Threshold:
    return Threshold(
        quantity="onu_rx_dbm", comparison=comparison, limit=Dbm(limit), source_text="x", interpretation="x"
    )


# -- the classes ------------------------------------------------------------------------------------------------------

# written down a second time, straight from the published tables
PUBLISHED = {
    "gpon_b_plus": ((1.5, 5), (-28, -8), (0.5, 5), (-27, -8), (13, 28)),
    "gpon_c_plus": ((3, 7), (-32, -12), (0.5, 5), (-30, -8), (17, 32)),
    "xg_n1": (None, None, None, None, (14, 29)),
    "xg_n2": (None, None, None, None, (16, 31)),
    "xg_e1": (None, None, None, None, (18, 33)),
    "xg_e2": (None, None, None, None, (20, 35)),
    "xgs_n1": ((2, 5), (-26, -5), (4, 9), (-28, -9), (14, 29)),
    "xgs_n2": ((4, 7), (-28, -7), (4, 9), (-28, -9), (16, 31)),
    "xgs_e1": ((6, 9), (-30, -9), (4, 9), (-28, -9), (18, 33)),
    "xgs_e2": ((8, 11), None, (4, 9), (-28, -9), (20, 35)),
    "epon_px20": ((2, 7), (-27, None), (-1, 4), (-24, None), (10, 24)),
    "epon_px20_plus": ((2, 7), (-30, -6), (0, 4), (-26.5, -3), None),
}


def test_every_class_has_the_published_numbers_and_says_where_from() -> None:
    found = {}
    for name, known in optical_classes().items():
        ranges = [known.power(power) for power in ("olt_tx_dbm", "olt_rx_dbm", "onu_tx_dbm", "onu_rx_dbm")]
        ranges += [known.odn_loss]  # type: ignore[list-item]
        assert all(each.source and each.status in {"seen", "recalled"} for each in ranges if each is not None)
        found[name] = tuple(
            None if each is None else tuple(None if end is None else end.value for end in (each.lowest, each.highest))
            for each in ranges
        )
    assert found == PUBLISHED


def test_what_nobody_has_seen_is_marked_recalled() -> None:
    recalled = {
        (name, power)
        for name, known in optical_classes().items()
        for power in POWERS
        if (bounds := known.power(power)) is not None and bounds.status == "recalled"
    }
    assert recalled == {("gpon_c_plus", "olt_rx_dbm"), ("gpon_c_plus", "onu_tx_dbm")}


def test_b_plus_and_px20_budgets_follow_from_their_own_powers() -> None:
    # launch minimum - sensitivity - penalty = maximum loss, as the class tables themselves derive it
    b_plus, px20 = optical_class("gpon_b_plus"), optical_class("epon_px20")
    for known, penalty, budget in ((b_plus, 0.5, 28.0), (px20, 1.0, 25.0)):
        assert known.olt_tx is not None
        assert known.olt_tx.lowest is not None
        assert known.onu_rx is not None
        assert known.onu_rx.lowest is not None
        assert known.olt_tx.lowest.value - known.onu_rx.lowest.value - penalty == budget


def test_the_classes_are_read_only_and_an_unknown_one_names_the_known() -> None:
    with pytest.raises(TypeError):
        optical_classes()["mine"] = optical_class("xgs_n1")  # type: ignore[index]
    with pytest.raises(ConfigError, match=r"'b\+'.*known: epon_px20, .*gpon_b_plus"):
        optical_class("b+")
    with pytest.raises(ValueError, match="'onu_rx' is not one of"):
        optical_class("xgs_n1").power("onu_rx")


def test_a_range_has_an_end_and_an_order() -> None:
    with pytest.raises(ValidationError, match="at least one end"):
        PowerRange(source="x", status="seen")
    with pytest.raises(ValidationError, match="exchange them"):
        PowerRange(lowest=Dbm(-8), highest=Dbm(-27), source="x", status="seen")
    assert PowerRange(lowest=Dbm(-8), highest=Dbm(-8), source="x", status="seen").highest == Dbm(-8)


# -- the sets of the classes ------------------------------------------------------------------------------------------


def test_a_class_set_bounds_onu_rx_and_both_losses_from_both_sides() -> None:
    rows = [(each.quantity, str(each.comparison), each.limit) for each in threshold_set("gpon_b_plus").thresholds]
    assert rows == [
        ("onu_rx_dbm", ">=", Dbm(-27)),
        ("onu_rx_dbm", "<=", Dbm(-8)),
        ("downstream_attenuation_db", ">=", Db(13)),
        ("downstream_attenuation_db", "<=", Db(28)),
        ("upstream_attenuation_db", ">=", Db(13)),
        ("upstream_attenuation_db", "<=", Db(28)),
    ]
    assert all(each.source and each.status == "seen" for each in threshold_set("gpon_b_plus").thresholds)
    assert threshold_set("gpon_b_plus").not_judged == ("olt_tx_dbm", "olt_rx_dbm", "onu_tx_dbm")


def test_what_a_class_does_not_know_gets_no_limit() -> None:
    assert [each.quantity for each in threshold_set("epon_px20_plus").thresholds] == ["onu_rx_dbm"] * 2
    assert len(threshold_set("epon_px20").thresholds) == 5  # no overload
    assert threshold_set("xg_n1").judged == ("downstream_attenuation_db", "upstream_attenuation_db")
    overload_only = OpticalClass(
        id="x", name="x", systems=("gpon",), onu_rx=PowerRange(highest=Dbm(-8), source="x", status="seen")
    )
    (only,) = class_thresholds(overload_only).thresholds
    assert only.comparison is Comparison.AT_MOST
    loss_only = OpticalClass(
        id="x", name="x", systems=("gpon",), odn_loss=LossRange(lowest=Db(1), highest=Db(2), source="x", status="seen")
    )
    assert len(class_thresholds(loss_only).thresholds) == 4


def test_every_built_in_set_is_keyed_versioned_and_says_its_source() -> None:
    for name, known in threshold_sets().items():
        assert known.id == name
        assert known.key == f"{name}@1"
        assert known.source
        assert all(limit.source and limit.status for limit in known.thresholds)
        assert set(known.judged) | set(known.not_judged) == set(QUANTITIES)
        assert not set(known.judged) & set(known.not_judged)


def test_a_limit_below_the_sensitivity_of_its_class_is_told() -> None:
    (told,) = check_against_class(USER_SIDE, optical_class("epon_px20"))
    assert told.code == "limit_below_sensitivity"
    assert "-27.00 dBm of user_side@1 is 3.00 dB below the sensitivity -24.00 dBm of EPON PX20" in told.text
    (half,) = check_against_class(USER_SIDE, optical_class("epon_px20_plus"))
    assert "0.50 dB below" in half.text
    assert not list(check_against_class(USER_SIDE, optical_class("gpon_b_plus"))), "equal is not below"
    assert not list(check_against_class(CONSTRUCTION, optical_class("epon_px20")))
    assert not list(check_against_class(USER_SIDE, optical_class("xg_n1"))), "no sensitivity, no warning"
    assert not list(check_against_class(USER_SIDE, None))
    upper = ThresholdSet(id="x", stage="x", thresholds=(onu_rx(-30, Comparison.AT_MOST),))
    assert not list(check_against_class(upper, optical_class("epon_px20")))


def test_the_warning_reaches_the_verdict_by_option_and_by_the_sets_own_class() -> None:
    onu, at = OnuRef.parse("0/1/2:3"), datetime(2031, 5, 4, tzinfo=timezone.utc)
    reading = OpticalReading(onu=onu, onu_rx_dbm=Reading(value=Dbm(-26)))
    own = USER_SIDE.model_copy(update={"id": "x", "optical_class": "epon_px20"})
    for verdict in (
        judge(reading, USER_SIDE, judged_at=at, optical_class="epon_px20"),
        judge(reading, own, judged_at=at),
    ):
        assert verdict.passed
        assert "limit_below_sensitivity" in {finding.code for finding in verdict.findings}
        assert verdict.options.optical_class == "epon_px20"
    assert judge(reading, USER_SIDE, judged_at=at).findings == ()


# -- what cannot be a limit -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("comparison", list(Comparison))
@pytest.mark.parametrize("quantity", ["onu_rx_dbm", "olt_rx_dbm"])
def test_a_positive_received_power_has_lost_its_sign(quantity: str, comparison: Comparison) -> None:
    with pytest.raises(ValidationError, match="has lost its sign"):
        Threshold(quantity=quantity, comparison=comparison, limit=Dbm(20), source_text="x", interpretation="x")


def test_a_transmitter_may_have_a_positive_limit_and_a_loss_no_negative_one() -> None:
    Threshold(
        quantity="olt_tx_dbm", comparison=Comparison.AT_LEAST, limit=Dbm(1.5), source_text="x", interpretation="x"
    )
    for quantity in ("downstream_attenuation_db", "upstream_attenuation_db"):
        with pytest.raises(ValidationError, match="cannot bound a loss"):
            Threshold(
                quantity=quantity, comparison=Comparison.AT_MOST, limit=Db(-27), source_text="x", interpretation="x"
            )


def test_a_limit_is_in_the_unit_of_a_known_quantity() -> None:
    def limit(quantity: str, number: Dbm | Db) -> Threshold:
        return Threshold(
            quantity=quantity, comparison=Comparison.AT_MOST, limit=number, source_text="x", interpretation="x"
        )

    with pytest.raises(ValidationError, match="onu_rx_dbm is a power: its limit is in dBm"):
        limit("onu_rx_dbm", Db(-20))
    with pytest.raises(ValidationError, match="upstream_attenuation_db is a loss: its limit is in dB"):
        limit("upstream_attenuation_db", Dbm(28))
    with pytest.raises(ValidationError, match="'rx' is not a quantity that ponprobe judges"):
        limit("rx", Dbm(-20))
    assert limit("upstream_attenuation_db", Db(0)).limit == Db(0)


def test_a_set_refuses_two_limits_of_one_kind_an_empty_range_and_itself() -> None:
    with pytest.raises(ValidationError, match=r"onu_rx_dbm has two limits with >="):
        ThresholdSet(id="x", stage="x", thresholds=(onu_rx(-20), onu_rx(-27)))
    with pytest.raises(ValidationError, match=r"cannot be >= -8.00 dBm and <= -27.00 dBm"):
        ThresholdSet(id="x", stage="x", thresholds=(onu_rx(-8), onu_rx(-27, Comparison.AT_MOST)))
    ThresholdSet(id="x", stage="x", thresholds=(onu_rx(-8), onu_rx(-8, Comparison.AT_MOST)))
    with pytest.raises(ValidationError, match="x@2 cannot replace itself"):
        ThresholdSet(id="x", stage="x", thresholds=(onu_rx(-8),), version=2, replaces="x@2")


# -- the text of a limit ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "quantity", "limit"),
    [
        ("-20dBm", "onu_rx_dbm", Dbm(-20)),
        (" -20.5 DBM ", "onu_rx_dbm", Dbm(-20.5)),
        ("- 20 dBm", "olt_rx_dbm", Dbm(-20)),
        ("\N{MINUS SIGN}20dBm", "onu_rx_dbm", Dbm(-20)),
        ("\N{FULLWIDTH HYPHEN-MINUS}20dBm", "onu_rx_dbm", Dbm(-20)),
        ("+1.5dBm", "olt_tx_dbm", Dbm(1.5)),
        ("28dB", "downstream_attenuation_db", Db(28)),
        ("28 DB", "upstream_attenuation_db", Db(28)),
    ],
)
def test_a_limit_in_its_own_unit_is_read(text: str, quantity: str, limit: Dbm | Db) -> None:
    assert parse_limit(text, quantity) == limit


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("-20dB", "onu_rx_dbm"),
        ("-20DB", "onu_rx_dbm"),
        ("-27Db", "olt_rx_dbm"),
        ("-20", "onu_rx_dbm"),
        ("28dBm", "downstream_attenuation_db"),
        ("28", "upstream_attenuation_db"),
    ],
)
def test_another_unit_or_none_is_ambiguous_unless_somebody_says_what_is_meant(text: str, quantity: str) -> None:
    power = quantity in POWERS
    with pytest.raises(UnitAmbiguity, match="is in dBm" if power else r"is in dB\b") as caught:
        parse_limit(text, quantity)
    assert isinstance(caught.value, ConfigError)
    assert "interpretation = " in str(caught.value)
    for useless in ("as written", "a limit in dB" if power else "a limit in dBm", ""):
        with pytest.raises(UnitAmbiguity):
            parse_limit(text, quantity, interpretation=useless)
    meant = parse_limit(text, quantity, interpretation=f"it is {'-20 dBm' if power else '28 dB'}")
    assert isinstance(meant, Dbm if power else Db)
    assert str(meant.value).removesuffix(".0") in text


def test_the_hint_of_an_ambiguity_can_be_copied() -> None:
    with pytest.raises(UnitAmbiguity) as caught:
        parse_limit("-20DB", "onu_rx_dbm")
    assert caught.value.hint == 'write -20dBm, or name what is meant: interpretation = "ONU Rx >= -20 dBm"'
    assert parse_limit("-20DB", "onu_rx_dbm", interpretation="ONU Rx >= -20 dBm") == Dbm(-20)
    with pytest.raises(UnitAmbiguity, match=r"downstream attenuation <= 25 dB"):
        parse_limit("25dBm", "downstream_attenuation_db")


@pytest.mark.parametrize(
    "text", ["", "dBm", "-20 dBW", "nan dBm", "inf", "1e3dBm", "-20,5dBm", "--20dBm", "٢٠dBm", "-20dBm x"]
)
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a limit"):
        parse_limit(text, "onu_rx_dbm")


def test_a_limit_of_an_unknown_quantity_is_refused() -> None:
    with pytest.raises(ConfigError, match="'rx' is not a quantity"):
        parse_limit("-20dBm", "rx")


@given(st.text())
def test_no_text_of_a_limit_crashes(text: str) -> None:
    for quantity in QUANTITIES:
        try:
            found = parse_limit(text, quantity)
        except ConfigError:
            continue
        assert type(found) is (Dbm if quantity in POWERS else Db)
        assert "m" in text.lower() if quantity in POWERS else "m" not in text.lower()


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "text"), [("a.toml", TOML), ("a.yaml", YAML), ("a.YML", YAML)])
def test_a_file_gives_its_sets_with_words_sources_and_history(tmp_path: Path, name: str, text: str) -> None:
    if "yaml" in name.lower():
        need_yaml()
    file = tmp_path / name
    file.write_text(text, "utf-8-sig")
    (found,) = load_threshold_sets(file)
    assert (found.id, found.version, found.replaces, found.key) == ("acme", 2, "acme@1", "acme@2")
    assert (found.stage, found.source, found.optical_class) == ("construction", "rule 7, 2026", "gpon_b_plus")
    power, loss = found.thresholds
    assert (power.limit, power.source_text, power.interpretation) == (Dbm(-20), "-20DB", "ONU Rx >= -20 dBm")
    assert power.status == "seen"
    assert power.source == f"{file}, threshold_sets[1] 'acme', thresholds[1]"
    assert (loss.limit, loss.source_text, loss.source) == (Db(25), "25 dB", "table 3")
    assert loss.interpretation == "downstream attenuation <= 25 dB"
    assert ThresholdSet.model_validate_json(found.model_dump_json()) == found


def test_own_sets_are_found_by_id_and_by_version_beside_the_built_in() -> None:
    text = TOML + TOML.replace("version = 2", "version = 1").replace('replaces = "acme@1"', "")
    sets = parse_threshold_sets(text, "toml")
    assert threshold_set("acme", sets).version == 2
    assert threshold_set("acme", reversed(sets)).version == 2
    assert threshold_set("acme@1", sets).version == 1
    assert threshold_set("construction", sets) is CONSTRUCTION
    with pytest.raises(ConfigError, match="known: acme, construction"):
        threshold_set("acme@3", sets)


def test_a_newer_version_of_a_built_in_set_is_taken_and_its_own_version_is_not() -> None:
    newer = row().replace("'mine'", "'construction'\nversion = 2\nreplaces = 'construction@1'")
    (found,) = parse_threshold_sets(newer, "toml")
    assert threshold_set("construction", [found]) is found
    assert threshold_set("construction@1", [found]) is CONSTRUCTION
    with pytest.raises(ConfigError, match="construction@1 is already taken"):
        parse_threshold_sets(row().replace("'mine'", "'construction'"), "toml")
    with pytest.raises(ConfigError, match=r"threshold_sets\[2\]: mine@1 is already taken"):
        parse_threshold_sets(row() + "\n" + row(), "toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "site: threshold_sets must be a list"),
        ("threshold_sets = []", "threshold_sets must be a list"),
        ("threshold_sets = [1]", "threshold_sets must be a list"),
        ("treshold_sets = []", r"unknown key 'treshold_sets' - did you mean 'threshold_sets'\?"),
        ("a = ", "site is no TOML"),
        ("[[threshold_sets]]\nstage = 'x'", r"site, threshold_sets\[1\], id: a text is needed"),
        ("[[threshold_sets]]\nid = 3", r"threshold_sets\[1\], id: 3 is no text"),
        ("[[threshold_sets]]\nid = 'x'\nstage = ' '\nthresholds = [{}]", r"'x', stage: ' ' is no text"),
        ("[[threshold_sets]]\nid = 'x'\nstage = 'x'\nthresholds = []", r"threshold_sets\[1\] 'x': thresholds must be"),
        ("[[threshold_sets]]\nid = 'x'\nversion = true", r"'x', version: True is no whole number"),
        ("[[threshold_sets]]\nid = 'x'\nversion = 0", r"'x', version: 0 is no whole number"),
        ("[[threshold_sets]]\nid = 'x'\nversion = '2'", r"'x', version: '2' is no whole number"),
        ("[[threshold_sets]]\nid = 'x'\noptical_class = 'b+'", r"'x', optical_class: there is no optical class 'b\+'"),
        (row(color="1"), r"'mine', thresholds\[1\]: unknown key 'color' - known: quantity"),
        (row(quantity="'onu_rx'"), r"thresholds\[1\], quantity: 'onu_rx' .* did you mean 'onu_rx_dbm'"),
        (row(quantity="'zzz'"), r"quantity: 'zzz' .* known: olt_tx_dbm"),
        (row(operator="'>'"), r"thresholds\[1\], operator: '>' is neither"),
        (row(operator=None), "operator: None is neither"),
        (row(status="'sure'"), "status: 'sure' is unknown - known: seen"),
        (row(limit="'-20 W'"), r"thresholds\[1\], limit: '-20 W' is not a limit"),
        (row(limit=None), "limit: None is no limit"),
        (row(limit="true"), "limit: True is no limit"),
        (row(limit="nan"), "limit: nan is no limit"),
        (row(limit="[1]"), r"limit: \[1\] is no limit"),
        (row(limit="1" + "0" * 400), "limit: 1000.* is no limit"),
        (row(limit="20"), r"thresholds\[1\]: a positive limit for onu_rx_dbm has lost its sign"),
        (row(quantity="'upstream_attenuation_db'", limit="-20"), "a negative limit for upstream_attenuation_db"),
        (row() + "\n[[threshold_sets.thresholds]]\nquantity='onu_rx_dbm'\noperator='>='\nlimit=-1", "two limits"),
    ],
)  # fmt: skip
def test_a_wrong_file_says_which_row_and_which_key(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_threshold_sets(text, "toml", where="site")


def test_an_ambiguous_unit_in_a_file_is_told_with_its_place() -> None:
    with pytest.raises(UnitAmbiguity, match=r"site, threshold_sets\[1\] 'mine', thresholds\[1\], limit: .*'-20DB'"):
        parse_threshold_sets(row(limit="'-20DB'"), "toml", where="site")


def test_a_file_that_is_no_threshold_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must end in .toml, .yaml or .yml"):
        load_threshold_sets(tmp_path / "a.json")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_threshold_sets(tmp_path / "absent.toml")
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_threshold_sets(str(tmp_path / "a.toml"))


@pytest.mark.parametrize("text", ["- a", "", "a", "3"])
def test_a_yaml_text_that_is_no_table_is_refused(text: str) -> None:
    need_yaml()
    with pytest.raises(ConfigError, match="holds no threshold_sets"):
        parse_threshold_sets(text, "yaml")


@pytest.mark.parametrize("text", ["a: [", "a: !!python/object:os.system x", "a: 2026-13-45", "[" * 5000])
def test_a_broken_or_hostile_yaml_text_is_a_config_error(text: str) -> None:
    need_yaml()
    with pytest.raises(ConfigError):
        parse_threshold_sets(text, "yaml")


def test_yaml_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(MissingExtra, match=r"pip install 'ponprobe\[app\]'"):
        parse_threshold_sets(YAML, "yaml")
    assert parse_threshold_sets(TOML, "toml")
