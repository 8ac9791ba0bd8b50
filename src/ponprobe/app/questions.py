"""Questions: an OLT is asked, nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from ponprobe.app.command import command
from ponprobe.app.desk import Desk
from ponprobe.app.options import OltName, Problems, Road, WrongInput
from ponprobe.app.outcome import ExitCode
from ponprobe.app.root import ASK, app

if TYPE_CHECKING:
    from ponprobe.models._base import Value
    from ponprobe.session.olt import Olt

T = TypeVar("T")


@command(app, "facts", rich_help_panel=ASK)
def facts(desk: Desk, olt: OltName, road: Road) -> ExitCode:
    """Model, version, patch."""
    del road
    from ponprobe.app.tables import facts_table  # noqa: PLC0415

    with desk.olt(olt) as device, _asking(desk, olt):
        found = device.facts()
    desk.data({**_about(device), "facts": _dump(found)})
    desk.show(facts_table(found, device.name, device.host))
    return ExitCode.DONE


@command(app, "boards", rich_help_panel=ASK)
def boards(desk: Desk, olt: OltName, road: Road) -> ExitCode:
    """Every slot that holds a board."""
    del road
    from ponprobe.app.tables import boards_table  # noqa: PLC0415

    with desk.olt(olt) as device, _asking(desk, olt):
        found = device.boards()
    desk.data({**_about(device), "boards": _dumps(found)})
    desk.show(boards_table(found))
    return ExitCode.DONE


@command(app, "discover", rich_help_panel=ASK)
def discover(
    desk: Desk,
    olt: OltName,
    road: Road,
    port: Annotated[str | None, typer.Argument(metavar="[PORT]", help="The whole OLT if left out.")] = None,
) -> ExitCode:
    """ONUs that the OLT sees and nobody has registered."""
    del road
    from ponprobe.app.tables import discovered_table  # noqa: PLC0415
    from ponprobe.models.addressing import PonPort  # noqa: PLC0415

    where = None if port is None else _checked("PORT", lambda: PonPort.parse(port))
    with desk.olt(olt) as device, _asking(desk, olt):
        found = device.discovered(where)
    desk.data({**_about(device), "discovered": _dumps(found)})
    desk.show(discovered_table(found))
    return ExitCode.DONE


@command(app, "onus", rich_help_panel=ASK)
def onus(
    desk: Desk,
    olt: OltName,
    road: Road,
    port: Annotated[str | None, typer.Argument(metavar="[PORT]", help="PON port, frame/slot/port: 0/1/3.")] = None,
    serial: Annotated[str | None, typer.Option("--serial", help="Find this ONU anywhere on the OLT.")] = None,
) -> ExitCode:
    """Registered ONUs of a port, or where one serial is registered."""
    del road
    from ponprobe.app.tables import onus_table  # noqa: PLC0415
    from ponprobe.models.addressing import PonPort, Serial  # noqa: PLC0415

    if (port is None) == (serial is None):
        raise WrongInput(["PORT or --serial: give one of the two"])
    wanted = None if serial is None else _checked("--serial", lambda: Serial(serial))
    where = None if port is None else _checked("PORT", lambda: PonPort.parse(port))
    with desk.olt(olt) as device, _asking(desk, olt):
        if where is not None:
            found = device.onus(where)
        else:
            assert wanted is not None  # one of the two was given  # noqa: S101
            one = device.find(wanted)
            found = () if one is None else (one,)
    desk.data({**_about(device), "onus": _dumps(found)})
    desk.show(onus_table(found))
    return ExitCode.DONE


@command(app, "optics", rich_help_panel=ASK)
def optics(
    desk: Desk,
    olt: OltName,
    where: Annotated[
        str, typer.Argument(metavar="ONU|PORT|FRAME/SLOT", help="0/1/3:7, 0/1/3 or 0/1.", show_default=False)
    ],
    road: Road,
) -> ExitCode:
    """Four powers and both attenuations of an ONU, a port or a board."""
    del road
    from ponprobe.app.tables import optics_table  # noqa: PLC0415
    from ponprobe.evaluate import link_loss  # noqa: PLC0415
    from ponprobe.models.addressing import OnuRef, PonPort  # noqa: PLC0415

    board = re.fullmatch(r"\s*(\d{1,2})\s*/\s*(\d{1,2})\s*", where)
    place: OnuRef | PonPort | None = None
    if board is None:
        # an ONU may be written with a blank before its ID, so the colon does not decide
        place = _checked("ONU|PORT|FRAME/SLOT", lambda: OnuRef.parse(where) if ":" in where else PonPort.parse(where))
    with desk.olt(olt) as device, _asking(desk, olt):
        if board is not None:
            readings = device.optical_board(int(board[1]), int(board[2]))
        elif isinstance(place, OnuRef):
            readings = (device.optical(place),)
        else:
            assert place is not None  # it parsed  # noqa: S101
            readings = device.optical_port(place)
    found = [{**_dump(reading), "loss": _dump(link_loss(reading))} for reading in readings]
    desk.data({**_about(device), "optics": found})
    desk.show(optics_table(readings))
    return ExitCode.DONE


def _checked(option: str, make: Callable[[], T]) -> T:
    problems = Problems()
    made = problems.attempt(option, make)
    problems.stop_if_any()
    assert made is not None  # what kept it from being made has been raised  # noqa: S101
    return made


def _asking(desk: Desk, olt: str) -> AbstractContextManager[None]:
    from ponprobe.app.progress import Phases  # noqa: PLC0415 - rich loads when it is needed

    return desk.working(Phases(desk.console, olt))


def _about(device: Olt) -> dict[str, Any]:
    return {"olt": device.name, "host": device.host}


def _dump(value: Value) -> dict[str, Any]:
    return value.model_dump(mode="json")


def _dumps(values: Iterable[Value]) -> list[dict[str, Any]]:
    return [_dump(value) for value in values]
