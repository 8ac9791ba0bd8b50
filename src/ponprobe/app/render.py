"""The first screen of a measurement: what was measured, against which limit, and is the device clean."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import HEAVY, ROUNDED
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ponprobe.app.glyphs import Glyphs, glyphs_for, plain
from ponprobe.app.levels import Levels
from ponprobe.models.judgement import Comparison, Finding, Judgement, Outcome, Verdict
from ponprobe.models.optical import Db
from ponprobe.models.plant import PlantComparison
from ponprobe.models.run import MeasureResult, Removal
from ponprobe.optics.exact import NAMES

WIDEST = 108
"""Lines longer than this are hard to read, however wide the terminal is."""
_STYLES = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.UNDETERMINED: "yellow"}
_ALIKE = Db(2.0)
"""Wavelengths differ by tenths of a dB in loss, accuracies by more; beyond this it is not the line alone."""
_MEANS = {Outcome.PASS: "PASS", Outcome.FAIL: "FAIL", Outcome.UNDETERMINED: "UNDETERMINED"}


def word(outcome: Outcome, glyphs: Glyphs) -> str:
    """The verdict in English, and in the specification's own word where the terminal can show it."""
    signs = {Outcome.PASS: glyphs.good, Outcome.FAIL: glyphs.bad, Outcome.UNDETERMINED: glyphs.unsure}
    label = f" {outcome.label}" if glyphs.chinese else ""
    return f"{signs[outcome]} {_MEANS[outcome]}{label}"


class Screen:
    """A measurement for people; ``revoke`` is the command that takes a kept test ONU away."""

    def __init__(
        self, result: MeasureResult, *, revoke: str | None = None, short: bool = False, explanation: str | None = None
    ) -> None:
        self.result = result
        self._explanation = explanation
        self._revoke = revoke
        self._short = short

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        options = options.update(width=min(options.max_width, WIDEST))
        glyphs = glyphs_for(options)
        yield from console.render(Group(*self._parts(glyphs)), options)

    def _parts(self, glyphs: Glyphs) -> Iterable[RenderableType]:
        result = self.result
        if result.verdict is not None:
            yield _headline(result.verdict, glyphs)
        yield Padding(_rows(self._where(glyphs)), (0, 2))
        if result.verdict is not None:
            yield Padding(Levels(result.verdict.reading, result.verdict.threshold_set), (1, 2))
        findings = (*result.findings, *(result.verdict.findings if result.verdict else ()))
        if self._short:
            findings = tuple(finding for finding in findings if finding.next_step)
        rows: list[tuple[str, RenderableType]] = []
        if result.verdict is not None and result.verdict.outcome is Outcome.FAIL:
            rows.append(("Next", Text(f"{glyphs.arrow} {_next_step(result.verdict)}", style="bold")))
        if self._explanation and not self._short:
            rows.append(("In words", Text(plain(self._explanation))))
        rows += _compared(result.comparisons)
        if findings:
            rows.append(("Findings", _findings(findings, glyphs)))
        if not self._short:
            rows.append(("Service", self._service()))
        rows.append(("Device", self._device(glyphs)))
        yield Padding(_rows(rows), (0, 2))

    def _where(self, glyphs: Glyphs) -> Iterable[tuple[str, RenderableType]]:
        result, order, facts, state = self.result, self.result.order, self.result.facts, self.result.state
        host = result.host if result.host != result.olt else None
        yield "OLT", Flowing(glyphs, result.olt, host, facts and facts.model, facts and facts.version)
        splitter = order.splitter and f"splitter {order.splitter}"
        yield (
            "Port",
            Flowing(
                glyphs, order.port, splitter, None if order.splitter_port is None else f"its port {order.splitter_port}"
            ),
        )
        distance = state.distance_m if state is not None else None
        yield (
            "Test ONU",
            Flowing(
                glyphs,
                result.onu,
                order.auth,
                order.vlans if order.service_model != "none" else None,
                None if distance is None else f"{distance / 1000:.2f} km" if distance >= 1000 else f"{distance:.0f} m",
                "never online" if result.online_after_s is None else f"online in {result.online_after_s:.1f} s",
            ),
        )
        took = (result.finished_at - result.started_at).total_seconds()
        when = f"{result.started_at.astimezone():%Y-%m-%d %H:%M:%S %Z}"
        yield "Run", Flowing(glyphs, result.run_id, when, f"{took:.1f} s", f"{result.lines_sent} lines sent")

    def _service(self) -> Text:
        if self.result.order.service_model == "none":
            return Text("not configured: only optics were wanted", style="dim")
        if self.result.online_after_s is None:
            return Text("not looked at: the ONU was never online", style="dim")
        if not self.result.macs:
            return Text("no MAC address learnt (nothing sent traffic behind the ONU)", style="dim")
        macs = ", ".join(sorted({entry.mac for entry in self.result.macs}))
        return Text(f"alive: the OLT has learnt {plain(macs)}")

    def _device(self, glyphs: Glyphs) -> RenderableType:
        removal = self.result.removal
        if removal is None:
            words = Text(f"{glyphs.unsure} KEPT: the test ONU is still registered", style="bold yellow")
            return Group(words, Text(f"take it away with: {self._revoke or 'ponprobe revoke'}"))
        return cleanliness(removal, glyphs, short=self._short)


def _marginal(verdict: Verdict, glyphs: Glyphs) -> str:
    """Said where the uncertainty of the reading is wider than its margin."""
    if not verdict.band.marginal:
        return ""
    return f", marginal {verdict.band.label}" if glyphs.chinese else ", marginal"


class VerdictView:
    """A verdict on its own: the headline, the levels, what the judge noticed, and the plant beside it."""

    def __init__(self, verdict: Verdict, comparisons: tuple[PlantComparison, ...] = ()) -> None:
        self._verdict = verdict
        self._comparisons = comparisons

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        options = options.update(width=min(options.max_width, WIDEST))
        glyphs = glyphs_for(options)
        rows: list[tuple[str, RenderableType]] = _compared(self._comparisons)
        if self._verdict.findings:
            rows.append(("Findings", _findings(self._verdict.findings, glyphs)))
        parts: list[RenderableType] = [
            _headline(self._verdict, glyphs),
            Padding(Levels(self._verdict.reading, self._verdict.threshold_set), (1, 2)),
            Padding(_rows(rows), (0, 2)),
        ]
        yield from console.render(Group(*parts), options)


def _compared(comparisons: Iterable[PlantComparison]) -> list[tuple[str, RenderableType]]:
    """The losses against the plant as recorded, with the first explanations of a difference."""
    rows: list[tuple[str, RenderableType]] = []
    for each in comparisons:
        best = each.explanations[0]
        ranked = () if best.kind == "as_recorded" and best.fits else each.explanations[:3]
        told = [each.text, *(explanation.text for explanation in ranked)]
        rows.append((f"Plant {each.measured.direction}", Text("\n".join(map(plain, told)))))
    return rows


def _headline(verdict: Verdict, glyphs: Glyphs) -> Panel:
    style = _STYLES[verdict.outcome]
    lines: list[RenderableType] = []
    for judgement in verdict.judgements:
        threshold = judgement.threshold
        lines.append(_judged(judgement, glyphs))
        limit = _rows(
            (
                ("Limit", Text(f'"{plain(threshold.source_text)}", {plain(verdict.threshold_set.stage)}')),
                ("Read as", Text(plain(threshold.interpretation))),
            )
        )
        limit.columns[1].style = "dim"
        lines.append(limit)
    return Panel(
        Group(*lines),
        title=Text(f" {word(verdict.outcome, glyphs)}{_marginal(verdict, glyphs)} ", style=f"bold reverse {style}"),
        title_align="left",
        border_style=style,
        box=HEAVY if verdict.outcome is not Outcome.PASS else ROUNDED,
        padding=(0, 1),
    )


def _judged(judgement: Judgement, glyphs: Glyphs) -> Text:
    """One limit in one sentence; a number that two decimals would falsify is shown as the judge worded it."""
    threshold, measured = judgement.threshold, judgement.measured
    if measured is None or judgement.outcome is Outcome.UNDETERMINED:
        return Text(plain(judgement.reason), style="bold")
    met = judgement.outcome is Outcome.PASS
    at_least = threshold.comparison is Comparison.AT_LEAST
    sign = (glyphs.at_least if met else "<") if at_least else (glyphs.at_most if met else ">")
    shown = f"{measured}" if float(f"{measured.value:.2f}") == measured.value else f"{measured.value!r} {measured.unit}"
    return Text.assemble(
        f"{NAMES.get(threshold.quantity, threshold.quantity)} ",
        (shown, f"bold {_STYLES[judgement.outcome]}"),
        f" {sign} {threshold.limit}    ",
        # the judge's own words for the margin stand at the end of its reason
        (plain(judgement.reason).rpartition(", ")[2], "bold"),
    )


def _next_step(verdict: Verdict) -> str:
    """What to do about a line that fails; the two directions tell the plant from the devices at its ends."""
    down, up = verdict.loss.downstream_attenuation_db, verdict.loss.upstream_attenuation_db
    advice = "look for a bad splice, a dirty connector or a bent fibre, and check the recorded split ratio"
    if down is not None and up is not None and abs(down - up) <= _ALIKE:
        return f"both directions lose alike ({down} and {up}), so it is the passive line: {advice}; then measure again"
    return f"confirm with a hand-held power meter; {advice}; then measure again"


def _findings(findings: Iterable[Finding], glyphs: Glyphs) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    for finding in findings:
        text = Text(plain(finding.text), style="" if finding.next_step else "dim")
        if finding.next_step:
            text.append(f"\n{glyphs.arrow} {plain(finding.next_step)}", style="bold")
        table.add_row(Text(glyphs.bullet), text)
    return table


def cleanliness(removal: Removal, glyphs: Glyphs, *, short: bool = False) -> RenderableType:
    """Whether the OLT is clean, and the questions and answers that prove it."""
    ours = [left.what for left in removal.residue if left.ours]
    others = [left.what for left in removal.residue if not left.ours]
    gone = [f"removed {what}" for what in removal.removed] or ["nothing was there any more"]
    if removal.clean:
        head = Text(f"{glyphs.good} CLEAN", style="bold green")
    elif ours:
        head = Text(f"{glyphs.bad} RESIDUE  still there: {plain('; '.join(ours))}", style="bold red")
    else:
        head = Text(f"{glyphs.bad} UNPROVEN  the OLT could not be read back", style="bold red")
    if removal.proof:
        how = f"proven by {len(removal.proof)} questions to the OLT" if short else "the OLT was asked again:"
        head.append(f"  {how}", style="not bold default")
    parts: list[RenderableType] = [head, *(Text(plain(each)) for each in gone)]
    if removal.note:
        parts.append(Text(plain(removal.note), style="yellow"))
    if others:
        parts.append(Text(f"not ours, untouched: {plain('; '.join(others))}", style="dim"))
    if removal.proof and not short:
        parts.append(_Proof(removal.proof, glyphs))
    return Group(*parts)


class _Proof:
    """Questions and answers, each pair on one line if it fits."""

    def __init__(self, proof: Iterable[tuple[str, str]], glyphs: Glyphs) -> None:
        self._pairs = [(plain(question), plain(answer) or "(no answer line)") for question, answer in proof]
        self._arrow = glyphs.arrow

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for asked, answered in self._pairs:
            line = Text.assemble((asked, "cyan"), f" {self._arrow} ", answered)
            if line.cell_len <= options.max_width:
                yield line
                continue
            yield Text(asked, style="cyan")
            yield Padding(Text(f"{self._arrow} {answered}"), (0, 0, 0, 2))


class Flowing:
    """Facts in a row; a line breaks between two of them, never inside one that fits."""

    def __init__(self, glyphs: Glyphs, first: object, *rest: object) -> None:
        self._dot = glyphs.dot
        self._parts = [plain(part) for part in (first, *rest) if part]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = Text()
        for number, part in enumerate(self._parts):
            if line and line.cell_len + len(self._dot) + cell_len(part) > options.max_width:
                yield line
                line = Text()
            if line:
                line.append(self._dot, style="dim")
            line.append(part, style="" if number else "bold")
        yield line

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        widths = [cell_len(part) for part in self._parts] or [0]
        whole = sum(widths) + len(self._dot) * (len(widths) - 1)
        return Measurement(min(max(widths), options.max_width), min(whole, options.max_width))


def _rows(rows: Iterable[tuple[str, RenderableType]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="cyan", min_width=8, no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    return table
