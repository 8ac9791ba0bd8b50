"""The main job, end to end, on emulated OLTs: real sockets, real commands, the same code as ``ponprobe measure``."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ponprobe.app.emulate import open_lab
from ponprobe.app.outcome import ExitCode
from ponprobe.errors import WrongPort

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ponprobe.app.desk import Desk
    from ponprobe.emulator import EmulatedOlt
    from ponprobe.models.run import MeasureResult
    from ponprobe.session.olt import Olt

_SCENARIOS = ("demo_huawei", "demo_zte")
_NEEDS = {
    "line_profile": {"id": 20},
    "service_profile": {"id": 20},
    "onu_type": "TEST-1GE",
    "tcont_profile": "TEST-100M",
}
"""What the scenarios have of everything that some family of OLTs needs in an order."""


@dataclass(frozen=True)
class Case:
    """One splitter of the demonstration, and how it must end."""

    olt: str
    access: Literal["ssh", "telnet"]
    port: str
    serial: str
    splitter: str
    says: str
    expected: Literal["pass", "fail", "wrong_port"]
    short: bool = True


CASES = (
    Case(
        "ma5683t", "ssh", "0/1/0", "HWTC0B086EA9", "翠竹苑3栋-POS-01",
        "a well-built splitter, over SSH on an old MA5683T", "pass", short=False,
    ),
    Case(
        "ma5683t", "ssh", "0/1/0", "HWTC0B086EB0", "翠竹苑3栋-POS-02",
        "a bad splice in front of this one", "fail",
    ),
    Case(
        "ma5683t", "ssh", "0/1/0", "HWTC0B086EC1", "翠竹苑5栋-POS-01",
        "the record names the wrong PON port", "wrong_port",
    ),
    Case(
        "ma5800", "telnet", "0/1/0", "HWTC1C000EA9", "滨江花园1栋-POS-02",
        "the same job over Telnet on an MA5800", "pass",
    ),
    Case(
        "c320", "ssh", "1/1/1", "ZTEG0B000EA9", "翠湖天地2栋-POS-01",
        "the other vendor: a ZTE C320, over SSH", "pass",
    ),
    Case(
        "c600", "telnet", "1/3/1", "ZTEG0C000EB0", "翠湖天地2栋-POS-02",
        "a bend in the fibre, seen by a ZTE C600", "fail",
    ),
)  # fmt: skip


def show(desk: Desk) -> ExitCode:
    """Measure every case and compare the OLTs before and after; exit 0 if all went as it must."""
    started = time.monotonic()
    # journal, host keys and settings of the demonstration live and die with it; the user's own are not looked at
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ponprobe-demo-")))
        labs = [stack.enter_context(open_lab(scenario)) for scenario in _SCENARIOS]
        olts = {name: olt for lab in labs for name, olt in lab.olts.items()}
        before = {name: olt.snapshot() for name, olt in olts.items()}
        rows = [_case(desk, case, olts[case.olt], folder, number) for number, case in enumerate(CASES, 1)]
        untouched = before == {name: olt.snapshot() for name, olt in olts.items()}
    good = untouched and all(row["as_expected"] for row in rows)
    took = time.monotonic() - started
    desk.data({"cases": rows, "snapshots_identical": untouched, "as_expected": good})
    desk.show(_summary(rows, untouched=untouched, took=took))
    return ExitCode.DONE if good else ExitCode.RESIDUE if not untouched else ExitCode.BUG


def _case(desk: Desk, case: Case, emulated: EmulatedOlt, folder: Path, number: int) -> dict[str, Any]:
    from rich.rule import Rule  # noqa: PLC0415 - rich loads when it is needed
    from rich.text import Text  # noqa: PLC0415

    from ponprobe.app.render import WIDEST, Screen  # noqa: PLC0415

    title = Text.assemble((f"{number}/{len(CASES)}  ", "bold"), (case.says, "bold"))
    typed = f"ponprobe measure {case.olt} {case.port} --serial {case.serial} ..."
    desk.show("", _Narrow(Rule(title, align="left", style="bright_black"), WIDEST))
    desk.show(_Narrow(Text.assemble(("$ ", "bold"), (typed, "dim")), WIDEST))
    row: dict[str, Any] = {"olt": case.olt, "access": case.access, "splitter": case.splitter, "port": case.port}
    try:
        result = _measure(desk, case, emulated, folder)
    except WrongPort as exc:
        from ponprobe.app.failure import failure  # noqa: PLC0415
        from ponprobe.app.outcome import error_object, of_error  # noqa: PLC0415

        code = of_error(exc)
        row |= {"outcome": "wrong_port", "exit_code": int(code), "found": str(exc.found)}
        desk.show(_Narrow(failure(exc, code, error_object(exc)), WIDEST))
    else:
        outcome = str(result.verdict.outcome) if result.verdict is not None else "none"
        received = result.verdict.reading.onu_rx_dbm.value if result.verdict is not None else None
        row |= {
            "outcome": outcome,
            "onu_rx_dbm": None if received is None else received.value,
            "clean": result.clean,
        }
        desk.show(Screen(result, short=case.short))
    row["as_expected"] = row["outcome"] == case.expected
    return row


def _measure(desk: Desk, case: Case, emulated: EmulatedOlt, folder: Path) -> MeasureResult:
    from ponprobe.app.progress import Phases  # noqa: PLC0415 - rich loads when it is needed
    from ponprobe.drivers import driver_for  # noqa: PLC0415
    from ponprobe.models.acceptance import ActivationOrder  # noqa: PLC0415
    from ponprobe.models.addressing import OnuAuth, PonPort, Serial  # noqa: PLC0415
    from ponprobe.models.service import VlanStack  # noqa: PLC0415

    order = ActivationOrder(
        port=PonPort.parse(case.port),
        auth=OnuAuth(serial=Serial(case.serial)),
        vlans=VlanStack(svlan=2000, cvlan=3001),
        splitter=case.splitter,
        splitter_port=4,
        **{name: _NEEDS[name] for name in driver_for(emulated.platform).order_needs},
    )
    with _connected(case, emulated, folder) as olt:
        olt.on_event = desk.hear
        phases = Phases(desk.console, case.olt, samples=3, online_timeout_s=olt.settings.online_timeout_s)
        with desk.working(phases):
            return olt.measure(order, samples=3)


@contextmanager
def _connected(case: Case, emulated: EmulatedOlt, folder: Path) -> Iterator[Olt]:
    from pydantic import SecretStr  # noqa: PLC0415

    from ponprobe.connect import connect, journal_at  # noqa: PLC0415

    empty = folder / "ponprobe.toml"
    empty.touch()
    journal = str(folder / "journal.sqlite3")
    with connect(
        emulated.host,
        platform=emulated.platform,
        username=emulated.username,
        password=SecretStr(emulated.password),
        enable_password=SecretStr(emulated.enable_password),
        access=case.access,
        port=emulated.ssh_port if case.access == "ssh" else emulated.telnet_port,
        config_file=empty,
        journal=journal,
        known_hosts=folder / "known_hosts",
        host_keys=f"pin:{emulated.host_key_fingerprint}",
    ) as olt:
        olt.name = case.olt
        try:
            yield olt
        finally:
            journal_at(journal).close()


class _Narrow:
    """Something no wider than a line that is easy to read."""

    def __init__(self, inner: RenderableType, width: int) -> None:
        self._inner = inner
        self._width = width

    def __rich_console__(self, console: Any, options: Any) -> Any:
        yield from console.render(self._inner, options.update(width=min(options.max_width, self._width)))


class _summary:  # noqa: N801 - stands where a function's result would
    """What was shown, in one table, and the sentence that matters most."""

    def __init__(self, rows: list[dict[str, Any]], *, untouched: bool, took: float) -> None:
        self._rows = rows
        self._untouched = untouched
        self._took = took

    def __rich_console__(self, console: Any, options: Any) -> Any:
        from rich.rule import Rule  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        from ponprobe.app.glyphs import glyphs_for  # noqa: PLC0415
        from ponprobe.app.render import WIDEST, word  # noqa: PLC0415
        from ponprobe.app.tables import Listing  # noqa: PLC0415
        from ponprobe.models.judgement import Outcome  # noqa: PLC0415

        glyphs = glyphs_for(options)
        yield _Narrow(Rule(style="bright_black"), WIDEST)
        rows = []
        for row in self._rows:
            if row["outcome"] == "wrong_port":
                what = f"{glyphs.unsure} found on {row['found']}"
            elif row["outcome"] == "none":
                what = f"{glyphs.unsure} no verdict"
            else:
                what = word(Outcome(row["outcome"]), glyphs)
            received = row.get("onu_rx_dbm")
            shown = "" if received is None else f"{received:.2f} dBm"
            rows.append((row["olt"], row["access"], row["splitter"], row["port"], shown, what))
        columns = ("OLT", "Access", "Splitter", "Recorded", "ONU Rx", "Result")
        yield Listing(columns, rows, none="", right=("ONU Rx",))
        if self._untouched:
            yield Text(
                f"{glyphs.good} Every OLT is as it was: the snapshots before and after are identical.",
                "bold green",
            )
        else:
            yield Text(f"{glyphs.bad} An OLT is not as it was: the snapshots before and after differ.", "bold red")
        yield Text(f"{self._took:.1f} s. Try it on your own OLT: ponprobe plan --help", style="dim")
