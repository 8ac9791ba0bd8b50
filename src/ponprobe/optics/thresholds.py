"""Threshold sets: the built-in ones, those that follow from an optical class, and users' own from TOML and YAML.

A file holds ``threshold_sets``, each with ``id``, ``stage`` and ``thresholds``, each of those with ``quantity``,
``operator`` and ``limit``::

    [[threshold_sets]]
    id = "my_construction"
    version = 2
    replaces = "my_construction@1"
    stage = "construction"
    source = "acceptance rule 7, 2026"

    [[threshold_sets.thresholds]]
    quantity = "onu_rx_dbm"
    operator = ">="
    limit = "-20DB"
    interpretation = "ONU Rx >= -20 dBm"

A limit is a number in the quantity's own unit or text with a unit. Text in another unit is refused with
``UnitAmbiguity`` unless ``interpretation`` says what is meant.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from ponprobe.errors import ConfigError, MissingExtra, UnitAmbiguity
from ponprobe.models.components import Status
from ponprobe.models.judgement import ATTENUATIONS, QUANTITIES, Comparison, Finding, Threshold, ThresholdSet
from ponprobe.models.optical import POWERS, Db, Dbm
from ponprobe.optics.classes import OpticalClass, optical_class, optical_classes
from ponprobe.optics.exact import NAMES, gap, shown

if sys.version_info >= (3, 11):  # pragma: no cover - one of the two, as the Python is
    import tomllib
else:  # pragma: no cover
    import tomli as tomllib

Format = Literal["toml", "yaml"]
_Model = TypeVar("_Model", Threshold, ThresholdSet)

# -- built in ---------------------------------------------------------------------------------------------------------


def _stage(name: str, stage: str, limit: float, source_text: str) -> ThresholdSet:
    threshold = Threshold(
        quantity="onu_rx_dbm",
        comparison=Comparison.AT_LEAST,
        limit=Dbm(limit),
        source_text=source_text,
        interpretation=f"ONU Rx >= {limit:g} dBm, although the specification writes DB: the judged quantity is a power",
        source="the acceptance specification of the test-ONU procedure",
        status="seen",
    )
    return ThresholdSet(id=name, stage=stage, thresholds=(threshold,), source=threshold.source)


CONSTRUCTION = _stage("construction", "construction, at the last splitter before the drop cable", -20.0, "-20DB")
"""The default of an acceptance run: what the splitter must deliver before the drop cable is laid."""

USER_SIDE = _stage("user_side", "user side, after the drop cable", -27.0, "-27DB")
"""What must reach the user's own equipment; the 7 dB to ``CONSTRUCTION`` are the reserve for the drop cable."""


def class_thresholds(known: OpticalClass) -> ThresholdSet:
    """The limits that a class itself sets: ONU Rx from sensitivity to overload, both losses inside the ODN's range."""
    rows = []
    if known.onu_rx is not None:
        received = known.onu_rx
        bounds = (
            (Comparison.AT_LEAST, received.lowest, "sensitivity"),
            (Comparison.AT_MOST, received.highest, "overload"),
        )
        for comparison, power, word in bounds:
            if power is not None:
                text = f"{word} {power.value:g} dBm"
                rows.append(
                    _class_row("onu_rx_dbm", comparison, power, text, source=received.source, status=received.status)
                )
    if known.odn_loss is not None:
        odn = known.odn_loss
        text = f"ODN loss {odn.lowest.value:g}..{odn.highest.value:g} dB"
        for quantity in ATTENUATIONS:
            rows.append(
                _class_row(quantity, Comparison.AT_LEAST, odn.lowest, text, source=odn.source, status=odn.status)
            )
            rows.append(
                _class_row(quantity, Comparison.AT_MOST, odn.highest, text, source=odn.source, status=odn.status)
            )
    return ThresholdSet(
        id=known.id,
        stage=f"the limits of {known.name}",
        thresholds=tuple(rows),
        source=f"the class {known.name}",
        optical_class=known.id,
    )


def plain_meaning(quantity: str, comparison: Comparison, limit: Dbm | Db) -> str:
    """How a limit is interpreted where nobody wrote it down."""
    return f"{NAMES[quantity]} {comparison} {limit.value:g} {limit.unit}"


def _class_row(
    quantity: str, comparison: Comparison, limit: Dbm | Db, text: str, *, source: str, status: Status
) -> Threshold:
    return Threshold(
        quantity=quantity,
        comparison=comparison,
        limit=limit,
        source_text=text,
        interpretation=plain_meaning(quantity, comparison, limit),
        source=source,
        status=status,
    )


_SETS: Mapping[str, ThresholdSet] = MappingProxyType(
    {
        known.id: known
        for known in (CONSTRUCTION, USER_SIDE, *(class_thresholds(each) for each in optical_classes().values()))
    }
)


def threshold_sets() -> Mapping[str, ThresholdSet]:
    """The built-in threshold sets by id, read-only."""
    return _SETS


def threshold_set(name: str, others: Iterable[ThresholdSet] = ()) -> ThresholdSet:
    """The set with this id (its highest version) or this ``id@version``, built in or among ``others``.

    ``ConfigError`` with the known ids otherwise.
    """
    known = (*_SETS.values(), *others)
    exact = [each for each in known if each.key == name]
    found = exact or sorted((each for each in known if each.id == name), key=lambda each: each.version)
    if not found:
        ids = ", ".join(sorted({each.id for each in known}))
        raise ConfigError(f"there is no threshold set {name!r}", hint=f"known: {ids}")
    return found[-1]


def check_against_class(thresholds: ThresholdSet, known: OpticalClass | None) -> Iterable[Finding]:
    """A warning for every lower ONU Rx limit that the class's own receiver cannot reach."""
    if known is None or known.onu_rx is None or known.onu_rx.lowest is None:
        return
    sensitivity = known.onu_rx.lowest
    for threshold in thresholds.thresholds:
        if threshold.quantity != "onu_rx_dbm" or threshold.comparison is not Comparison.AT_LEAST:
            continue
        limit = threshold.limit
        if limit.value < sensitivity.value:
            yield Finding(
                code="limit_below_sensitivity",
                text=f"the limit {shown(limit)} of {thresholds.key} is {shown(gap(limit, sensitivity))} below the "
                f"sensitivity {shown(sensitivity)} of {known.name} ({known.onu_rx.source})",
                next_step="judge with a limit for this class: a line that just passes may not carry service",
                values=(
                    ("set", thresholds.key),
                    ("limit", shown(limit)),
                    ("sensitivity", shown(sensitivity)),
                    ("apart", shown(gap(limit, sensitivity))),
                    ("of", known.name),
                ),
            )


# -- the text of a limit ----------------------------------------------------------------------------------------------

_LIMIT = re.compile(r"([+-]?)\s*(\d{1,4}(?:\.\d{1,12})?|\.\d{1,12})\s*(dbm|db)?", re.IGNORECASE | re.ASCII)
_SIGNS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{FULLWIDTH HYPHEN-MINUS}": "-", "\N{EN DASH}": "-"})
_UNITS = re.compile(r"(?<![a-z])(dbm|db)(?![a-z])", re.IGNORECASE)


def parse_limit(text: str, quantity: str, *, interpretation: str | None = None) -> Dbm | Db:
    """Read the text of a limit for a quantity: dBm for a power, dB for an attenuation.

    The wrong unit or none raises ``UnitAmbiguity``, unless ``interpretation`` says what is meant and names the right
    unit ("ONU Rx >= -20 dBm"). Anything else that is no number raises ``ConfigError``.
    """
    if quantity not in QUANTITIES:
        raise ConfigError(
            f"{quantity!r} is not a quantity that ponprobe judges", hint=f"known: {', '.join(QUANTITIES)}"
        )
    unit = "dBm" if quantity in POWERS else "dB"
    match = _LIMIT.fullmatch(text.strip().translate(_SIGNS))
    if match is None:
        raise ConfigError(
            f"{text!r} is not a limit", hint=f"write a number and its unit, such as {_example(quantity)!r}"
        )
    number = float(match[1] + match[2])
    if (match[3] or "").lower() != unit.lower() and not _names_unit(interpretation, unit):
        written = f"is in {'dB' if unit == 'dBm' else 'dBm'}" if match[3] else "has no unit"
        raise UnitAmbiguity(
            f"the limit {text!r} for {NAMES[quantity]} {written}, but {NAMES[quantity]} is in {unit}",
            hint=f"write {number:g}{unit}, or name what is meant: interpretation = "
            f'"{NAMES[quantity]} {"<=" if unit == "dB" else ">="} {number:g} {unit}"',
        )
    return Dbm(number) if unit == "dBm" else Db(number)


def _names_unit(interpretation: str | None, unit: str) -> bool:
    """Whether an interpretation speaks of this unit at all; a wish to be understood is none."""
    return interpretation is not None and unit.lower() in {each.lower() for each in _UNITS.findall(interpretation)}


def _example(quantity: str) -> str:
    return "-20dBm" if quantity in POWERS else "28dB"


# -- users' own -------------------------------------------------------------------------------------------------------

_SET_KEYS = ("id", "stage", "thresholds", "version", "replaces", "source", "optical_class")
_ROW_KEYS = ("quantity", "operator", "limit", "source_text", "interpretation", "source", "status")
_STATUS = ("seen", "derived", "recalled")
_EXAMPLE = "help(ponprobe.optics.thresholds) shows a whole file"


def load_threshold_sets(file: str | Path) -> tuple[ThresholdSet, ...]:
    """The threshold sets of a ``.toml``, ``.yaml`` or ``.yml`` file; ``ConfigError`` says where and what is wrong."""
    path = Path(file)
    formats: dict[str, Format] = {".toml": "toml", ".yaml": "yaml", ".yml": "yaml"}
    if path.suffix.lower() not in formats:
        raise ConfigError(f"{path} is no threshold file", hint="its name must end in .toml, .yaml or .yml")
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} cannot be read: {exc}", hint="threshold files are UTF-8 text") from exc
    return parse_threshold_sets(text, formats[path.suffix.lower()], where=str(path))


def parse_threshold_sets(text: str, format: Format, *, where: str = "thresholds") -> tuple[ThresholdSet, ...]:  # noqa: A002
    """The threshold sets in a text, checked row by row; ``where`` is what errors call the text.

    A set may not take the ``id@version`` of a built-in one. YAML needs the ``app`` extra.
    """
    document = _toml(text, where) if format == "toml" else _yaml(text, where)
    if not isinstance(document, dict):
        raise ConfigError(f"{where} holds no threshold_sets", hint=_EXAMPLE)
    _keys(document, ("threshold_sets",), where)
    sets = _rows(document, "threshold_sets", where)
    found: dict[str, ThresholdSet] = {}
    for number, row in enumerate(sets, start=1):
        place = f"{where}, threshold_sets[{number}]"
        known = _set(row, place)
        if known.key in found or known.key in {each.key for each in _SETS.values()}:
            raise ConfigError(f"{place}: {known.key} is already taken", hint="give it another id or raise its version")
        found[known.key] = known
    return tuple(found.values())


def _toml(text: str, where: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{where} is no TOML: {exc}") from exc


def _yaml(text: str, where: str) -> Any:
    try:
        import yaml  # noqa: PLC0415 - an optional part
    except ImportError as exc:
        raise MissingExtra(f"reading {where} as YAML", "app") from exc
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as exc:
        raise ConfigError(f"{where} is no YAML: {' '.join(str(exc).split())}") from exc


def _rows(table: Mapping[str, Any], key: str, where: str) -> Sequence[Mapping[str, Any]]:
    rows = table.get(key)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"{where}: {key} must be a list of tables, at least one", hint=_EXAMPLE)
    return rows


def _keys(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
            raise ConfigError(f"{where}: unknown key {key!r}", hint=hint)


def _text(table: Mapping[str, Any], key: str, where: str, *, needed: bool = False) -> str | None:
    value = table.get(key)
    if value is None and not needed:
        return None
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{where}, {key}: {'a text is needed' if value is None else f'{value!r} is no text'}")
    return value


def _set(table: Mapping[str, Any], where: str) -> ThresholdSet:
    name = _text(table, "id", where, needed=True)
    where = f"{where} {name!r}"
    _keys(table, _SET_KEYS, where)
    version = table.get("version", 1)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ConfigError(f"{where}, version: {version!r} is no whole number from 1")
    declared = _text(table, "optical_class", where)
    if declared is not None:
        try:
            optical_class(declared)
        except ConfigError as exc:
            raise ConfigError(f"{where}, optical_class: {exc.message}", hint=exc.hint) from exc
    rows = _rows(table, "thresholds", where)
    return _built(
        ThresholdSet,
        where,
        id=name,
        stage=_text(table, "stage", where, needed=True),
        version=version,
        replaces=_text(table, "replaces", where),
        source=_text(table, "source", where) or where,
        optical_class=declared,
        thresholds=tuple(_row(row, f"{where}, thresholds[{number}]") for number, row in enumerate(rows, start=1)),
    )


def _row(row: Mapping[str, Any], where: str) -> Threshold:
    _keys(row, _ROW_KEYS, where)
    quantity = _text(row, "quantity", where, needed=True) or ""
    if quantity not in QUANTITIES:
        close = difflib.get_close_matches(quantity, QUANTITIES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(QUANTITIES)}"
        raise ConfigError(f"{where}, quantity: {quantity!r} is not a quantity that ponprobe judges", hint=hint)
    operator = row.get("operator")
    if operator not in {">=", "<="}:
        raise ConfigError(f"{where}, operator: {operator!r} is neither '>=' nor '<='", hint="equality always passes")
    status = row.get("status")
    if status is not None and status not in _STATUS:
        raise ConfigError(f"{where}, status: {status!r} is unknown", hint=f"known: {', '.join(_STATUS)}")
    interpretation = _text(row, "interpretation", where)
    limit, written = _limit(row.get("limit"), quantity, interpretation, f"{where}, limit")
    return _built(
        Threshold,
        where,
        quantity=quantity,
        comparison=Comparison(operator),
        limit=limit,
        source_text=_text(row, "source_text", where) or written,
        interpretation=interpretation or plain_meaning(quantity, Comparison(operator), limit),
        source=_text(row, "source", where) or where,
        status=status,
    )


def _limit(value: Any, quantity: str, interpretation: str | None, where: str) -> tuple[Dbm | Db, str]:
    """The limit and how it was written."""
    try:
        if isinstance(value, str):
            return parse_limit(value, quantity, interpretation=interpretation), value
        limit = Dbm(value) if quantity in POWERS else Db(value)
    except UnitAmbiguity as exc:
        raise UnitAmbiguity(f"{where}: {exc.message}", hint=exc.hint) from exc
    except ConfigError as exc:
        raise ConfigError(f"{where}: {exc.message}", hint=exc.hint) from exc
    except (TypeError, ValueError, OverflowError) as exc:
        hint = f"write a number in the quantity's unit or text such as {_example(quantity)!r}"
        raise ConfigError(f"{where}: {value!r} is no limit", hint=hint) from exc
    return limit, f"{limit.value:g} {limit.unit}"


def _built(model: type[_Model], where: str, **fields: Any) -> _Model:
    """The model, its own refusals told with their place."""
    try:
        return model(**fields)
    except ValidationError as exc:
        reasons = "; ".join(str(each["msg"]).removeprefix("Value error, ") for each in exc.errors())
        raise ConfigError(f"{where}: {reasons}", hint="correct this row; nothing of the file was taken") from exc
