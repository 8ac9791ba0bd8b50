"""Accepting a splitter: measure, plan, activate, revoke, recover. What they may change is in the session."""

from __future__ import annotations

import json
import shlex
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponprobe.app import completing, outcome
from ponprobe.app.answers import ANSWERS, body_of, requested, take_leftovers
from ponprobe.app.command import command
from ponprobe.app.desk import Desk
from ponprobe.app.judging import Judged, Judging, check_picture, draw, judging_from, sentence
from ponprobe.app.options import Asked, OltName, Order, PortText, Road, Verify, WrongInput, order_from
from ponprobe.app.outcome import ExitCode
from ponprobe.app.root import ACCEPT, app

if TYPE_CHECKING:
    from ponprobe.models.acceptance import ActivationOrder
    from ponprobe.models.run import MeasureResult


DryRemoval = Annotated[
    bool, typer.Option("--dry-run", help="Only tell from the journal what would be taken away; no OLT is asked.")
]


@dataclass(frozen=True, kw_only=True)
class Measuring:
    """How to measure."""

    samples: Annotated[
        int | None, typer.Option("--samples", min=1, max=100, help="Readings.", rich_help_panel="Measurement")
    ] = None
    online_timeout: Annotated[
        float | None,
        typer.Option("--online-timeout", metavar="SECONDS", help="For the ONU.", rich_help_panel="Measurement"),
    ] = None


@command(app, "measure", rich_help_panel=ACCEPT)
def measure(
    desk: Desk,
    olt: OltName,
    port: PortText,
    *,
    order: Order,
    how: Measuring,
    judging: Judging,
    road: Road,
    asked: Asked,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the test ONU.", rich_help_panel="Measurement")] = False,
    verify: Annotated[
        Verify | None,
        typer.Option("--verify", help="Look again by this road.", rich_help_panel="Measurement"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list the commands (= plan).", rich_help_panel="Measurement")
    ] = False,
) -> ExitCode:
    """Measure one splitter: activate, wait, read, judge, revoke, prove."""
    if dry_run:
        return plan(desk, olt, port, order=order, how=how, judging=judging, road=road)
    wanted = _ordered(desk, port, order)
    check_patience(how)
    judged = judging_from(judging)
    check_picture(judging)
    body = {
        "olt": olt,
        **body_of(wanted),
        "judged": judged.body(),
        "how": [how.samples, how.online_timeout, keep, verify],
    }
    with requested(asked.request_id, road.config, name="measure", body=body) as request:
        if request.answer is not None:
            return _answered_before(desk, request.answer)
        result, explanation, code = _measured(
            desk, olt, wanted, how=how, judging=judging, judged=judged, road=road, keep=keep, verify=verify,
            again=asked.request_id is not None,
        )  # fmt: skip
        shown = {
            **result.model_dump(mode="json"),
            "explanation": explanation,
            "clean": result.clean,
            "exit_code": int(code),
        }
        if code in ANSWERS:
            request.finish(shown)
    from ponprobe.app.render import Screen  # noqa: PLC0415 - rich loads when it is needed

    desk.data(shown)
    desk.show(Screen(result, revoke=f"{_revoke_command(olt, road)} {result.run_id}", explanation=explanation))
    if result.verdict is not None:
        draw(judging, result.verdict, result.comparisons)
    return code


def _measured(
    desk: Desk,
    olt: str,
    wanted: ActivationOrder,
    *,
    how: Measuring,
    judging: Judging,
    judged: Judged,
    road: Road,
    keep: bool,
    verify: Verify | None,
    again: bool,
) -> tuple[MeasureResult, str | None, ExitCode]:
    """Measure on the device, and say in a sentence what came of it; ``again``: somebody may have tried before."""
    del road  # the desk has it
    from ponprobe.app.progress import Phases  # noqa: PLC0415 - rich loads when it is needed

    with desk.olt(olt) as device:
        samples = how.samples or device.settings.samples
        patience = how.online_timeout or device.settings.online_timeout_s
        with desk.working(Phases(desk.console, device.name, samples=samples, online_timeout_s=patience)):
            if again:
                take_leftovers(device, [wanted], device.settings.journal)
            result = device.measure(
                wanted,
                thresholds=judged.limits,
                judging=judged.options,
                plant=judged.plant,
                samples=samples,
                online_timeout_s=patience,
                keep=keep,
                verify=None if verify is None else verify.value,
            )
    verdict = result.verdict
    code = outcome.of_verdict(verdict.outcome if verdict else None, clean=result.clean or keep)
    explanation = None if verdict is None else sentence(judging, verdict, result.comparisons)
    return result, explanation, code


def _answered_before(desk: Desk, answer: dict[str, Any]) -> ExitCode:
    """Give the stored answer of a request; nothing is sent."""
    from pydantic import ValidationError  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from ponprobe.app.glyphs import plain  # noqa: PLC0415
    from ponprobe.app.render import VerdictView  # noqa: PLC0415
    from ponprobe.models.judgement import Verdict  # noqa: PLC0415

    desk.data({**answer, "repeated": True})
    # another ponprobe may have stored it, with more to say than this one knows: then the words must do
    with suppress(ValidationError):
        if answer.get("verdict") is not None:
            desk.show(VerdictView(Verdict.model_validate_json(json.dumps(answer["verdict"]))))
    if answer.get("explanation"):
        desk.show(Text(plain(answer["explanation"])))
    desk.show(
        Text(
            f"answered before, and nothing was sent: run {answer['run_id']} on {plain(answer['olt'])}, "
            f"{answer.get('finished_at') or 'kept'}",
            style="bold",
        )
    )
    return ExitCode(answer["exit_code"])


@command(app, "plan", rich_help_panel=ACCEPT)
def plan(
    desk: Desk, olt: OltName, port: PortText, *, order: Order, how: Measuring, judging: Judging, road: Road
) -> ExitCode:
    """List the exact commands of a measurement; the OLT is asked, nothing is changed."""
    del road
    judging_from(judging)  # the same words as measure's, checked as measure would
    from ponprobe.app.progress import Phases  # noqa: PLC0415
    from ponprobe.app.tables import PlanView  # noqa: PLC0415

    wanted = _ordered(desk, port, order)
    with desk.olt(olt) as device, desk.working(Phases(desk.console, olt)):
        planned = device.plan(wanted, samples=how.samples)
    desk.data(planned.model_dump(mode="json"))
    desk.show(PlanView(planned))
    return ExitCode.DONE


@command(app, "activate", rich_help_panel=ACCEPT)
def activate(
    desk: Desk,
    olt: OltName,
    port: PortText,
    *,
    order: Order,
    road: Road,
    asked: Asked,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the commands (= plan).")] = False,
) -> ExitCode:
    """Register a test ONU and leave it; prints the command that takes it away."""
    if dry_run:
        return plan(desk, olt, port, order=order, how=Measuring(), judging=Judging(), road=road)
    from rich.text import Text  # noqa: PLC0415

    from ponprobe.app.glyphs import plain  # noqa: PLC0415
    from ponprobe.app.progress import Phases  # noqa: PLC0415

    wanted = _ordered(desk, port, order)
    with requested(asked.request_id, road.config, name="activate", body={"olt": olt, **body_of(wanted)}) as request:
        if request.answer is not None:
            return _answered_before(desk, request.answer)
        with desk.olt(olt) as device, desk.working(Phases(desk.console, olt)):
            if asked.request_id is not None:
                take_leftovers(device, [wanted], device.settings.journal)
            with device.activate(wanted) as onu:
                onu.keep()
        undo = f"{_revoke_command(olt, road)} {onu.run_id}"
        shown = {
            "run_id": onu.run_id,
            "olt": device.name,
            "host": device.host,
            "registration": onu.registration.model_dump(mode="json"),
            "state": onu.state.model_dump(mode="json"),
            "revoke": undo,
            "exit_code": 0,
        }
        request.finish(shown)
    desk.data(shown)
    desk.show(
        Text(f"{onu.ref} is registered on {plain(device.name)} and stays there (run {onu.run_id}).", style="bold"),
        Text(f"take it away with: {plain(undo)}"),
    )
    return ExitCode.DONE


@command(app, "revoke", rich_help_panel=ACCEPT)
def revoke(
    desk: Desk,
    olt: OltName,
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="Run id of the journal.", show_default=False, autocompletion=completing.unfinished_runs
        ),
    ],
    *,
    road: Road,
    dry_run: DryRemoval = False,
) -> ExitCode:
    """Take one run off the OLT and prove that nothing is left; repeatable."""
    from ponprobe.app.progress import Phases  # noqa: PLC0415
    from ponprobe.app.recovery import check_owner, planned_removal  # noqa: PLC0415
    from ponprobe.app.tables import RemovalView  # noqa: PLC0415

    recorded = check_owner(run, olt, road)
    if dry_run:
        return planned_removal(desk, olt, [recorded])
    with desk.olt(olt) as device, desk.working(Phases(desk.console, olt)):
        if recorded.state != "clean":
            desk.watch(run, to_remove_from=device.name)
        removal = device.revoke(run)
    desk.data(
        {
            "run_id": run,
            "olt": device.name,
            "host": device.host,
            **removal.model_dump(mode="json"),
            "clean": removal.clean,
        }
    )
    desk.show(RemovalView(removal, f"{device.name}, run {run}, ONU {removal.onu}"))
    return ExitCode.DONE


@command(app, "recover", rich_help_panel=ACCEPT)
def recover(
    desk: Desk,
    *,
    road: Road,
    olt: Annotated[
        str | None,
        typer.Argument(metavar="[OLT]", help="All of the journal if left out.", autocompletion=completing.olts),
    ] = None,
    dry_run: DryRemoval = False,
) -> ExitCode:
    """Finish every run that ended without proof: killed, cut off, or with residue."""
    from ponprobe.app.recovery import recover_all  # noqa: PLC0415

    return recover_all(desk, olt, road, dry_run=dry_run)


def _ordered(desk: Desk, port: str, given: Order) -> ActivationOrder:
    order = order_from(port, given)
    desk.cover(*order.auth.secrets)
    return order


def check_patience(how: Measuring) -> None:
    """Refuse a time for the ONU that cannot be meant."""
    if how.online_timeout is not None and not 0 < how.online_timeout <= 86400:
        raise WrongInput(["--online-timeout: must be a number of seconds, more than 0"])


def _revoke_command(olt: str, road: Road) -> str:
    """The command that takes a run away, with the same road to the OLT."""
    return shlex.join(["ponprobe", "revoke", olt, *road.again()])
