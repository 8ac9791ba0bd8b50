"""Which test ONU goes behind which splitter, as people say it: by options or a file, with secrets as references."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponprobe.app.desk import Desk
from ponprobe.app.options import Problems, secret
from ponprobe.app.project_options import WHAT, Names, Selected, chosen

if TYPE_CHECKING:
    from ponprobe.models.addressing import OnuAuth
    from ponprobe.models.engineering import Splitter, SplitterKey
    from ponprobe.workflow.orders import Onus

_SECRETS = ("password", "loid", "checkcode")
_COLUMNS = ("splitter", "olt", "port", "serial", "password", "loid", "checkcode", "mac")


@dataclass(frozen=True, kw_only=True)
class TestOnus(Selected):
    """Which splitters, and which test ONU goes where."""

    onu: Annotated[
        list[str] | None,
        typer.Option(
            "--onu",
            metavar="SERIAL",
            help="Once, as many as --select, or SPLITTER=SERIAL each.",
            rich_help_panel=WHAT,
        ),
    ] = None
    onus: Annotated[
        Path | None,
        typer.Option(
            "--onus",
            metavar="FILE",
            help="CSV: splitter,olt,port,serial,password,loid,checkcode,mac; secrets as references.",
            rich_help_panel=WHAT,
        ),
    ] = None
    onu_password: Annotated[
        str | None,
        typer.Option("--onu-password", metavar="REF", help="Of the one ONU: env:, file:, ask:", rich_help_panel=WHAT),
    ] = None
    loid: Annotated[
        str | None,
        typer.Option("--loid", metavar="REF", help="Of the one ONU, instead of a serial.", rich_help_panel=WHAT),
    ] = None
    checkcode: Annotated[
        str | None, typer.Option("--checkcode", metavar="REF", help="Checkcode of the LOID.", rich_help_panel=WHAT)
    ] = None
    mac: Annotated[
        str | None, typer.Option("--mac", metavar="MAC", help="EPON ONU: its MAC.", rich_help_panel=WHAT)
    ] = None


def onus_for(desk: Desk, given: TestOnus, splitters: Sequence[Splitter]) -> tuple[Onus, tuple[SplitterKey, ...] | None]:
    """Say which test ONU goes where, and which splitters are meant; secrets are read here, where they point.

    One ONU is for whatever is selected. Several are paired with as many ``--select``, or each names its splitter; those
    that name splitters select them, too. Raises ``WrongInput`` with every problem.
    """
    keys, names = chosen(splitters, given.select), Names(splitters)
    problems = Problems()
    texts = given.onu or []
    paired = [text.rpartition("=") for text in texts]
    mapping: dict[SplitterKey, OnuAuth] = {}
    alone: OnuAuth | None = None
    if given.onus is not None:
        mapping = _from_file(given.onus, names, problems)
    if len(texts) <= 1 and not any(sign for _, sign, _ in paired):
        alone = _the_one(given, texts, problems, needed=given.onus is None)
    elif given.onu_password or given.loid or given.checkcode or given.mac:
        problems.add("--onu-password", "and --loid, --checkcode, --mac belong to one ONU; use --onus FILE for several")
    elif all(sign for _, sign, _ in paired):
        for name, _, serial in paired:
            auth = _serial("--onu", serial, problems)
            _put(mapping, names.single(name, "--onu", problems), auth, "--onu", problems)
    elif keys is not None and len(keys) == len(texts) and not any(sign for _, sign, _ in paired):
        for key, serial in zip(keys, texts, strict=True):
            _put(mapping, key, _serial("--onu", serial, problems), "--onu", problems)
    else:
        problems.add("--onu", f"{len(texts)} ONUs need as many --select, or SPLITTER=SERIAL each")
    if mapping and alone is not None:
        problems.add("--onu", "names one ONU for all, and --onus one for each: give one of the two")
    problems.stop_if_any()
    for auth in (*mapping.values(), *([alone] if alone else [])):
        desk.cover(*auth.secrets)
    if alone is not None:
        return alone, keys
    return mapping, tuple(mapping) if keys is None else keys


def _the_one(given: TestOnus, texts: Sequence[str], problems: Problems, *, needed: bool) -> OnuAuth | None:
    if not texts and not any((given.onu_password, given.loid, given.mac)):
        if needed:
            problems.add("--onu", "name the test ONU by --onu, --onu-password, --loid or --mac, or several by --onus")
        return None
    return _auth(
        {
            "serial": texts[0] if texts else None,
            "password": given.onu_password,
            "loid": given.loid,
            "checkcode": given.checkcode,
            "mac": given.mac,
        },
        {"serial": "--onu", "password": "--onu-password", "loid": "--loid", "checkcode": "--checkcode", "mac": "--mac"},
        problems,
    )


def _serial(option: str, text: str, problems: Problems) -> OnuAuth | None:
    return _auth({"serial": text}, {"serial": option}, problems)


def _auth(given: Mapping[str, str | None], options: Mapping[str, str], problems: Problems) -> OnuAuth | None:
    """Make what an ONU registers by. A secret itself where a reference should stand is refused, and not shown."""
    from ponprobe.models.addressing import Loid, OnuAuth, Password, Serial  # noqa: PLC0415 - help needs no models

    before = len(problems.found)
    made: dict[str, Any] = {"mac": given.get("mac")}
    first = next(iter(options.values()))
    if (text := given.get("serial")) is not None:
        made["serial"] = problems.attempt(options["serial"], lambda: Serial(text))
    found = {name: secret(options[name], given[name], problems) for name in _SECRETS if given.get(name) is not None}
    if found.get("checkcode") is not None and "loid" not in found:
        problems.add(options["checkcode"], "belongs to a LOID: give that, too")
    if len(problems.found) > before:
        return None
    if (password := found.get("password")) is not None:
        made["password"] = problems.attempt(options["password"], lambda: Password(value=password))
    if (loid := found.get("loid")) is not None:
        made["loid"] = problems.attempt(
            options["loid"], lambda: Loid(value=loid, checkcode=found.get("checkcode")), {"checkcode": options["loid"]}
        )
    if len(problems.found) > before:
        return None
    return problems.attempt(first, lambda: OnuAuth(**made))


def _from_file(path: Path, names: Names, problems: Problems) -> dict[SplitterKey, OnuAuth]:
    try:
        rows = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")), restkey="")
        header = [str(name).strip().casefold() for name in rows.fieldnames or ()]
        lines = [(rows.line_num, [*row.values()]) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        problems.add("--onus", f"{path} cannot be read: {getattr(exc, 'strerror', None) or exc}")
        return {}
    unknown = [name for name in header if name not in _COLUMNS]
    if unknown or "splitter" not in header:
        what = f"unknown columns {', '.join(map(repr, unknown))}" if unknown else "no column 'splitter'"
        problems.add("--onus", f"{path} has {what}; known are {', '.join(_COLUMNS)}")
        return {}
    found: dict[SplitterKey, OnuAuth] = {}
    for number, values in lines:
        where = f"--onus row {number}"
        if len(values) > len(header):
            problems.add(where, "has more cells than the header")
            continue
        cells = {name: str(value).strip() or None for name, value in zip(header, values, strict=False) if value}
        parts = (cells.get("splitter") or "", cells.get("olt"), cells.get("port"))
        text = f"{parts[0]} on {parts[1]} {parts[2]}" if parts[1] and parts[2] else parts[0]
        auth = _auth(cells, {name: f"{where} {name}" for name in _COLUMNS[3:]}, problems)
        _put(found, names.single(text, where, problems), auth, where, problems)
    return found


def _put(
    into: dict[SplitterKey, OnuAuth], key: SplitterKey | None, auth: OnuAuth | None, where: str, problems: Problems
) -> None:
    if key in into:
        problems.add(where, f"{str(key)!r} has a test ONU already")
    elif auth is not None and key is not None:
        into[key] = auth
