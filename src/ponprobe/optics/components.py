"""What splitters, fibre, connectors and splices lose, with the source of each number, and a reader for users' own.

Connectors, splices and fibre are judged by intervals from data sheets and field norms, since the norms' own tables are
not public. A splitter's loss lies between its maximum less its uniformity and its maximum.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ponprobe.errors import ConfigError
from ponprobe.models.components import (
    ComponentTable,
    FibreLoss,
    Interval,
    PonWavelengths,
    SplitterLoss,
    Status,
)
from ponprobe.models.optical import Db

_THREE = "maxima of three published data sheets (guideglass/xyx234, mk16888, dkm)"
_TWO = "maxima of two published data sheets (mk16888, dkm)"
_UNIFORMITY = "uniformity of the mk16888 data sheet"
_MEMORY = "recalled; no data sheet was seen"

_SPLITTERS: tuple[tuple[int, float, str, Status, float, str, Status], ...] = (
    (2, 3.6, "maximum of the guideglass/xyx234 data sheet", "seen", 0.4, _MEMORY, "recalled"),
    (4, 7.4, "maxima of the 360docs, mk16888 and dkm data sheets", "seen", 0.8, _UNIFORMITY, "seen"),
    (8, 10.7, _THREE, "seen", 1.0, _UNIFORMITY, "seen"),
    (16, 13.9, _TWO, "seen", 1.4, _UNIFORMITY, "seen"),
    (32, 17.2, _TWO, "seen", 1.6, _UNIFORMITY, "seen"),
    (64, 21.5, _TWO, "seen", 2.0, _UNIFORMITY, "seen"),
    (128, 25.0, _MEMORY, "recalled", 2.5, _MEMORY, "recalled"),
)

# Rayleigh scattering falls with the fourth power of the wavelength: what 1310 nm loses, 1270 nm loses 1.13 times.
_RAYLEIGH_1270 = (1310 / 1270) ** 4

_FIBRE: tuple[tuple[int, float, float, str, Status], ...] = (
    (
        1270,
        0.32 * _RAYLEIGH_1270,
        0.40 * _RAYLEIGH_1270,
        "the interval at 1310 nm times (1310/1270)^4, Rayleigh scattering; no figure for 1270 nm was seen",
        "derived",
    ),
    (1310, 0.32, 0.40, "Huawei forum 0.35, G.657 mean 0.37, guideglass and ITU-T G.657 limit 0.40; splices in", "seen"),
    (1490, 0.20, 0.30, "Huawei forum 0.20 (1490/1550), guideglass 0.30; splices included", "seen"),
    (
        1577,
        0.20,
        0.30,
        "figures at 1550 nm: Huawei forum 0.20, G.652D design 0.24, ITU-T G.657 limit 0.30; none was seen at 1577 nm",
        "derived",
    ),
)

_VEEX = "VeEX FX120 ODN-class page, ITU-T G.984.2/G.9807.1 bands; the middle wavelength is computed with"

COMPONENTS = ComponentTable(
    id="ponprobe 1",
    splitters=tuple(
        SplitterLoss(
            ratio=ratio,
            max_db=Db(highest),
            uniformity_db=Db(uniformity),
            source=source,
            status=status,
            uniformity_source=uniformity_source,
            uniformity_status=uniformity_status,
        )
        for ratio, highest, source, status, uniformity, uniformity_source, uniformity_status in _SPLITTERS
    ),
    fibre=tuple(
        FibreLoss(
            wavelength_nm=nm,
            per_km=Interval(lowest_db=Db(low), highest_db=Db(high), source=source, status=status),
        )
        for nm, low, high, source, status in _FIBRE
    ),
    connector=Interval(
        lowest_db=Db(0.10),
        highest_db=Db(0.50),
        source="bonelinks: 0.5 design, at most 0.25 typical; Huawei forum 0.5; lower bound is ponprobe's choice",
        status="derived",
    ),
    mechanical_splice=Interval(
        lowest_db=Db(0.2), highest_db=Db(0.2), source="limit of jianbiaoku 154031, taken as it is", status="seen"
    ),
    wavelengths=(
        PonWavelengths(
            system="gpon",
            down_nm=1490,
            up_nm=1310,
            down_band_nm=(1480, 1500),
            up_band_nm=(1290, 1330),
            source=_VEEX,
            status="seen",
        ),
        *(
            PonWavelengths(
                system=system,
                down_nm=1577,
                up_nm=1270,
                down_band_nm=(1575, 1580),
                up_band_nm=(1260, 1280),
                source=_VEEX,
                status="seen",
            )
            for system in ("xg-pon", "xgs-pon")
        ),
        PonWavelengths(
            system="epon",
            down_nm=1490,
            up_nm=1310,
            down_band_nm=(1480, 1500),
            up_band_nm=(1260, 1360),
            source="recalled from IEEE 802.3",
            status="recalled",
        ),
        PonWavelengths(
            system="10g-epon",
            down_nm=1577,
            up_nm=1270,
            down_band_nm=(1575, 1580),
            up_band_nm=(1260, 1280),
            source="recalled from IEEE 802.3",
            status="recalled",
        ),
    ),
)
"""The built-in table; every expected loss says that it was computed with ``ponprobe 1``."""

# the rows of each list are told apart by this field
_KEYS = {"splitters": "ratio", "fibre": "wavelength_nm", "wavelengths": "system"}


def component_table(document: str | Mapping[str, Any], *, base: ComponentTable | None = COMPONENTS) -> ComponentTable:
    """Read a user's component table: JSON text or plain data, over ``base`` (``None``: nothing is inherited).

    The document has the shape of ``ComponentTable``: losses are plain numbers in dB, ``id`` is required, and each row
    replaces the row of ``base`` with the same ratio, wavelength or system, or joins it. Raises ``ConfigError`` that
    names table, row and key.
    """
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except json.JSONDecodeError as exc:
            raise ConfigError(f"the component table is no JSON: {exc}", hint="check the line and column named") from exc
    if not isinstance(document, Mapping) or not document.get("id"):
        raise ConfigError(
            "a component table needs an id of its own", hint="it is printed with every figure, such as 'cable plan 7'"
        )
    whole: dict[str, Any] = {} if base is None else base.model_dump(mode="json")
    for name, value in document.items():
        whole[name] = _over(whole.get(name), value, _KEYS[name]) if name in _KEYS else value
    try:
        return ComponentTable.model_validate_json(json.dumps(whole))
    except (ValidationError, TypeError, ValueError) as exc:
        raise ConfigError(
            f"component table {document['id']!r}: {_first(exc, whole)}",
            hint="every row needs its numbers in dB, a source, and a status of seen, derived or recalled",
        ) from exc


def _over(base: list[Any] | None, rows: Any, key: str) -> Any:
    """The base's rows, each replaced by the document's row of the same key; what is no list of rows is left to fail."""
    if not isinstance(rows, (list, tuple)) or not all(isinstance(row, Mapping) for row in rows):
        return rows
    named = {row.get(key) for row in rows}
    return [row for row in base or () if row[key] not in named] + [dict(row) for row in rows]


def _first(exc: Exception, whole: Mapping[str, Any]) -> str:
    """Say which row and key is wrong; a row is named by its ratio, wavelength or system."""
    if not isinstance(exc, ValidationError):
        return str(exc)
    first = exc.errors(include_url=False, include_context=False)[0]
    place = [str(part) for part in first["loc"]]
    if len(place) > 1 and place[0] in _KEYS:
        row = whole[place[0]][int(place[1])]
        key = _KEYS[place[0]]
        place[1] = f"{key}={row.get(key)}" if isinstance(row, Mapping) else f"row {place[1]}"
    return f"{' / '.join(place)}: {first['msg']}" if place else first["msg"]
