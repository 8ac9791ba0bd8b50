"""Optical classes as data: what transmitters launch, what receivers take, and what an ODN may lose between them.

Each range has its own source and status, because a class is never known from one place. What is not known is ``None``;
nothing is filled in. The alarm limits that devices print are not class limits and are not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import Field, model_validator

from ponprobe.errors import ConfigError
from ponprobe.models._base import Value
from ponprobe.models.components import PonSystem, Status
from ponprobe.models.optical import POWERS, Db, Dbm


class PowerRange(Value):
    """A range of power in dBm; of a receiver from sensitivity to overload. An open end is not known."""

    lowest: Dbm | None = None
    highest: Dbm | None = None
    source: str
    status: Status

    @model_validator(mode="after")
    def _is_a_range(self) -> PowerRange:
        if self.lowest is None and self.highest is None:
            raise ValueError("a range needs at least one end")
        if self.lowest is not None and self.highest is not None and self.lowest > self.highest:
            raise ValueError(f"{self.lowest} is above {self.highest}: exchange them")
        return self


class LossRange(Value):
    """The loss in dB that an ODN must have at least (or the receiver overloads) and may have at most."""

    lowest: Db
    highest: Db
    source: str
    status: Status


class OpticalClass(Value):
    """One class of PON optics."""

    id: str = Field(min_length=1)
    name: str
    systems: tuple[PonSystem, ...] = Field(min_length=1)
    olt_tx: PowerRange | None = None
    olt_rx: PowerRange | None = None
    onu_tx: PowerRange | None = None
    onu_rx: PowerRange | None = None
    odn_loss: LossRange | None = None

    def power(self, name: str) -> PowerRange | None:
        """The range of one of the four powers, ``olt_tx_dbm`` and so on."""
        if name not in POWERS:
            raise ValueError(f"{name!r} is not one of {', '.join(POWERS)}")
        found: PowerRange | None = getattr(self, name.removesuffix("_dbm"))
        return found


_G984 = "ITU-T G.984.2 (2019) as restated by VeEX, FX120 ODN classes"
_G984_AMD1 = f"{_G984}; ITU-T G.984.2 Amd. 1 as restated by searchtelecom.techtarget.com"
_XGS = "VeEX FX120 and FX80 ODN classes; fibergateway manual"
_LOSS = "ODN loss classes, ad-net.com.tw"
_PX20 = "xyx234.com optical budget guide"
_PX20_PLUS = "txrjy.com, question 599"


def _power(low: float | None, high: float | None, source: str, status: Status = "seen") -> PowerRange:
    return PowerRange(
        lowest=None if low is None else Dbm(low),
        highest=None if high is None else Dbm(high),
        source=source,
        status=status,
    )


def _loss(low: float, high: float, source: str = _LOSS) -> LossRange:
    return LossRange(lowest=Db(low), highest=Db(high), source=source, status="seen")


def _xg(name: str, low: float, high: float) -> OpticalClass:
    # the power levels that were found are those of XGS-PON, so an XG-PON class has its loss range only
    return OpticalClass(
        id=f"xg_{name.lower()}", name=f"XG-PON class {name}", systems=("xg-pon",), odn_loss=_loss(low, high)
    )


def _xgs(
    name: str, loss: tuple[float, float], olt_tx: tuple[float, float], olt_rx: tuple[float, float] | None
) -> OpticalClass:
    return OpticalClass(
        id=f"xgs_{name.lower()}",
        name=f"XGS-PON class {name}",
        systems=("xgs-pon",),
        olt_tx=_power(*olt_tx, _XGS),
        olt_rx=None if olt_rx is None else _power(*olt_rx, _XGS),
        onu_tx=_power(4, 9, _XGS),
        onu_rx=_power(-28, -9, _XGS),
        odn_loss=_loss(*loss),
    )


_CLASSES: Mapping[str, OpticalClass] = MappingProxyType(
    {
        known.id: known
        for known in (
            OpticalClass(
                id="gpon_b_plus",
                name="GPON class B+",
                systems=("gpon",),
                olt_tx=_power(1.5, 5, _G984_AMD1),
                olt_rx=_power(-28, -8, _G984_AMD1),
                onu_tx=_power(0.5, 5, _G984_AMD1),
                onu_rx=_power(-27, -8, _G984_AMD1),
                odn_loss=_loss(13, 28, "ITU-T G.984.2 Amd. 1 as restated by searchtelecom.techtarget.com"),
            ),
            OpticalClass(
                id="gpon_c_plus",
                name="GPON class C+",
                systems=("gpon",),
                olt_tx=_power(3, 7, _G984),
                olt_rx=_power(-32, -12, "from memory, unverified", "recalled"),
                onu_tx=_power(0.5, 5, "from memory, unverified", "recalled"),
                onu_rx=_power(-30, -8, _G984),
                odn_loss=_loss(17, 32, "sino-telecom and ascentcomtec class C+ module pages (with FEC)"),
            ),
            _xg("N1", 14, 29),
            _xg("N2", 16, 31),
            _xg("E1", 18, 33),
            _xg("E2", 20, 35),
            _xgs("N1", (14, 29), (2, 5), (-26, -5)),
            _xgs("N2", (16, 31), (4, 7), (-28, -7)),
            _xgs("E1", (18, 33), (6, 9), (-30, -9)),
            _xgs("E2", (20, 35), (8, 11), None),
            OpticalClass(
                id="epon_px20",
                name="EPON PX20",
                systems=("epon",),
                olt_tx=_power(2, 7, _PX20),
                olt_rx=_power(-27, None, _PX20),
                onu_tx=_power(-1, 4, _PX20),
                onu_rx=_power(-24, None, _PX20),
                odn_loss=_loss(10, 24),
            ),
            OpticalClass(
                id="epon_px20_plus",
                name="EPON PX20+",
                systems=("epon",),
                olt_tx=_power(2, 7, _PX20_PLUS),
                olt_rx=_power(-30, -6, _PX20_PLUS),
                onu_tx=_power(0, 4, _PX20_PLUS),
                onu_rx=_power(-26.5, -3, _PX20_PLUS),
            ),
        )
    }
)


def optical_classes() -> Mapping[str, OpticalClass]:
    """The built-in optical classes by id, read-only."""
    return _CLASSES


def optical_class(name: str) -> OpticalClass:
    """The class with this id; ``ConfigError`` with the known ids otherwise."""
    try:
        return _CLASSES[name]
    except KeyError:
        known = ", ".join(sorted(_CLASSES))
        raise ConfigError(f"there is no optical class {name!r}", hint=f"known: {known}") from None
