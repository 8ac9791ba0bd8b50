"""The work of ``ponprobe batch``: every OLT in a thread of its own, every row told as soon as it is proven clean."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from threading import Lock
from typing import TYPE_CHECKING, Any, TextIO

from ponprobe import errors
from ponprobe.app import outcome
from ponprobe.app.acceptance import Measuring
from ponprobe.app.answers import ANSWERS, Request, take_leftovers
from ponprobe.app.batch import part_of, row_body
from ponprobe.app.batch_file import Entry, side_by_side
from ponprobe.app.batch_view import Rows
from ponprobe.app.judging import Judged, Judging, sentence
from ponprobe.app.options import Configured, Road
from ponprobe.app.outcome import ExitCode
from ponprobe.app.tables import PlanView
from ponprobe.app.team import Team
from ponprobe.errors import PonprobeError
from ponprobe.models.run import RunEvent

if TYPE_CHECKING:
    from ponprobe.app.desk import Desk
    from ponprobe.models.batch import BatchItem
    from ponprobe.session.judging import Plant
    from ponprobe.session.olt import Olt

_POWERS = ("olt_tx_dbm", "onu_rx_dbm", "onu_tx_dbm", "olt_rx_dbm")
_LOSSES = ("downstream_attenuation_db", "upstream_attenuation_db")
_KEPT_CHARS = 200_000
"""What is kept of each dialogue in memory: there may be hundreds of OLTs, and the transcript file has it all."""

Row = dict[str, Any]


class Gang(Team):
    """The OLTs of a batch file, each with its rows in the file's order."""

    def __init__(self, desk: Desk, given: Configured, what: str, entries: Sequence[Entry], *, parallel: int) -> None:
        super().__init__(desk, what)
        self.desk = desk
        self.entries = tuple(entries)
        self.parallel = parallel
        self.expect(len(entries))
        self.olts: dict[str, Olt] = {}
        self.rows_of: dict[str, list[Entry]] = {}
        for entry in entries:
            self.rows_of.setdefault(entry.olt, []).append(entry)
        self._road = Road(config=given.config)
        desk.finish_with = shlex.join(["ponprobe", "recover", *self._road.again()])

    def check(self) -> None:
        """Find out, before anything is sent, that every OLT can be connected to and every secret is there."""
        for name in self.rows_of:
            olt = self.hire(name, self._road, name=name)
            olt.transcript.limit_chars = _KEPT_CHARS
            self.olts[name] = olt

    @property
    def stopped(self) -> bool:
        """Whether a signal has been heard: nothing new is begun."""
        return self._stopped_by is not None

    def told_again(self, answer: dict[str, Any]) -> ExitCode:
        """Give the stored answer of a request; nothing is sent."""
        self.desk.data({**answer, "repeated": True})
        self.desk.show(Rows(answer["items"], answer["left"], repeated=True))
        return ExitCode(answer["exit_code"])


def measure_all(
    gang: Gang,
    *,
    how: Measuring,
    judged: Judged,
    judging: Judging,
    at_once: int,
    request: Request,
    request_id: str | None,
    results: TextIO | None,
    notes: Sequence[str],
) -> ExitCode:
    """Measure every row, and return the worst code; what a signal stops is taken away first."""
    work = _Measuring(gang, how, judged, judging, at_once, request, request_id, results)
    _, stopped = gang.work(work.everywhere)
    left = [{"run_id": run_id, "olt": olt} for run_id, olt in gang.desk.unproven()]
    if stopped is not None and gang.desk.runs:
        stopped.after_change = "residue" if left else "rolled_back"  # type: ignore[attr-defined]
    rows = [work.rows.get(id(entry)) or _not_done(entry, stopped) for entry in gang.entries]
    codes = [ExitCode(row["exit_code"]) for row in rows]
    if stopped is not None:
        codes.append(outcome.of_error(stopped))
    code = ExitCode.RESIDUE if left else outcome.worst(codes)
    shown: dict[str, Any] = {
        "items": rows,
        "left": left,
        "notes": list(notes),
        "counts": _counts(rows),
        "exit_code": int(code),
    }
    if stopped is not None:
        shown["error"] = outcome.error_object(stopped)
    elif all(each in ANSWERS for each in codes):
        request.finish(shown)
    gang.desk.data(shown)
    finish_with = gang.desk.finish_with if left else None
    gang.desk.show(Rows(rows, left, stopped=stopped is not None, finish_with=finish_with, notes=notes))
    return code


def plan_all(gang: Gang, *, how: Measuring, notes: Sequence[str]) -> ExitCode:
    """List the exact lines of every row; one that cannot be planned does not stop the others."""
    from rich.text import Text  # noqa: PLC0415

    from ponprobe.app.glyphs import plain  # noqa: PLC0415

    rows: list[Row] = []
    for entry in gang.entries:
        gang.desk.show(Text(plain(f"{entry.where}: {entry.olt} {entry.order.port}"), style="bold"))
        try:
            plan = gang.olts[entry.olt].plan(entry.order, samples=how.samples)
        except PonprobeError as exc:
            row = _row(entry, _code(type(exc)), outcome.error_object(exc))
            gang.desk.show(Text(plain(exc), style="bold red"))
        else:
            row = {**_row(entry, ExitCode.DONE, None), "plan": plan.model_dump(mode="json")}
            gang.desk.show(PlanView(plan))
        rows.append(row)
    code = outcome.worst(ExitCode(row["exit_code"]) for row in rows)
    gang.desk.data({"dry_run": True, "items": rows, "notes": list(notes), "exit_code": int(code)})
    if len(rows) > 1:
        gang.desk.show(
            Text("Each row is planned as if it came alone: behind one port, every one gets its own ONU ID.", "dim")
        )
    return code


# ---------------------------------------------------------------------- measuring


@dataclass
class _Measuring:
    """What every OLT's thread works with; ``rows`` has what became of each row that has ended."""

    gang: Gang
    how: Measuring
    judged: Judged
    judging: Judging
    at_once: int
    request: Request
    request_id: str | None
    results: TextIO | None

    def __post_init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self._lock = Lock()

    def everywhere(self) -> None:
        """Work on every OLT; one that fails stops no other."""
        with ThreadPoolExecutor(self.gang.parallel, thread_name_prefix="olt") as crew:
            for running in [crew.submit(self._on_one, name) for name in self.gang.rows_of]:
                running.result()

    def _on_one(self, name: str) -> None:
        olt = self.gang.olts[name]
        try:
            self._measured(olt, self.gang.rows_of[name])
        except KeyboardInterrupt:
            return  # stopped: the batch has taken away what was live, and the end tells which rows are missing
        except Exception as exc:  # noqa: BLE001 - whatever it is, it is these rows' end, and not the others'
            for entry in self.gang.rows_of[name]:
                if id(entry) not in self.rows:
                    self._end(entry, _code(type(exc), bug=True), outcome.error_object(exc))
        finally:
            olt.close()

    def _measured(self, olt: Olt, entries: Sequence[Entry]) -> None:
        todo = [entry for entry in entries if not self._answered(entry)]
        if self.request_id is not None and todo:
            take_leftovers(olt, [entry.order for entry in todo], olt.settings.journal)
        for group in side_by_side(todo):
            if self.gang.stopped:
                return
            plants: dict[int, Plant | None] = {id(entry.order): entry.plant for entry in group}
            olt.measure_batch(
                [entry.order for entry in group],
                thresholds=self.judged.limits,
                samples=self.how.samples,
                online_timeout_s=self.how.online_timeout,
                judging=self.judged.options,
                at_once=self.at_once,
                plant_of=_looking_up(plants),
                on_item=self._taking(group),
            )

    def _answered(self, entry: Entry) -> bool:
        if self.request_id is None:
            return False
        known = self.request.part(part_of(self.request_id, entry), row_body(entry, self.judged, self.how))
        if known is not None:
            with self._lock:
                self.rows[id(entry)] = {**known, "repeated": True}
        return known is not None

    def _taking(self, group: Sequence[Entry]) -> Callable[[BatchItem], None]:
        def take(item: BatchItem) -> None:
            error = None
            if item.error_class is not None:
                error = {
                    "class": item.error_class,
                    "message": item.error,
                    "hint": item.hint,
                    "phase": item.phase,
                    "after_change": item.after_change,
                }
            self._end(group[item.index], code_of(item), error, item)

        return take

    def _end(self, entry: Entry, code: ExitCode, error: dict[str, Any] | None, item: BatchItem | None = None) -> None:
        row = _row(entry, code, error, item)
        result = None if item is None or item.result is None else item.result.model_dump(mode="json")
        if item is not None and item.result is not None and item.result.verdict is not None:
            row["explanation"] = sentence(self.judging, item.result.verdict, item.result.comparisons)
        if self.request_id is not None and code in ANSWERS:
            self.request.finish_part(part_of(self.request_id, entry), row_body(entry, self.judged, self.how), row)
        about = RunEvent(
            ts=datetime.now(timezone.utc) if item is None else item.at,
            run_id=row["run_id"] or "",
            seq=0,
            event="finished",
            olt=entry.olt,
            pon=entry.order.port,
            item=entry.order.splitter,
        )
        with self.gang.hearing:
            self.rows[id(entry)] = row
            self.gang.desk.item("item", about, {**row, "result": result}, error)
            if self.results is not None:
                line = json.dumps(
                    outcome.finite({"schema": outcome.SCHEMA, **row, "result": result}), ensure_ascii=False
                )
                self.results.write(line + "\n")
                self.results.flush()


def _looking_up(plants: dict[int, Plant | None]) -> Callable[[Any], Plant | None]:
    return lambda order: plants.get(id(order))


def code_of(item: BatchItem) -> ExitCode:
    """Return the code of one row, as ``measure`` would end with it."""
    if not item.clean and not item.kept:
        return ExitCode.RESIDUE
    if item.error_class is None:
        verdict = item.result.verdict if item.result is not None else None
        return outcome.of_verdict(None if verdict is None else verdict.outcome, clean=True)
    if item.after_change == "rolled_back":
        return ExitCode.ROLLED_BACK
    kind = getattr(errors, item.error_class, None)
    return _code(kind) if isinstance(kind, type) else ExitCode.NOTHING_CHANGED


def _code(kind: type[Any], *, bug: bool = False) -> ExitCode:
    """What a row is refused for; the file itself has been checked: what is wrong now is not how it was typed."""
    if not issubclass(kind, PonprobeError):
        return ExitCode.BUG if bug else ExitCode.NOTHING_CHANGED
    code = outcome.of_kind(kind)
    return ExitCode.REFUSED if code is ExitCode.USAGE else code


def _row(entry: Entry, code: ExitCode, error: dict[str, Any] | None, item: BatchItem | None = None) -> Row:
    """What a program needs of a row; the whole result is in the events and in ``--output``."""
    result = item.result if item is not None else None
    verdict = result.verdict if result is not None else None
    powers: dict[str, float | None] = dict.fromkeys((*_POWERS, *_LOSSES))
    if verdict is not None:
        found = {name: getattr(verdict.reading, name).value for name in _POWERS}
        found |= {name: getattr(verdict.loss, name) for name in _LOSSES}
        powers = {name: None if value is None else float(value) for name, value in found.items()}
    return {
        **entry.about,
        "run_id": None if item is None else item.run_id,
        "onu": None if item is None or item.onu is None else str(item.onu),
        "outcome": None if verdict is None else str(verdict.outcome),
        "band": None if verdict is None else str(verdict.band),
        **powers,
        "clean": True if item is None else item.clean,
        "error": error,
        "exit_code": int(code),
    }


def _not_done(entry: Entry, stopped: BaseException | None) -> Row:
    """A row that a signal came before, or that was under way when it came; the journal knows of what is left."""
    code = ExitCode.NOTHING_CHANGED if stopped is None else outcome.of_error(stopped)
    code = ExitCode.NOTHING_CHANGED if code in {ExitCode.RESIDUE, ExitCode.ROLLED_BACK} else code
    return {**_row(entry, code, None), "clean": None, "not_done": True}


def _counts(rows: Sequence[Row]) -> dict[str, int]:
    found = {"rows": len(rows), "pass": 0, "fail": 0, "undetermined": 0, "failed": 0, "not_done": 0}
    for row in rows:
        name = "not_done" if row.get("not_done") else row["outcome"] if row["error"] is None else "failed"
        found[name or "failed"] += 1
    return found
