"""Projects for people: what was imported, what a batch came to, where everything stands, why something is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from ponprobe.app.glyphs import UNICODE, Glyphs, glyphs_for, plain
from ponprobe.app.outcome import ExitCode
from ponprobe.app.tables import Listing
from ponprobe.models.engineering import (
    ROW_HEADERS,
    ActivationItem,
    ActivationState,
    Event,
    EvidenceItem,
    FaultKind,
    LineRound,
    ServiceTest,
    Stage,
    TestState,
)
from ponprobe.store.projects import splitters_of
from ponprobe.store.results import rounds_of

if TYPE_CHECKING:
    from ponprobe.store.projects import SplitterRevision
    from ponprobe.store.refusals import NotReady
    from ponprobe.workflow.outcomes import ItemOutcome
    from ponprobe.workflow.process import Workflow
    from ponprobe.workflow.sheets import Problem
    from ponprobe.workflow.status import ProjectStatus, SplitterStatus

_MOST = 30  # so many reasons are shown to people; programs get all of them
_LINES = {"pass": "达标", "fail": "不达标", "undetermined": "无法判定"}
_POWERS = ("olt_tx_dbm", "onu_rx_dbm", "onu_tx_dbm", "olt_rx_dbm")
_LOSSES = ("downstream_attenuation_db", "upstream_attenuation_db")

Light = Mapping[str, "float | None"]


class _Words:
    """The specification's own words, and stable codes where the terminal cannot show them."""

    def __init__(self, glyphs: Glyphs) -> None:
        self.chinese = glyphs.chinese

    def either(self, chinese: str, other: str) -> str:
        return chinese if self.chinese else other

    def state(self, state: ActivationState) -> str:
        """One of the four words, and what it does not tell."""
        exported = self.either(state.exported, state.value)
        return exported if state.flag is None or not self.chinese else f"{exported} ({state.flag})"

    def line(self, code: str | None) -> str | None:
        if code is None or code == "not_measured":
            return code and "no reading"
        return self.either(_LINES.get(code, code), code)

    def passed(self, *, good: bool) -> str:
        return self.either("达标" if good else "不达标", "pass" if good else "fail")

    def label(self, code: TestState | FaultKind | None) -> str | None:
        return None if code is None else self.either(code.label, code.value)

    def stage(self, stage: Stage) -> str:
        return self.either(f"{stage.label} ({stage})", stage.value)


def bullets(lines: Sequence[object], glyphs: Glyphs, style: str = "", most: int = _MOST) -> Iterable[RenderableType]:
    """One line of text each, and how many more there are."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    for line in lines[:most]:
        table.add_row(Text(glyphs.bullet, style), Text(plain(line), style))
    yield table
    if len(lines) > most:
        yield Text(f"and {len(lines) - most} more: --json has all of them", style="dim")


class Refusal:
    """A step that is refused, with everything that stands against it."""

    def __init__(self, refused: NotReady) -> None:
        self._refused = refused

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        glyphs, reasons = glyphs_for(options), self._refused.reasons
        text = self._refused.message.removesuffix(f": {'; '.join(reasons)}")
        yield Text(f"{glyphs.bad} REFUSED  {plain(text)}", style="bold yellow")
        yield from bullets(reasons, glyphs)
        if self._refused.hint:
            yield Text(f"{glyphs.arrow} {plain(self._refused.hint)}", style="bold")


class ProblemsView:
    """What is wrong with files, cell by cell; ``notes`` are what was passed over."""

    def __init__(self, problems: Sequence[tuple[str, Problem]], notes: Sequence[str]) -> None:
        self._problems = problems
        self._notes = notes

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        glyphs = glyphs_for(options)
        rows = [
            (
                file,
                each.sheet,
                each.row,
                f"{each.column or ''} {each.header or ''}".strip(),
                each.value,
                each.message,
                each.hint,
            )
            for file, each in self._problems
        ]
        if rows:
            columns = ("File", "Sheet", "Row", "Column", "Value", "Problem", "Next")
            yield Listing(columns, rows, none="", right=("Row",))
        if self._notes:
            yield from bullets([f"note: {note}" for note in self._notes], glyphs, "dim")


def light_of(workflow: Workflow, project: str | None, items: Sequence[ItemOutcome]) -> list[dict[str, float | None]]:
    """The powers (dBm) and losses (dB) of the round that each outcome speaks of; nothing where there is none."""
    if project is None or all(item.round is None for item in items):
        return [{} for _ in items]
    with workflow.store.read() as connection:
        numbers = {row.key: row.id for row in splitters_of(connection, project)}
        # an answer that is stored may speak of a splitter that has another name by now
        ids = [None if item.round is None else numbers.get(item.splitter) for item in items]
        rounds = [() if number is None else rounds_of(connection, number) for number in ids]
    return [
        next((powers_of(each) for each in some if each.round == item.round), {})
        for item, some in zip(items, rounds, strict=True)
    ]


def powers_of(tested: LineRound) -> dict[str, float | None]:
    """The powers (dBm) and losses (dB) that a round was judged by."""
    if tested.verdict is None:
        return {}
    reading, loss = tested.verdict.reading, tested.verdict.loss
    found = {name: getattr(reading, name).value for name in _POWERS} | {name: getattr(loss, name) for name in _LOSSES}
    return {name: None if value is None else float(value) for name, value in found.items()}


def _db(light: Light, name: str) -> str | None:
    value = light.get(name)
    return None if value is None else f"{value:.2f}"


class BatchView:
    """What became of every splitter, and what to do about those that went wrong."""

    def __init__(
        self,
        items: Sequence[ItemOutcome],
        light: Sequence[Light],
        codes: Sequence[ExitCode],
        *,
        stopped: bool,
        project: str | None,
    ) -> None:
        self._items = items
        self._light = light
        self._codes = codes
        self._stopped = stopped
        self._project = project

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        glyphs = glyphs_for(options)
        words = _Words(glyphs)
        rows = [
            (
                item.splitter.name,
                f"{item.splitter.olt} {item.splitter.port}",
                words.state(item.state),
                item.onu if item.state.live else None,
                item.vlans if item.state.live else None,
                words.line(item.line),
                _db(light, "onu_rx_dbm"),
                _db(light, "downstream_attenuation_db"),
                _db(light, "upstream_attenuation_db"),
                "already" if item.already else None if code is ExitCode.DONE else int(code),
            )
            for item, light, code in zip(self._items, self._light, self._codes, strict=True)
        ]
        columns = ("Splitter", "PON port", "State", "ONU", "VLANs", "Line", "ONU Rx", "Down", "Up", "Code")
        yield Listing(columns, rows, none="there is nothing to do", right=columns[6:])
        if any(self._light):
            yield Text("powers in dBm, attenuations (Down, Up) in dB", style="dim")
        yield from self._failures(glyphs)
        if self._stopped and ExitCode.RESIDUE not in self._codes:
            text = "stopped: what was under way has been taken away, what had been activated stays"
            yield Text(f"{glyphs.bad} {text}", style="bold yellow")
        if ExitCode.RESIDUE in self._codes:
            named = f" {self._project}" if self._project else ""
            yield Text(f"{glyphs.bad} SOMETHING OF OURS MAY BE LEFT on an OLT", style="bold red")
            yield Text(f"{glyphs.arrow} finish it with: ponprobe project resume{named}", style="bold")

    def _failures(self, glyphs: Glyphs) -> Iterable[RenderableType]:
        failed = [item for item in self._items if item.failure is not None]
        for item in failed[:_MOST]:
            assert item.failure is not None  # as selected  # noqa: S101
            yield Text(f"{glyphs.bad} {plain(item.splitter)}", style="bold red")
            yield Text(f"  {item.failure.error_class}: {plain(item.failure.message)}")
            for left in item.failure.residue:
                yield Text(f"  left: {plain(left.what)}", style="bold red")
            if item.failure.hint:
                yield Text(f"  {glyphs.arrow} {plain(item.failure.hint)}", style="bold")
        if len(failed) > _MOST:
            yield Text(f"and {len(failed) - _MOST} more: --json has all of them", style="dim")
        sent_back = [item for item in self._items if item.fault is not None]
        for item in sent_back[:_MOST]:
            assert item.fault is not None  # as selected  # noqa: S101
            both = f"{item.fault.label} ({item.fault})" if glyphs.chinese else item.fault.value
            yield Text(f"{glyphs.arrow} {plain(item.splitter)}: {both}", style="bold")


class StatusView:
    """Where a project stands."""

    def __init__(self, status: ProjectStatus) -> None:
        self._status = status

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        glyphs, status = glyphs_for(options), self._status
        words, project = _Words(glyphs), status.project
        about = [
            project.id,
            project.time_zone,
            project.builder and f"{words.either('施工单位', 'built by')} {project.builder}",
        ]
        yield Text.assemble((plain(project.name), "bold"), *(f"{glyphs.dot}{plain(each)}" for each in about if each))
        yield Text.assemble(
            ("stage ", "cyan"), (words.stage(status.stage), "bold"), glyphs.dot,
            (words.either("是否进行工程挂测 ", "to be tested "), "cyan"),
            words.either(status.hang_test.label, "yes" if status.hang_test.required else "no"),
            f" ({plain(status.hang_test.reason)})" if status.hang_test.reason else "", glyphs.dot,
            f"{status.tested} of {status.to_test} tested, {status.passed} passed, {status.live} live",
        )  # fmt: skip
        rows = [_status_row(each, words) for each in status.splitters]
        heads = (words.either("激活状态", "State"), words.either("端口挂测状态", "Tested"))
        columns = ("Splitter", "PON port", *heads, "Line", "Rounds", "Service", "Photos", "Fault")
        yield Listing(columns, rows, none="no splitter was entered yet", right=("Rounds",))
        if status.reasons:
            yield Text(f"{len(status.reasons)} against the acceptance:", style="bold yellow")
            yield from bullets(status.reasons, glyphs)


def _status_row(each: SplitterStatus, words: _Words) -> tuple[object, ...]:
    return (
        each.splitter.name,
        f"{each.splitter.olt} {each.splitter.port}",
        words.state(each.state) if each.to_be_tested else "not to be tested",
        words.label(each.test_state) if each.to_be_tested else None,
        words.line(each.line),
        each.rounds or None,
        None if each.service is None else words.passed(good=each.service),
        ", ".join(each.evidence) or None,
        words.label(each.fault),
    )


def projects_table(found: Iterable[ProjectStatus], glyphs: Glyphs) -> RenderableType:
    """Every project, one a line."""
    words = _Words(glyphs)
    rows = [
        (
            each.project.id,
            each.project.name,
            each.project.builder,
            words.stage(each.stage),
            words.either(each.hang_test.label, "yes" if each.hang_test.required else "no"),
            f"{each.passed}/{each.to_test}",
            each.live or None,
        )
        for each in found
    ]
    builder, tested = words.either("施工单位", "Builder"), words.either("挂测", "To test")
    columns = ("Project", "Name", builder, "Stage", tested, "Passed", "Live")
    return Listing(columns, rows, none="there is no project: ponprobe project import", right=("Passed", "Live"))


def activation_table(items: Iterable[ActivationItem]) -> RenderableType:
    """The ten columns of the activation list under their original names."""
    words = _Words(UNICODE)  # the headers are these very words, whatever the terminal makes of them
    rows = [[*[*item.to_row().values()][:8], words.state(item.state), item.test_state.label] for item in items]
    return Listing(ROW_HEADERS, rows, none="nothing is to be tested", right=("分光器端口号",))


class SplitterView:
    """Everything that is known of one splitter."""

    def __init__(
        self,
        status: SplitterStatus,
        rounds: Sequence[LineRound],
        services: Sequence[ServiceTest],
        evidence: Sequence[EvidenceItem],
        history: Sequence[SplitterRevision],
    ) -> None:
        self._status = status
        self._rounds = rounds
        self._services = services
        self._evidence = evidence
        self._history = history

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        glyphs, status = glyphs_for(options), self._status
        yield Text(plain(status.splitter), style="bold")
        words = _Words(glyphs)
        if status.to_be_tested:
            tested = words.either("端口挂测状态", "tests")
            yield Text(f"{words.state(status.state)}{glyphs.dot}{tested} {words.label(status.test_state)}")
        yield Text("Rounds", style="bold cyan")
        yield Listing(
            ("Round", "At (UTC)", "By", "Line", "ONU Rx", "Down", "Up", "Fault", "Why"),
            [_round_row(each, words) for each in self._rounds],
            none="the line has not been tested",
            right=("Round", "ONU Rx", "Down", "Up"),
        )
        yield Text("Service tests", style="bold cyan")
        yield Listing(
            ("At (UTC)", "By", "Passed", "Account", "Down Mbit/s", "Up Mbit/s", "MACs learnt", "Against"),
            [_service_row(each, words) for each in self._services],
            none="there is no service test",
            right=("Down Mbit/s", "Up Mbit/s"),
        )
        yield Text("Evidence", style="bold cyan")
        yield evidence_table(self._evidence)
        yield Text("Engineering data", style="bold cyan")
        rows = [(each.revision, each.change, _moment(each.at), each.actor.name) for each in self._history]
        yield Listing(("Revision", "Change", "At (UTC)", "By"), rows, none="", right=("Revision",))
        yield from bullets(status.reasons, glyphs, "yellow")


def _moment(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _round_row(each: LineRound, words: _Words) -> tuple[object, ...]:
    light = powers_of(each)
    why = each.failure.message if each.failure is not None else "; ".join(finding.text for finding in each.findings)
    line = "no reading" if each.verdict is None else words.line(str(each.verdict.outcome))
    return (
        each.round,
        _moment(each.at),
        each.actor.name,
        line if each.source == "device" else f"{line} ({each.source})",
        _db(light, "onu_rx_dbm"),
        _db(light, "downstream_attenuation_db"),
        _db(light, "upstream_attenuation_db"),
        words.label(each.fault),
        why or None,
    )


def _service_row(each: ServiceTest, words: _Words) -> tuple[object, ...]:
    return (
        _moment(each.started_at),
        None if each.actor is None else each.actor.name,
        words.passed(good=each.passed),
        each.account,
        each.speed_down_mbps,
        each.speed_up_mbps,
        ", ".join(each.macs_learnt) or None,
        "; ".join(each.against) or None,
    )


def evidence_table(items: Iterable[EvidenceItem]) -> RenderableType:
    """Pieces of evidence, and what they say of themselves."""
    rows = [
        (
            each.kind,
            each.file_name,
            each.media_type,
            each.bytes,
            each.sha256[:12],
            None if each.captured_at is None else _moment(each.captured_at),
            "; ".join(each.warnings) or None,
        )
        for each in items
    ]
    columns = ("Kind", "File", "Type", "Bytes", "SHA-256", "Captured (UTC)", "Warnings")
    return Listing(columns, rows, none="there is no evidence", right=("Bytes",))


def events_table(found: Iterable[Event]) -> RenderableType:
    """What happened, one a line."""
    rows = [(_moment(each.at), each.name, each.project, each.splitter, each.actor, each.request_id) for each in found]
    return Listing(("At (UTC)", "Event", "Project", "Splitter", "By", "Request"), rows, none="nothing has happened")
