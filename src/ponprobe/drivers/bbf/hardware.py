"""Transceivers and what they read, and which of them belongs to which ONU.

TR-383 reports a power as dBm (``power-dbm``), as milliwatts (``power-milliwatts``, both since its amendment 6 of 2023),
or in the leaves of before, ``tx-power`` and ``rx-power``. These are said to count tenths of a milliwatt, in which every
power below -10 dBm is 0, while their thresholds count tenths of a microwatt as SFF-8472 does: what a device means by
them is its vendor's secret, so they are read only where a profile tells.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from ponprobe.drivers.bbf.tree import Element, Names, serial_of
from ponprobe.errors import ParseError
from ponprobe.models.addressing import Serial
from ponprobe.models.netconf import PowerUnit
from ponprobe.models.optical import Absence, Dbm, Reading

_LOWEST, _HIGHEST = -40.0, 20.0
"""The powers that TR-383's own type allows (``power-dbm``), in dBm; applied to every leaf."""
_MILLIWATTS: dict[PowerUnit, float] = {"0.1 mW": 0.1, "0.1 uW": 0.0001}
_NOT_SAID = {"undetermined", "unknown"}


@dataclass(frozen=True, slots=True)
class Power:
    """One power as a device printed it, in dBm where it is one."""

    value: Dbm | None
    absence: Absence | None
    leaf: str
    printed: str | None = None

    def reading(self, source: str, at: datetime) -> Reading:
        """The reading, with where it was found."""
        return Reading(value=self.value, absence=self.absence, source=source, at=at, printed=self.printed)


@dataclass(frozen=True, slots=True)
class Rssi:
    """What the OLT gets from one ONU: its serial as detected, the v-ani if the OLT names it."""

    serial: Serial | None
    v_ani: str | None
    power: Power


@dataclass(frozen=True, slots=True)
class Component:
    """A hardware component; ``kind`` is its class without namespace, powers and the rest only for transceivers."""

    name: str
    kind: str | None = None
    parent: str | None = None
    position: int | None = None
    serial: str | None = None
    model: str | None = None
    software: str | None = None
    status: str | None = None
    is_link: bool = False
    transmit: Power | None = None
    receive: Power | None = None
    rssi: tuple[Rssi, ...] = ()
    bias_ma: float | None = None
    temperature_c: float | None = None
    voltage_v: float | None = None

    @property
    def live(self) -> bool:
        """Whether it reads light that comes in."""
        return self.receive is not None and self.receive.value is not None

    def completed(self, other: Component) -> Component:
        """This one, with what only the other knows."""
        known = {each.name: getattr(other, each.name) for each in fields(self) if getattr(self, each.name) is None}
        return replace(self, **known)


@dataclass(slots=True)
class Hardware:
    """Components by name."""

    components: dict[str, Component] = field(default_factory=dict)

    def ancestors(self, name: str | None) -> Iterable[Component]:
        """A component and all above it, as far as the device tells."""
        seen: set[str] = set()
        while name is not None and name not in seen and name in self.components:
            seen.add(name)
            yield self.components[name]
            name = self.components[name].parent

    def settle(self) -> None:
        """Give links what the modules read that they are in."""
        for link in [each for each in self.components.values() if each.is_link]:
            for module in self.ancestors(link.parent):
                if module.temperature_c is not None or module.voltage_v is not None:
                    self.components[link.name] = replace(
                        link, temperature_c=module.temperature_c, voltage_v=module.voltage_v
                    )
                    break

    def links_of_serial(self, serial: Serial) -> list[Component]:
        """Transceiver links in the box with this serial."""
        return [
            link
            for link in self.components.values()
            if link.is_link and any(serial_of(above.serial) == serial for above in self.ancestors(link.name))
        ]


def hardware(data: Element, names: Names, unit: PowerUnit | None) -> Hardware:
    """Read the components in a reply."""
    found = Hardware()
    for each in names.all(data, "ietf-hardware:hardware/component"):
        component = _component(each, names, unit)
        found.components[component.name] = component
    found.settle()
    return found


def _component(each: Element, names: Names, unit: PowerUnit | None) -> Component:
    module = "ietf-hardware"
    kind = names.identity(each, f"{module}:class")
    link = names.one(each, "bbf-hardware-transceivers:transceiver-link")
    module_reads = "bbf-hardware-transceivers:transceiver/diagnostics"
    temperature = names.number(each, f"{module_reads}/temperature")
    voltage = names.number(each, f"{module_reads}/supply-voltage")
    what: dict[str, object] = {}
    diagnostics = None if link is None else names.one(link, "bbf-hardware-transceivers:diagnostics")
    if diagnostics is not None:
        what = _diagnostics(diagnostics, names, unit)
    return Component(
        name=names.text(each, f"{module}:name") or "",
        kind=None if kind is None else kind.rpartition("}")[2],
        parent=names.text(each, f"{module}:parent"),
        position=names.number(each, f"{module}:parent-rel-pos"),
        serial=names.text(each, f"{module}:serial-num"),
        model=names.text(each, f"{module}:model-name"),
        software=names.text(each, f"{module}:software-rev"),
        status=names.text(each, f"{module}:state/oper-state"),
        is_link=link is not None,
        # thousandths of a degree, tenths of a millivolt
        temperature_c=None if temperature is None else temperature / 1000,
        voltage_v=None if voltage is None else voltage / 10000,
        **what,  # type: ignore[arg-type] # the fields of a transceiver, each of its own type
    )


def _diagnostics(top: Element, names: Names, unit: PowerUnit | None) -> dict[str, object]:
    module = "bbf-hardware-transceivers"
    xpon = "bbf-hardware-transceivers-xpon"
    bias = names.number(top, f"{module}:tx-bias")
    return {
        "transmit": _power(top, names, "transmit", "tx-power", unit),
        "receive": _power(top, names, "receive", "rx-power", unit),
        "rssi": tuple(
            Rssi(
                serial=serial_of(names.text(each, f"{xpon}:detected-serial-number")),
                v_ani=names.text(each, f"{xpon}:v-ani-ref"),
                power=_tenths(names.text(each, f"{xpon}:rssi")),
            )
            for each in names.all(top, f"{xpon}:rssi-onu")
        ),
        "bias_ma": None if bias is None else bias / 1000,  # microamperes
    }


def _power(top: Element, names: Names, leaf: str, old_leaf: str, unit: PowerUnit | None) -> Power | None:
    """One power, from the leaf with the clearest unit that the device has."""
    module = "bbf-hardware-transceivers"
    text = names.text(top, f"{module}:power-dbm/{leaf}")
    if text is not None:
        return _dbm(text, f"power-dbm/{leaf}")
    text = names.text(top, f"{module}:power-milliwatts/{leaf}")
    if text is not None:
        return _milliwatts(text, 1.0, f"power-milliwatts/{leaf}")
    text = names.text(top, f"{module}:{old_leaf}")
    if text is None:
        return None
    if unit is None:
        why = f"{text} in {old_leaf}, which counts tenths of a milliwatt or of a microwatt: the profile must say which"
        return Power(None, Absence.UNSUPPORTED, old_leaf, printed=why)
    return _milliwatts(text, _MILLIWATTS[unit], f"{old_leaf} in {unit}")


def _tenths(text: str | None) -> Power:
    """An ``rssi`` leaf: tenths of a dBm."""
    if text is None:
        return Power(None, Absence.NOT_REPORTED, "rssi-onu/rssi")
    return _dbm(text, "rssi-onu/rssi", tenths=True)


def _dbm(text: str, leaf: str, *, tenths: bool = False) -> Power:
    if text in _NOT_SAID:
        return Power(None, Absence.NOT_REPORTED, leaf, printed=text)
    value = _number(text, leaf) / (10 if tenths else 1)
    if not _LOWEST <= value <= _HIGHEST:
        return Power(None, Absence.OUT_OF_RANGE, leaf, printed=f"{text}{' tenths of a' if tenths else ''} dBm")
    return Power(Dbm(value), None, leaf)


def _milliwatts(text: str, milliwatts: float, leaf: str) -> Power:
    if text in _NOT_SAID:
        return Power(None, Absence.NOT_REPORTED, leaf, printed=text)
    power = _number(text, leaf) * milliwatts
    if power < 0:
        return Power(None, Absence.OUT_OF_RANGE, leaf, printed=text)
    if power == 0:
        return Power(None, Absence.NO_SIGNAL, leaf, printed=text)
    value = round(10 * math.log10(power), 2)
    if not _LOWEST <= value <= _HIGHEST:
        return Power(None, Absence.OUT_OF_RANGE, leaf, printed=text)
    return Power(Dbm(value), None, leaf, printed=f"{power:g} mW")


def _number(text: str, leaf: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ParseError(f"{leaf}: {text!r} is no power", template=leaf, text=text)
    return value
