"""The parts of a passive plant and what each loses.

Every number carries its ``source`` and its ``status``: ``seen`` in a published text, ``derived`` from seen numbers by
arithmetic, ``recalled`` from memory and unverified. Losses are positive ``Db``.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ponprobe.errors import ConfigError
from ponprobe.models._base import Value
from ponprobe.models.optical import Db

Status = Literal["seen", "derived", "recalled"]
PonSystem = Literal["gpon", "xg-pon", "xgs-pon", "epon", "10g-epon"]

_Nanometres = Annotated[int, Field(ge=800, le=1700)]


class Interval(Value):
    """A loss known to lie between two bounds in dB and nothing more: a rectangular distribution."""

    lowest_db: Db
    highest_db: Db
    source: str
    status: Status

    @model_validator(mode="after")
    def _is_a_loss(self) -> Interval:
        if self.lowest_db < Db(0):
            raise ValueError(f"lowest_db is {self.lowest_db}: no passive part amplifies, write a loss as positive")
        if self.highest_db < self.lowest_db:
            raise ValueError(f"highest_db {self.highest_db} is below lowest_db {self.lowest_db}: exchange them")
        return self

    @property
    def mean_db(self) -> Db:
        """The middle of the interval."""
        return Db((self.lowest_db.value + self.highest_db.value) / 2)

    @property
    def half_width_db(self) -> Db:
        """Half of the interval; the standard uncertainty is this over the root of three."""
        return Db((self.highest_db.value - self.lowest_db.value) / 2)


class SplitterLoss(Value):
    """Insertion loss of an even 1:``ratio`` splitter without connectors, as data sheets state it.

    ``max_db`` is the highest loss of any output, ``uniformity_db`` the spread between the outputs, so an output loses
    between ``max_db - uniformity_db`` and ``max_db``.
    """

    ratio: Annotated[int, Field(ge=2, le=1024)]
    max_db: Db
    uniformity_db: Db
    source: str
    status: Status
    uniformity_source: str
    uniformity_status: Status

    @model_validator(mode="after")
    def _obeys_theory(self) -> SplitterLoss:
        theory = 10 * math.log10(self.ratio)
        if self.max_db.value < theory:
            raise ValueError(f"max_db {self.max_db} of a 1:{self.ratio} is less than {theory:.2f} dB, its theory")
        if not Db(0) <= self.uniformity_db <= self.max_db:
            raise ValueError(f"uniformity_db {self.uniformity_db} of a 1:{self.ratio} is not between 0 and its maximum")
        return self

    @property
    def interval(self) -> Interval:
        """Between the best and the worst output."""
        both = f"{self.source}; uniformity: {self.uniformity_source}"
        weakest: Status = "recalled" if "recalled" in {self.status, self.uniformity_status} else "derived"
        return Interval(lowest_db=self.max_db - self.uniformity_db, highest_db=self.max_db, source=both, status=weakest)


class FibreLoss(Value):
    """Loss of laid fibre in dB per km at one wavelength in nm, fusion splices included."""

    wavelength_nm: _Nanometres
    per_km: Interval


class PonWavelengths(Value):
    """The wavelengths of a PON system in nm: the one computed with, and the band that the system allows."""

    system: PonSystem
    down_nm: _Nanometres
    up_nm: _Nanometres
    down_band_nm: tuple[int, int]
    up_band_nm: tuple[int, int]
    source: str
    status: Status

    @model_validator(mode="after")
    def _inside_the_band(self) -> PonWavelengths:
        for nm, (low, high) in ((self.down_nm, self.down_band_nm), (self.up_nm, self.up_band_nm)):
            if not low <= nm <= high:
                raise ValueError(f"{nm} nm of {self.system} is outside its own band {low}..{high} nm")
        return self


class ComponentTable(Value):
    """What every part of a plant loses. ``id`` is printed wherever a figure was computed from this table."""

    id: str = Field(min_length=1)
    splitters: tuple[SplitterLoss, ...] = Field(min_length=1)
    fibre: tuple[FibreLoss, ...] = Field(min_length=1)
    connector: Interval
    mechanical_splice: Interval
    wavelengths: tuple[PonWavelengths, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_answer_each(self) -> ComponentTable:
        for what, keys in (
            ("splitter 1:", [str(each.ratio) for each in self.splitters]),
            ("fibre at nm ", [str(each.wavelength_nm) for each in self.fibre]),
            ("system ", [str(each.system) for each in self.wavelengths]),
        ):
            twice = sorted({key for key in keys if keys.count(key) > 1})
            if twice:
                raise ValueError(f"{what}{', '.join(twice)} stands in the table more than once: keep one row")
        known = {each.wavelength_nm for each in self.fibre}
        for each in self.wavelengths:
            missing = sorted({each.down_nm, each.up_nm} - known)
            if missing:
                raise ValueError(f"{each.system} uses {missing} nm, and the fibre rows do not have it: add a row")
        return self

    def splitter(self, ratio: int) -> SplitterLoss:
        """The row of a 1:``ratio`` splitter; ``ConfigError`` with the known ratios otherwise."""
        for each in self.splitters:
            if each.ratio == ratio:
                return each
        known = ", ".join(f"1:{each.ratio}" for each in sorted(self.splitters, key=lambda row: row.ratio))
        raise ConfigError(
            f"component table {self.id!r} has no 1:{ratio} splitter", hint=f"known: {known}; or add a row"
        )

    def system(self, system: PonSystem) -> PonWavelengths:
        """The wavelengths of a system; ``ConfigError`` with the known systems otherwise."""
        for each in self.wavelengths:
            if each.system == system:
                return each
        known = ", ".join(each.system for each in self.wavelengths)
        raise ConfigError(f"component table {self.id!r} has no system {system!r}", hint=f"known: {known}; or add a row")

    def per_km(self, wavelength_nm: int) -> Interval:
        """Loss of fibre in dB per km; the table has it for every wavelength of its systems, else ``ConfigError``."""
        for each in self.fibre:
            if each.wavelength_nm == wavelength_nm:
                return each.per_km
        known = ", ".join(str(each.wavelength_nm) for each in self.fibre)
        raise ConfigError(f"component table {self.id!r} has no fibre at {wavelength_nm} nm", hint=f"known: {known}")
