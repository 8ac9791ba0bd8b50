"""Where the light goes: one scale of powers, each direction a bar from launch to reception, with the limit on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

from ponprobe.app.glyphs import Glyphs, glyphs_for
from ponprobe.evaluate import link_loss
from ponprobe.models.judgement import Comparison, Outcome, ThresholdSet
from ponprobe.models.optical import Absence, Db, Dbm, OpticalReading, Reading

_WHY = {
    Absence.NOT_REPORTED: "no value",
    Absence.NO_SIGNAL: "no light",
    Absence.OUT_OF_RANGE: "off scale",
    Absence.OFFLINE: "offline",
    Absence.UNSUPPORTED: "no support",
    Absence.GARBLED: "garbled",
    Absence.NOT_READ: "not read",
}
"""As short as a power, so that columns stay columns; the verdict says it in full."""
_STYLES = {Outcome.PASS: "green", Outcome.FAIL: "red", Outcome.UNDETERMINED: "yellow", None: "cyan"}
_TOP_DBM, _BOTTOM_DBM = 10.0, -35.0
"""What PON optics can launch and receive, with some room on either side."""
_TWO_COLUMNS = 68


@dataclass(frozen=True)
class Direction:
    """One direction of a link, with its limit on the received power, where it has one."""

    name: str
    launch_name: str
    launch: Reading
    receive_name: str
    receive: Reading
    loss: Db | None
    limit: Dbm | None
    outcome: Outcome | None

    @property
    def style(self) -> str:
        """The colour of the direction; what it says is also said in words."""
        return _STYLES[self.outcome]


def directions(reading: OpticalReading, thresholds: ThresholdSet | None) -> tuple[Direction, Direction]:
    """Both directions of a reading, held against the limits that bear on them."""
    loss = link_loss(reading)
    down_limit = _limit(thresholds, "onu_rx_dbm", "downstream_attenuation_db", reading.olt_tx_dbm)
    up_limit = _limit(thresholds, "olt_rx_dbm", "upstream_attenuation_db", reading.onu_tx_dbm)
    return (
        Direction(
            "Downstream", "OLT Tx", reading.olt_tx_dbm, "ONU Rx", reading.onu_rx_dbm,
            loss.downstream_attenuation_db, down_limit, _outcome(reading.onu_rx_dbm, down_limit),
        ),
        Direction(
            "Upstream", "ONU Tx", reading.onu_tx_dbm, "OLT Rx", reading.olt_rx_dbm,
            loss.upstream_attenuation_db, up_limit, _outcome(reading.olt_rx_dbm, up_limit),
        ),
    )  # fmt: skip


def _limit(thresholds: ThresholdSet | None, power: str, attenuation: str, launch: Reading) -> Dbm | None:
    """The weakest power that may arrive; a limit on the attenuation counts from what was launched."""
    found = []
    for threshold in thresholds.thresholds if thresholds else ():
        weakest = threshold.comparison is (Comparison.AT_LEAST if threshold.quantity == power else Comparison.AT_MOST)
        if threshold.quantity == power and isinstance(threshold.limit, Dbm) and weakest:
            found.append(threshold.limit)
        elif (
            threshold.quantity == attenuation
            and isinstance(threshold.limit, Db)
            and weakest
            and launch.value is not None
        ):
            found.append(launch.value - threshold.limit)
    return max(found, default=None)


def _outcome(receive: Reading, limit: Dbm | None) -> Outcome | None:
    if limit is None:
        return None
    if receive.value is None:
        return Outcome.UNDETERMINED
    return Outcome.PASS if receive.value >= limit else Outcome.FAIL


def power(reading: Reading, *, unit: bool = True) -> str:
    """A power with two decimals, or why there is none."""
    if reading.value is not None:
        return f"{reading.value.value:.2f}" + (" dBm" if unit else "")
    return _WHY.get(reading.absence, "absent") if reading.absence else "absent"


class Levels:
    """The level diagram of one reading; as wide as its place, readable without colours."""

    def __init__(self, reading: OpticalReading, thresholds: ThresholdSet | None = None) -> None:
        self.directions = directions(reading, thresholds)
        self.judged = thresholds is not None

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(20, options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        glyphs, width = glyphs_for(options), options.max_width
        scale = _Scale(width)
        for direction in self.directions:
            yield from self._words(direction, glyphs, wide=width >= _TWO_COLUMNS)
            yield scale.bar(direction, glyphs)
        yield scale.axis()
        yield self._legend(glyphs)

    @staticmethod
    def _words(direction: Direction, glyphs: Glyphs, *, wide: bool) -> Sequence[Text]:
        style = direction.style
        loss = "no attenuation" if direction.loss is None else f"{direction.loss.value:.2f} dB"
        launched = Text.assemble((f"{direction.launch_name} ", "dim"), (f"{power(direction.launch):>10}", "bold"))
        received = Text.assemble(
            (f"{direction.receive_name} ", "dim"), (f"{power(direction.receive):>10}", f"bold {style}")
        )
        word = "" if direction.loss is None else "attenuation "
        if wide:
            return (
                Text.assemble(
                    (f"{direction.name:<12}", style), launched, f"  {glyphs.arrow}  ", received,
                    (f"    {word}", "dim"), (loss, "bold"),
                ),
            )  # fmt: skip
        return (
            Text.assemble((f"{direction.name}  ", style), (word, "dim"), (loss, "bold")),
            Text.assemble(launched, f" {glyphs.arrow} ", received),
        )

    def _legend(self, glyphs: Glyphs) -> Text:
        parts = [f"{glyphs.launch} launched", f"{glyphs.receive} received"]
        limits = [
            f"{glyphs.limit} {d.receive_name} limit {d.limit.value:g} dBm"
            for d in self.directions
            if d.limit is not None
        ]
        if self.judged and len(limits) < len(self.directions):
            limits += [f"{d.receive_name} is not judged" for d in self.directions if d.limit is None]
        return Text("   ".join(parts + limits), style="dim")


class _Scale:
    """Powers to columns: strong on the left, weak on the right, as light goes."""

    def __init__(self, width: int) -> None:
        self.width = max(width, 12)

    def column(self, value: float) -> int:
        share = (_TOP_DBM - value) / (_TOP_DBM - _BOTTOM_DBM)
        return min(self.width - 1, max(0, round(share * (self.width - 1))))

    def bar(self, direction: Direction, glyphs: Glyphs) -> Text:
        signs = [(glyphs.track, "bright_black")] * self.width
        start = None if direction.launch.value is None else self.column(direction.launch.value.value)
        end = None if direction.receive.value is None else self.column(direction.receive.value.value)
        limit = None if direction.limit is None else self.column(direction.limit.value)
        style = direction.style
        if start is not None and end is not None:
            for column in range(start, end):
                signs[column] = (glyphs.fibre, style)
        if limit is not None:
            if end is not None and end < limit:
                for column in range(end + 1, limit):
                    signs[column] = (glyphs.spare, style)
            if end is not None and direction.outcome is Outcome.FAIL:
                # beyond the limit the line is drawn with another sign: seen in black and white, too
                for column in range(max(limit + 1, start or 0), end):
                    signs[column] = (glyphs.missed, style)
            signs[limit] = (glyphs.limit, "bold")
        if start is not None:
            signs[start] = (glyphs.launch, f"bold {style}")
        if end is not None:
            if end == limit:
                # one column for both: the side of the limit on which the light arrives must stay visible
                end += 1 if direction.outcome is Outcome.FAIL else -1
            signs[min(max(end, 0), self.width - 1)] = (glyphs.receive, f"bold {style}")
        return Text.assemble(*signs)

    def axis(self) -> Text:
        step = 5 if self.width >= 60 else 15
        line = [" "] * self.width
        # the unit takes the place of the last label
        line[-3:] = "dBm"
        for value in range(int(_TOP_DBM), int(_BOTTOM_DBM), -step):
            label = f"{value:+d}" if value else "0"
            begin = min(max(self.column(value) - (len(label) - 1) // 2, 0), self.width - 4 - len(label))
            line[begin : begin + len(label)] = label
        return Text("".join(line), style="bright_black")
