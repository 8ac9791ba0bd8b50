"""How a measurement is judged: the options that ``measure`` and ``judge`` share, and ``judge``, which asks no OLT."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ponprobe.app import completing, outcome
from ponprobe.app.command import command
from ponprobe.app.desk import Desk, file_text
from ponprobe.app.options import Problems, WrongInput
from ponprobe.app.outcome import ExitCode
from ponprobe.app.root import MORE, app
from ponprobe.errors import ConfigError

if TYPE_CHECKING:
    from ponprobe.models.judgement import JudgeOptions, ThresholdSet, Verdict
    from ponprobe.models.plant import PlantComparison, PlantRecord

_PANEL = "Judging"


class Policy(str, Enum):
    """What a marginal reading counts as."""

    SIMPLE = "simple"
    GUARD_ACCEPT = "guard_accept"
    GUARD_REJECT = "guard_reject"


class Language(str, Enum):
    """Of the sentence and the picture."""

    EN = "en"
    ZH = "zh"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Against which limits, and how sure."""

    stage: Annotated[
        str,
        typer.Option(
            "--stage",
            metavar="ID",
            help="Limits: construction, user_side, a class.",
            rich_help_panel=_PANEL,
            autocompletion=completing.stages,
        ),
    ] = "construction"
    thresholds: Annotated[
        Path | None,
        typer.Option("--thresholds", metavar="FILE", help="Your own limits (TOML, YAML).", rich_help_panel=_PANEL),
    ] = None
    policy: Annotated[
        Policy, typer.Option("--policy", help="simple: the limit decides, margin or not.", rich_help_panel=_PANEL)
    ] = Policy.SIMPLE
    optical_class: Annotated[
        str | None,
        typer.Option(
            "--class",
            metavar="ID",
            help="Optics: gpon_b_plus, gpon_c_plus...",
            rich_help_panel=_PANEL,
            autocompletion=completing.classes,
        ),
    ] = None
    lang: Annotated[Language, typer.Option("--lang", help="Of sentence and picture.", rich_help_panel=_PANEL)] = (
        Language.EN
    )


@dataclass(frozen=True, kw_only=True)
class Judging(Limits):
    """The same for one splitter, and what its plant should lose."""

    calibration: Annotated[
        Path | None,
        typer.Option(
            "--calibration", metavar="FILE", help="The test ONU's certificate (JSON).", rich_help_panel=_PANEL
        ),
    ] = None
    split: Annotated[
        str | None,
        typer.Option("--split", metavar="1:4+1:8", help="Split stages from the OLT on.", rich_help_panel=_PANEL),
    ] = None
    km: Annotated[
        float | None, typer.Option("--km", help="Recorded length; else as ranged.", rich_help_panel=_PANEL)
    ] = None
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help="Level diagram (SVG).", rich_help_panel=_PANEL)
    ] = None


@dataclass(frozen=True)
class Judged:
    """What the options mean."""

    limits: ThresholdSet
    options: JudgeOptions
    plant: PlantRecord | tuple[int, ...] | None

    def body(self) -> list[Any]:
        """Tell what it is, for the digest of a request."""
        plant = self.plant if self.plant is None or isinstance(self.plant, tuple) else self.plant.model_dump()
        return [self.limits.model_dump(mode="json"), self.options.model_dump(mode="json"), plant]


def judging_from(given: Judging) -> Judged:
    """Read limits, certificate and plant; ``WrongInput`` names every option that is wrong."""
    from ponprobe.models.judgement import JudgeOptions  # noqa: PLC0415 - help and version need no models
    from ponprobe.models.plant import Calibration  # noqa: PLC0415
    from ponprobe.optics.classes import optical_class  # noqa: PLC0415
    from ponprobe.optics.thresholds import load_threshold_sets, threshold_set  # noqa: PLC0415

    problems = Problems()
    own = problems.attempt("--thresholds", lambda: load_threshold_sets(file)) if (file := given.thresholds) else ()
    limits = None
    if own is not None:
        # a file with one set means that set
        stage = own[0].id if len(own) == 1 and given.stage == "construction" else given.stage
        limits = problems.attempt("--stage", lambda: threshold_set(stage, own))
    calibration = None
    if given.calibration is not None:
        text = problems.attempt("--calibration", lambda: file_text(given.calibration))
        calibration = (
            None if text is None else problems.attempt("--calibration", lambda: Calibration.model_validate_json(text))
        )
    if given.optical_class is not None:
        problems.attempt("--class", lambda: optical_class(given.optical_class or ""))
    plant = problems.attempt("--split", lambda: _plant(given)) if given.split is not None else None
    if given.km is not None and given.split is None:
        problems.add("--km", "needs --split: a length alone says nothing about the loss")
    problems.stop_if_any()
    assert limits is not None  # what kept it from being found has been raised  # noqa: S101
    options = JudgeOptions(policy=given.policy.value, optical_class=given.optical_class, calibration=calibration)
    return Judged(limits, options, plant)


def _plant(given: Judging) -> PlantRecord | tuple[int, ...]:
    from ponprobe.models.plant import PlantRecord  # noqa: PLC0415

    words = (given.split or "").replace(",", "+").split("+")
    try:
        stages = tuple(int(word.strip().removeprefix("1:")) for word in words)
    except ValueError:
        raise ConfigError(f"{given.split!r} is no split", hint="write 1:32, or 1:4+1:8 from the OLT on") from None
    checked = PlantRecord(stages=stages, record_km=given.km if given.km is not None else 0.0)
    return checked if given.km is not None else checked.stages


def draw(given: Judging, verdict: Verdict, comparisons: tuple[PlantComparison, ...]) -> None:
    """Write the picture that was asked for, if any; ``ConfigError`` where it cannot be written."""
    if given.picture is None:
        return
    from ponprobe.optics.diagram import level_diagram  # noqa: PLC0415 - only with --picture

    expected = tuple(each.expected for each in comparisons)
    text = level_diagram(verdict, expected=expected or None, lang=given.lang.value)
    try:
        given.picture.write_text(text, "utf-8")
    except OSError as exc:
        raise ConfigError(f"--picture: {given.picture} cannot be written: {exc.strerror}") from exc


def check_picture(given: Judging) -> None:
    """Find out before a device is touched that the picture could not be written."""
    if given.picture is not None and not given.picture.absolute().parent.is_dir():
        raise WrongInput([f"--picture: there is no directory {given.picture.absolute().parent}"])


def sentence(given: Judging, verdict: Verdict, comparisons: tuple[PlantComparison, ...]) -> str:
    """The verdict in one sentence."""
    from ponprobe.optics.explain import explain  # noqa: PLC0415

    return explain(verdict, given.lang.value, comparison=comparisons[0] if comparisons else None)


@command(app, "judge", rich_help_panel=MORE)
def judge(
    desk: Desk,
    *,
    judging: Judging,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="What measure --json printed; - is stdin.")
    ] = None,
) -> ExitCode:
    """Judge a stored measurement again; a new verdict that names the old one, no OLT is asked."""
    from rich.text import Text  # noqa: PLC0415

    from ponprobe.app.glyphs import plain  # noqa: PLC0415
    from ponprobe.app.render import VerdictView  # noqa: PLC0415
    from ponprobe.evaluate import rejudge  # noqa: PLC0415
    from ponprobe.session.judging import compared, split_of  # noqa: PLC0415

    how = judging_from(judging)
    check_picture(judging)
    stored = _stored(file_text(file))
    old = stored["verdict"]
    kept = old.options.model_copy(
        update={
            "policy": how.options.policy,
            "optical_class": how.options.optical_class or how.limits.optical_class,
            **({} if how.plant is None else {"split": split_of(how.plant)}),
        }
    )
    if how.options.calibration is not None and how.options.calibration != old.options.calibration:
        raise WrongInput(["--calibration: its offset belongs into the readings: measure with it"])
    verdict = rejudge(old, how.limits, judged_at=datetime.now(timezone.utc), options=kept)
    comparisons = compared(verdict, how.plant, stored["state"])
    code = outcome.of_verdict(verdict.outcome, clean=True)
    text = sentence(judging, verdict, comparisons)
    desk.data(
        {
            "verdict": verdict.model_dump(mode="json"),
            "comparisons": [each.model_dump(mode="json") for each in comparisons],
            "explanation": text,
            "exit_code": int(code),
        }
    )
    desk.show(VerdictView(verdict, comparisons), Text(plain(text)))
    draw(judging, verdict, comparisons)
    return code


def _stored(text: str) -> dict[str, Any]:
    """The verdict (and the state of the ONU) of a stored result, or of the verdict alone."""
    from pydantic import ValidationError  # noqa: PLC0415

    from ponprobe.models.device import OnuState  # noqa: PLC0415
    from ponprobe.models.judgement import Verdict  # noqa: PLC0415

    try:
        found = json.loads(text)
        document = found if "verdict" in found else {"verdict": found}
        state = document.get("state")
        return {
            "verdict": Verdict.model_validate_json(json.dumps(document["verdict"])),
            "state": None if state is None else OnuState.model_validate_json(json.dumps(state)),
        }
    except (json.JSONDecodeError, TypeError) as exc:
        raise ConfigError(f"FILE: this is no JSON object: {exc}", hint="give what measure --json printed") from exc
    except ValidationError as exc:
        where = ".".join(map(str, exc.errors()[0]["loc"]))
        raise ConfigError(
            f"FILE: this is no measurement: {where}: {exc.errors()[0]['msg']}", hint="give what measure --json printed"
        ) from exc
