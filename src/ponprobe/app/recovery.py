"""Finish what earlier runs left open, on one OLT or on every OLT that the journal knows."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ponprobe.app import outcome
from ponprobe.app.options import WrongInput
from ponprobe.app.outcome import ExitCode
from ponprobe.errors import PonprobeError

if TYPE_CHECKING:
    from ponprobe.app.desk import Desk
    from ponprobe.app.options import Road
    from ponprobe.config import Config
    from ponprobe.models.run import Recovery
    from ponprobe.store.journal import JournalRun


def recover_all(desk: Desk, olt: str | None, road: Road, *, dry_run: bool = False) -> ExitCode:
    """Recover each OLT in turn; one that cannot be reached does not stop the others."""
    from ponprobe import config  # noqa: PLC0415 - the journal's database loads slowly
    from ponprobe.app.tables import RecoveryView  # noqa: PLC0415
    from ponprobe.connect import journal_at  # noqa: PLC0415

    loaded = config.load(road.config)
    runs = [run for run in journal_at(loaded.settings.journal).unfinished() if _is_on(run, olt, loaded)]
    if dry_run:
        return planned_removal(desk, olt, [run for run in runs if run.state != "kept"])
    for run in runs:
        if run.state != "kept":
            # stopped, or failed in a way that nobody foresaw: what is not proven gone by then may be there
            desk.watch(run.run_id)
    codes: list[ExitCode] = []
    shown: list[dict[str, Any]] = []
    for name in dict.fromkeys(run.olt for run in runs):
        mine = [run for run in runs if run.olt == name]
        recoveries = _recovered(desk, name, mine, loaded, road) if any(run.state != "kept" for run in mine) else ()
        codes += [_code(each) for each in recoveries]
        kept = [
            (run.run_id, str(run.owner.onu), shlex.join(["ponprobe", "revoke", name, *road.again(), run.run_id]))
            for run in mine
            if run.state == "kept"
        ]
        shown.append(
            {
                "olt": name,
                "host": mine[0].host,
                "recovered": [{**each.model_dump(mode="json"), "clean": each.clean} for each in recoveries],
                "kept": [{"run_id": run_id, "onu": onu, "revoke": command} for run_id, onu, command in kept],
            }
        )
        desk.show(RecoveryView(name, recoveries, kept))
    code = outcome.worst(codes)
    desk.data({"olts": shown, "exit_code": int(code)})
    if not shown:
        from rich.text import Text  # noqa: PLC0415

        desk.show(Text("nothing to recover: every run of the journal is proven clean", style="green"))
    return code


def planned_removal(desk: Desk, olt: str | None, runs: Sequence[JournalRun]) -> ExitCode:
    """Tell what a removal would take away, as the journal has it: where, whose mark, and the lines that undo it."""
    from ponprobe.app.tables import PlannedRemovals  # noqa: PLC0415

    found = [
        {
            "run_id": run.run_id,
            "olt": run.olt,
            "host": run.host,
            "onu": str(run.owner.onu),
            "mark": run.owner.mark,
            "serial": None if run.owner.serial is None else str(run.owner.serial),
            "state": run.state,
            "opened_at": run.opened_at.isoformat(),
            "may_stand": [str(each) for each in run.created],
            "undo": [line for write in reversed(run.writes) if write.creates in run.created for line in write.undo],
        }
        for run in runs
    ]
    desk.data({"dry_run": True, "olt": olt, "runs": found, "exit_code": 0})
    desk.show(PlannedRemovals(found))
    return ExitCode.DONE


def check_owner(run_id: str, olt: str, road: Road) -> JournalRun:
    """Give a run of the journal; refuse to look for it on another OLT than its own, where nothing would be found.

    That would be no proof. Several OLTs may share one address (forwarded ports), so the name decides where the
    inventory knows it.
    """
    from ponprobe import config  # noqa: PLC0415 - the journal's database loads slowly
    from ponprobe.connect import journal_at  # noqa: PLC0415

    loaded = config.load(road.config)
    run = journal_at(loaded.settings.journal).run(run_id)
    if run.olt != olt and run.olt in loaded.olts:
        raise WrongInput([f"OLT: run {run_id} belongs to {run.olt}, not to {olt}"])
    return run


def _is_on(run: JournalRun, olt: str | None, loaded: Config) -> bool:
    if olt is None or olt in {run.olt, run.host}:
        return True
    return olt in loaded.olts and loaded.olts[olt].host == run.host and run.olt not in loaded.olts


def _code(recovery: Recovery) -> ExitCode:
    if recovery.in_use:
        return ExitCode.REFUSED
    return ExitCode.DONE if recovery.clean else ExitCode.RESIDUE


def _recovered(desk: Desk, name: str, runs: Iterable[JournalRun], loaded: Config, road: Road) -> tuple[Recovery, ...]:
    from ponprobe.app.progress import Phases  # noqa: PLC0415 - rich loads when it is needed
    from ponprobe.models.run import Recovery  # noqa: PLC0415

    # a run that was started without an inventory is known by its host
    target = name if name in loaded.olts or road.host is not None else next(run.host for run in runs)
    try:
        with desk.olt(target, road) as device, desk.working(Phases(desk.console, name)):
            device.name = name  # the journal's name for it
            return device.recover()
    except PonprobeError as exc:
        # whatever kept us from asking, these runs stay unproven
        open_runs = [run for run in runs if run.state != "kept"]
        kind = type(exc).__name__
        return tuple(
            Recovery(run_id=run.run_id, onu=run.owner.onu, error=str(exc), error_class=kind) for run in open_runs
        )
