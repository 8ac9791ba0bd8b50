"""The glass between an OLT port and its ONUs: what each wavelength loses on the way, and what DDM shows of it."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Literal

from ponprobe.emulator.records import Technology

SPLITTER_DB = {2: 3.4, 4: 7.0, 8: 10.2, 16: 13.2, 32: 16.4, 64: 20.5, 128: 23.75}
"""Insertion loss of an even splitter by ratio: the usual maximum less half its uniformity."""
FIBRE_DB_PER_KM = {1310: 0.36, 1490: 0.25}
"""Middle of the usual ranges, splices included; GPON goes down at 1490 nm and up at 1310 nm."""
CONNECTOR_DB = 0.3
DOWN_NM, UP_NM = 1490, 1310

OPTICS = {
    "B+": {"olt_tx_dbm": 3.4, "olt_sensitivity_dbm": -28.0},
    "C+": {"olt_tx_dbm": 5.0, "olt_sensitivity_dbm": -32.0},
    "C++": {"olt_tx_dbm": 7.7, "olt_sensitivity_dbm": -35.0},
    "PX20+": {"olt_tx_dbm": 4.5, "olt_sensitivity_dbm": -30.0},
}
"""Typical launch power and sensitivity of a port by class (ITU-T G.984.2, IEEE 802.3 ranges)."""

FaultKind = Literal["dirty", "bend", "splice", "break"]


@dataclass(frozen=True)
class PlantFault:
    """Something wrong on the way to a splitter: loss in dB at 1310 nm; a bend loses half as much again at 1490 nm."""

    kind: FaultKind
    loss_db: float = 0.0

    def loss(self, nm: int) -> float:
        """Loss at a wavelength; a break is infinite."""
        if self.kind == "break":
            return math.inf
        return self.loss_db * (1.5 if self.kind == "bend" and nm == DOWN_NM else 1.0)


@dataclass
class Splitter:
    """A splitter and the fibre that feeds it; ``fed_by`` names the splitter before it (``None``: the OLT)."""

    name: str
    ratio: int
    km: float
    connectors: int = 2
    fed_by: str | None = None
    faults: list[PlantFault] = field(default_factory=list)


@dataclass
class PortPlant:
    """One PON port: its optics and its splitter tree. ``bias`` is what its DDM reads wrong, in dB."""

    optics: str = "B+"
    olt_tx_dbm: float = 3.4
    laser_on: bool = True
    technology: Technology = "gpon"
    tx_bias_db: float = 0.0
    rx_bias_db: float = 0.0
    feeder_faults: list[PlantFault] = field(default_factory=list)
    splitters: dict[str, Splitter] = field(default_factory=dict)

    @property
    def sensitivity_dbm(self) -> float:
        """What the port's receiver needs at least."""
        return OPTICS[self.optics]["olt_sensitivity_dbm"]

    def chain(self, name: str) -> list[Splitter]:
        """The splitters between the OLT and the outputs of ``name``; ``KeyError`` names an unknown one."""
        found: list[Splitter] = []
        following: str | None = name
        while following is not None:
            splitter = self.splitters[following]
            found.append(splitter)
            following = splitter.fed_by
        return found[::-1]

    def loss_db(self, splitter: str, nm: int, *, drop_km: float = 0.0) -> float:
        """From the OLT to the end of a drop fibre at the splitter, in dB at a wavelength in nm."""
        total = drop_km * FIBRE_DB_PER_KM[nm] + sum(fault.loss(nm) for fault in self.feeder_faults)
        for part in self.chain(splitter):
            total += SPLITTER_DB[part.ratio] + part.km * FIBRE_DB_PER_KM[nm] + part.connectors * CONNECTOR_DB
            total += sum(fault.loss(nm) for fault in part.faults)
        return total

    def length_m(self, splitter: str, *, drop_km: float = 0.0) -> int:
        """Fibre length in metres."""
        return round(1000 * (drop_km + sum(part.km for part in self.chain(splitter))))


@dataclass
class Powers:
    """The four true powers of a link in dBm; ``-inf`` is darkness."""

    olt_tx: float
    onu_rx: float
    onu_tx: float
    olt_rx: float


class Ddm:
    """What digital diagnostics show of a true power: a fixed bias, a little noise, and quantisation."""

    def __init__(self, seed: int, noise_db: float = 0.05, digits: int = 2) -> None:
        self._digits = digits
        self._random = random.Random(seed)  # noqa: S311 - noise, reproducible on purpose
        self._noise_db = noise_db

    def noisy(self, true_dbm: float, bias_db: float) -> float:
        """Add bias and noise (sigma 0.05 dB, at most three of them)."""
        noise = max(-3.0, min(3.0, self._random.gauss(0.0, 1.0))) * self._noise_db
        return true_dbm + bias_db + noise

    def in_steps(self, true_dbm: float, bias_db: float) -> float:
        """An SFF-8472 receiver: steps of 0.1 microwatt, then hundredths (or ``digits``) of a dB cut towards zero."""
        steps = round(10 ** (self.noisy(true_dbm, bias_db) / 10) * 10_000)
        if steps <= 0:
            return -40.0
        scale = int(10**self._digits)
        return math.trunc(round(10 * scale * math.log10(steps / 10_000), 6)) / scale

    def rounded(self, true_dbm: float, bias_db: float) -> float:
        """Rounded to 0.01 dB (or ``digits``)."""
        return round(self.noisy(true_dbm, bias_db), self._digits)


def fixed_bias(seed: int, device: str, what: str, within_db: float = 0.6) -> float:
    """The bias of one device's own DDM, in dB: the same whenever the same seed is used."""
    return round(random.Random(f"{seed}/{device}/{what}").uniform(-within_db, within_db), 3)  # noqa: S311
