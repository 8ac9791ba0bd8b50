"""Accepting a splitter: measure, plan, activate, revoke, recover. What they may change is in the session."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ponprobe.app import outcome
from ponprobe.app.command import command
from ponprobe.app.desk import Desk
from ponprobe.app.judging import Judging, check_picture, draw, judging_from, sentence
from ponprobe.app.options import OltName, Order, PortText, Road, Verify, WrongInput, order_from
from ponprobe.app.outcome import ExitCode
from ponprobe.app.root import ACCEPT, app

if TYPE_CHECKING:
    from ponprobe.models.acceptance import ActivationOrder


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
    _check_patience(how)
    judged = judging_from(judging)
    check_picture(judging)
    from ponprobe.app.progress import Phases  # noqa: PLC0415 - rich loads when it is needed
    from ponprobe.app.render import Screen  # noqa: PLC0415

    with desk.olt(olt) as device:
        samples = how.samples or device.settings.samples
        patience = how.online_timeout or device.settings.online_timeout_s
        with desk.working(Phases(desk.console, device.name, samples=samples, online_timeout_s=patience)):
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
    desk.data(
        {
            **result.model_dump(mode="json"),
            "explanation": explanation,
            "clean": result.clean,
            "exit_code": int(code),
        }
    )
    desk.show(Screen(result, revoke=f"{_revoke_command(olt, road)} {result.run_id}", explanation=explanation))
    if verdict is not None:
        draw(judging, verdict, result.comparisons)
    return code


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
def activate(desk: Desk, olt: OltName, port: PortText, *, order: Order, road: Road) -> ExitCode:
    """Register a test ONU and leave it; prints the command that takes it away."""
    from rich.text import Text  # noqa: PLC0415

    from ponprobe.app.glyphs import plain  # noqa: PLC0415
    from ponprobe.app.progress import Phases  # noqa: PLC0415

    wanted = _ordered(desk, port, order)
    with desk.olt(olt) as device, desk.working(Phases(desk.console, olt)), device.activate(wanted) as onu:
        onu.keep()
    undo = f"{_revoke_command(olt, road)} {onu.run_id}"
    desk.data(
        {
            "run_id": onu.run_id,
            "olt": device.name,
            "host": device.host,
            "registration": onu.registration.model_dump(mode="json"),
            "state": onu.state.model_dump(mode="json"),
            "revoke": undo,
        }
    )
    desk.show(
        Text(f"{onu.ref} is registered on {plain(device.name)} and stays there (run {onu.run_id}).", style="bold"),
        Text(f"take it away with: {plain(undo)}"),
    )
    return ExitCode.DONE


@command(app, "revoke", rich_help_panel=ACCEPT)
def revoke(
    desk: Desk,
    olt: OltName,
    run: Annotated[str, typer.Argument(metavar="RUN", help="Run id of the journal.", show_default=False)],
    road: Road,
) -> ExitCode:
    """Take one run off the OLT and prove that nothing is left; repeatable."""
    from ponprobe.app.progress import Phases  # noqa: PLC0415
    from ponprobe.app.recovery import check_owner  # noqa: PLC0415
    from ponprobe.app.tables import RemovalView  # noqa: PLC0415

    check_owner(run, olt, road)
    with desk.olt(olt) as device, desk.working(Phases(desk.console, olt)):
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
    road: Road,
    olt: Annotated[str | None, typer.Argument(metavar="[OLT]", help="All of the journal if left out.")] = None,
) -> ExitCode:
    """Finish every run that ended without proof: killed, cut off, or with residue."""
    from ponprobe.app.recovery import recover_all  # noqa: PLC0415

    return recover_all(desk, olt, road)


def _ordered(desk: Desk, port: str, given: Order) -> ActivationOrder:
    order = order_from(port, given)
    desk.cover(*order.auth.secrets)
    return order


def _check_patience(how: Measuring) -> None:
    if how.online_timeout is not None and not 0 < how.online_timeout <= 86400:
        raise WrongInput(["--online-timeout: must be a number of seconds, more than 0"])


def _revoke_command(olt: str, road: Road) -> str:
    """The command that takes a run away, with the same road to the OLT."""
    return shlex.join(["ponprobe", "revoke", olt, *road.again()])
