"""What a sweep of whole OLTs gives, one item after the other: every ONU, and what became of every port.

Each item is also one line of JSON (``model_dump_json(by_alias=True)``); ``event`` tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from ponprobe.models._base import Value
from ponprobe.models.addressing import OnuRef, PonPort, Serial
from ponprobe.models.judgement import LinkLoss
from ponprobe.models.optical import Absence, OpticalReading


class _Item(Value):
    schema_version: Literal[1] = Field(default=1, alias="schema")
    olt: str
    host: str


class OltStarted(_Item):
    """An OLT was reached and has said what ports it has: ``ports`` are to be read, ``ports_done`` were read before."""

    event: Literal["olt_started"] = "olt_started"
    ports: int
    ports_done: int = 0
    at: AwareDatetime


class SweepRecord(_Item):
    """One registered ONU: who it is, how it is, its four powers and both losses.

    ``run_state`` and ``last_down_cause`` are the device's words; ``distance_m`` in metres. A field that is ``None`` has
    its reason in ``absent`` (``not_read``: the questions of a sweep do not tell it). ``optical`` has each power with
    its own source and time, or the reason of its absence. ``read_at`` is when the port's answers were all in (UTC).
    """

    event: Literal["onu"] = "onu"
    onu: OnuRef
    serial: Serial | None = None
    mac: str | None = None
    run_state: str | None = None
    distance_m: float | None = None
    last_down_cause: str | None = None
    absent: dict[str, Absence] = Field(default_factory=dict)
    optical: OpticalReading
    loss: LinkLoss
    read_at: AwareDatetime


class PortDone(_Item):
    """A port was read to its end: all of its ``onus`` stand before this item. ``took_s`` in seconds."""

    event: Literal["port_done"] = "port_done"
    port: PonPort
    onus: int
    took_s: float
    at: AwareDatetime


class PortSkipped(_Item):
    """A port that could not be read, and why; no ONU of it was given.

    ``port`` is ``None`` if the OLT could not even be asked what ports it has. ``error_class`` is the name of the error,
    ``error`` its message, ``hint`` what to do next.
    """

    event: Literal["port_skipped"] = "port_skipped"
    port: PonPort | None
    error_class: str
    error: str
    hint: str | None = None
    at: AwareDatetime


SweepItem: TypeAlias = OltStarted | SweepRecord | PortSkipped | PortDone


class SweepSummary(Value):
    """The end of a sweep, and its last line: how much was read, and what was not.

    ``ports_done_before`` were in the file already (``--resume``). ``error`` is what stopped the sweep, if anything did;
    ports that were not read do not stop it.
    """

    schema_version: Literal[1] = Field(default=1, alias="schema")
    event: Literal["finished"] = "finished"
    olts: int
    onus: int
    ports_read: int
    ports_done_before: int
    ports_not_read: int
    started_at: AwareDatetime
    at: AwareDatetime
    exit_code: int | None = None
    error: dict[str, Any] | None = None


class Tally:
    """Counts a sweep as it goes by. Holds nothing but numbers and the ports that were not read."""

    def __init__(self) -> None:
        self.olts: set[str] = set()
        self.onus = self.ports_read = self.ports_done_before = self.ports_expected = 0
        self.skipped: list[PortSkipped] = []

    @property
    def ports_settled(self) -> int:
        """Ports of which it is known what became of them in this sweep."""
        return self.ports_read + sum(each.port is not None for each in self.skipped)

    def watching(self, items: Iterable[SweepItem]) -> Iterator[SweepItem]:
        """Pass everything on and count it."""
        for item in items:
            self.count(item)
            yield item

    def count(self, item: SweepItem) -> None:
        """Count one item."""
        self.olts.add(item.olt)
        if isinstance(item, SweepRecord):
            self.onus += 1
        elif isinstance(item, PortDone):
            self.ports_read += 1
        elif isinstance(item, PortSkipped):
            self.skipped.append(item)
        else:
            self.ports_expected += item.ports
            self.ports_done_before += item.ports_done
