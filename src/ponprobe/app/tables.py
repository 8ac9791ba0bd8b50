"""Answers of an OLT as tables for people; programs get the models as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from rich.box import ASCII2, SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ponprobe.app.glyphs import glyphs_for, plain
from ponprobe.app.levels import Levels, power
from ponprobe.app.render import cleanliness
from ponprobe.evaluate import link_loss
from ponprobe.models.device import Board, DiscoveredOnu, OltFacts, OnuState
from ponprobe.models.optical import OpticalReading
from ponprobe.models.run import Plan, PlannedLine, Recovery, Removal


class Listing:
    """A table whose columns fit their content; a sentence where there are no rows."""

    def __init__(
        self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, none: str, right: Sequence[str] = ()
    ) -> None:
        self._columns = columns
        self._rows = [[("" if cell is None else plain(cell)) for cell in row] for row in rows]
        self._none = none
        self._right = right

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self._rows:
            yield Text(self._none, style="dim")
            return
        # a column without a single value tells nothing
        kept = [number for number in range(len(self._columns)) if any(row[number] for row in self._rows)]
        table = Table(
            box=ASCII2 if options.ascii_only else SIMPLE_HEAD,
            pad_edge=False,
            padding=(0, 1),
            collapse_padding=True,
            header_style="bold cyan",
        )
        for number in kept:
            name = self._columns[number]
            table.add_column(name, justify="right" if name in self._right else "left", overflow="fold")
        for row in self._rows:
            table.add_row(*(Text(row[number]) for number in kept))
        yield table


def facts_table(facts: OltFacts, name: str, host: str) -> RenderableType:
    """Model, version and so on, one a line."""
    rows = [("OLT", name), ("Host", host), ("Model", facts.model), ("Version", facts.version), ("Patch", facts.patch)]
    rows += [("Host name", facts.hostname), ("Up time", facts.uptime)]
    if facts.netconf is not None:
        speaks = facts.netconf
        missing = f"missing: {'; '.join(speaks.missing)}"
        rows += [("NETCONF", f"{', '.join(speaks.versions)}, profile {speaks.profile}" if speaks.complete else missing)]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows:
        if value is not None:
            table.add_row(label, Text(plain(value)))
    return Padding(table, (0, 2))


def boards_table(boards: Iterable[Board]) -> RenderableType:
    """The chassis, slot by slot."""
    rows = [(f"{board.frame}/{board.slot}", board.board, board.status, board.ports, board.software) for board in boards]
    return Listing(("Slot", "Board", "Status", "Ports", "Software"), rows, none="the OLT shows no boards")


def discovered_table(onus: Iterable[DiscoveredOnu]) -> RenderableType:
    """ONUs that wait to be registered; their passwords and LOIDs stay hidden."""
    rows = [
        (
            onu.port, onu.serial or onu.mac, onu.model, onu.version, onu.found_at,
            ", ".join(name for name in ("password", "loid") if getattr(onu, name) is not None),
        )
        for onu in onus
    ]  # fmt: skip
    columns = ("Port", "Serial", "Model", "Version", "Found at", "Shows a")
    return Listing(columns, rows, none="no ONU is waiting to be registered")


def onus_table(onus: Iterable[OnuState]) -> RenderableType:
    """Registered ONUs."""
    rows = [
        (onu.onu, onu.serial or onu.mac, onu.run_state, onu.config_state, onu.match_state, onu.distance_m,
         onu.last_down_cause, onu.description)
        for onu in onus
    ]  # fmt: skip
    columns = ("ONU", "Serial", "Run", "Config", "Match", "m", "Last down", "Description")
    return Listing(columns, rows, none="no ONU is registered there", right=("m",))


def optics_table(readings: Sequence[OpticalReading]) -> RenderableType:
    """Four powers and two attenuations of each ONU; one ONU alone also gets its diagram."""
    if len(readings) == 1:
        title = Text(f"ONU {readings[0].onu}", style="bold")
        return Padding(Group(title, Text(""), Levels(readings[0])), (0, 2))
    columns = ("ONU", "OLT Tx", "ONU Rx", "Down", "ONU Tx", "OLT Rx", "Up")
    rows = []
    for reading in readings:
        loss = link_loss(reading)
        down, up = loss.downstream_attenuation_db, loss.upstream_attenuation_db
        rows.append(
            (
                reading.onu,
                power(reading.olt_tx_dbm, unit=False),
                power(reading.onu_rx_dbm, unit=False),
                "" if down is None else f"{down.value:.2f}",
                power(reading.onu_tx_dbm, unit=False),
                power(reading.olt_rx_dbm, unit=False),
                "" if up is None else f"{up.value:.2f}",
            )
        )
    table = Listing(columns, rows, none="no ONU is registered there", right=columns[1:])
    return Group(table, Text("powers in dBm, attenuations (Down, Up) in dB", style="dim")) if rows else table


_PURPOSES = {"move": "view", "read": "read", "write": "CHANGE", "undo": "UNDO", "proof": "proof"}
_STYLES = {"move": "dim", "read": "", "write": "bold yellow", "undo": "bold magenta", "proof": "green"}


class PlanView:
    """The lines of a plan, in the order in which they will be sent."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        glyphs, plan = glyphs_for(options), self._plan
        onu = plan.registration.onu
        yield Text(f"Nothing has been changed. A run would register {plan.registration.order.auth} as {onu}.", "bold")
        yield Text(f"{len(plan.reads_done)} lines were asked to find this out, and will be asked again:", style="dim")
        yield self._table(plan.reads_done)
        yield Text("then these lines are sent:", style="dim")
        yield self._table(plan.lines)
        yield Text(
            f"The mark {plan.registration.mark} is drawn anew for each run; reading the state repeats until the ONU is "
            f"online{glyphs.dot}no line saves the configuration.",
            style="dim",
        )

    @staticmethod
    def _table(lines: Iterable[PlannedLine]) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for line in lines:
            style = _STYLES[line.purpose]
            if line.what and line.purpose in {"write", "undo"}:
                table.add_row("", Text(f"# {plain(line.what)}", "dim"))
            table.add_row(Text(_PURPOSES[line.purpose], style), Text(plain(line.line), style))
        return table


class RemovalView:
    """The end of a removal."""

    def __init__(self, removal: Removal, title: str) -> None:
        self._removal = removal
        self._title = title

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(plain(self._title), style="bold")
        yield Padding(cleanliness(self._removal, glyphs_for(options)), (0, 2))


class RecoveryView:
    """How the unfinished runs of one OLT ended; ``kept`` runs are left alone."""

    def __init__(self, olt: str, recoveries: Sequence[Recovery], kept: Sequence[tuple[str, str, str]]) -> None:
        self._olt = olt
        self._recoveries = recoveries
        self._kept = kept

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        glyphs = glyphs_for(options)
        for recovery in self._recoveries:
            title = f"{self._olt}{glyphs.dot}run {recovery.run_id}{glyphs.dot}ONU {recovery.onu}"
            if recovery.removal is not None:
                yield RemovalView(recovery.removal, title)
            else:
                yield Text(plain(title), style="bold")
                yield Padding(Text(f"{glyphs.bad} NOT DONE  {plain(recovery.error or '')}", style="bold red"), (0, 2))
        for run_id, onu, command in self._kept:
            yield Text.assemble(
                (f"{self._olt}{glyphs.dot}run {run_id}{glyphs.dot}ONU {onu}  ", "bold"),
                ("kept on purpose; take it away with: ", "dim"),
                plain(command),
            )


class PlannedRemovals:
    """What a removal would take away; the OLT's own answer decides what is really there."""

    def __init__(self, runs: Sequence[dict[str, Any]]) -> None:
        self._runs = runs

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        glyphs = glyphs_for(options)
        for run in self._runs:
            title = glyphs.dot.join((run["olt"], f"run {run['run_id']}", f"ONU {run['onu']}", run["state"]))
            yield Text(plain(title), style="bold")
            may = "; ".join(run["may_stand"]) or "nothing, as the journal has it"
            yield Padding(Text(f"may stand there: {plain(may)}"), (0, 2))
            for line in run["undo"]:
                yield Padding(Text(plain(line), style="cyan"), (0, 2))
        if not self._runs:
            yield Text("nothing to take away", style="dim")
            return
        text = "The OLT is asked first: only what it proves to be ours is removed. Nothing was sent."
        yield Text(text, style="dim")


def config_tables(shown: dict[str, Any]) -> RenderableType:
    """Every setting with its origin, and the inventory."""
    settings = [(name, item["value"], item["origin"]) for name, item in shown["settings"].items()]
    columns = ("name", "host", "access", "port", "platform", "username", "password")
    olts = [[entry[column] for column in columns] for entry in shown["olts"]]
    titles = ("OLT", "Host", "Access", "Port", "Platform", "User", "Password from")
    file = shown["file"] or "none found (ponprobe.toml here or in ~/.config/ponprobe; or --config)"
    return Group(
        Text.assemble(("Configuration file  ", "cyan"), plain(file)),
        Listing(("Setting", "Value", "Origin"), settings, none=""),
        Listing(titles, olts, none="the inventory is empty: add [olts.NAME] to ponprobe.toml"),
    )


def without_password(place: str) -> str:
    """A journal's path or URL without the database password that may stand in it."""
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:***@", place)
