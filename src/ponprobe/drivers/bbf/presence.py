"""Which ONUs shine, and in what state: the presence lists of channel terminations and the state of v-anis."""

from __future__ import annotations

from dataclasses import dataclass, field

from ponprobe.drivers.bbf.tree import Element, Names, serial_of
from ponprobe.errors import ParseError
from ponprobe.models.addressing import Serial

INTENDED = "onu-present-and-on-intended-channel-termination"


@dataclass(frozen=True, slots=True)
class Present:
    """One ONU in the presence list of a channel termination. ``state`` is the identity's name without namespace."""

    termination: str
    serial: Serial | None
    state: str
    onu_id: int | None = None
    v_ani: str | None = None
    registration_id: str | None = field(default=None, repr=False)
    since: str | None = None

    @property
    def shines(self) -> bool:
        """Whether the OLT gets light from it (``onu-not-present...`` stands there for one that has gone)."""
        return not self.state.startswith("onu-not-present")

    @property
    def unknown(self) -> bool:
        """Whether the OLT says that no v-ani is configured for it."""
        return "-no-v-ani-known" in self.state


@dataclass(frozen=True, slots=True)
class VAniState:
    """What the OLT tells of a configured ONU; ``distance_m`` in metres."""

    name: str
    onu_id: int | None = None
    state: str | None = None
    here: bool = False
    termination: str | None = None
    distance_m: int | None = None
    serial: Serial | None = None


def present(data: Element, names: Names) -> list[Present]:
    """Every entry of every presence list in a reply."""
    found = []
    lists = "bbf-xpon:channel-termination/bbf-xpon-onu-state:onus-present-on-local-channel-termination/onu"
    module = "bbf-xpon-onu-state"
    for interface in names.all(data, "ietf-interfaces:interfaces-state/interface"):
        termination = names.text(interface, "ietf-interfaces:name") or ""
        for onu in names.all(interface, lists):
            text = names.text(onu, f"{module}:detected-serial-number")
            state = names.identity(onu, f"{module}:onu-presence-state")
            if text is None or state is None:
                raise ParseError(f"an ONU on {termination} without serial or state", template=lists)
            found.append(
                Present(
                    termination=termination,
                    serial=serial_of(text),
                    state=state.rpartition("}")[2],
                    onu_id=names.number(onu, f"{module}:onu-id"),
                    v_ani=names.text(onu, f"{module}:v-ani-ref"),
                    registration_id=names.text(onu, f"{module}:detected-registration-id"),
                    since=names.text(onu, f"{module}:onu-detected-datetime"),
                )
            )
    return found


def v_ani_states(data: Element, names: Names) -> dict[str, VAniState]:
    """The state of every v-ani in a reply, by its name."""
    found = {}
    module = "bbf-xponvani"
    for interface in names.all(data, "ietf-interfaces:interfaces-state/interface"):
        v_ani = names.one(interface, f"{module}:v-ani")
        name = names.text(interface, "ietf-interfaces:name")
        if v_ani is None or name is None:
            continue
        state = names.identity(v_ani, f"{module}:onu-presence-state")
        here = f"{module}:onu-present-on-this-olt"
        found[name] = VAniState(
            name=name,
            onu_id=names.number(v_ani, f"{module}:onu-id"),
            state=None if state is None else state.rpartition("}")[2],
            here=names.one(v_ani, here) is not None,
            termination=names.text(v_ani, f"{here}/onu-present-on-this-channel-termination"),
            distance_m=names.number(v_ani, f"{here}/onu-fiber-distance"),
            serial=serial_of(names.text(v_ani, f"{here}/detected-serial-number")),
        )
    return found


def run_state(state: str) -> str:
    """The word for a presence state: ``online``, ``offline``, or what else the identity says, without hyphens."""
    if state == INTENDED:
        return "online"
    if state.startswith("onu-not-present"):
        return "offline"
    return state.removeprefix("onu-").replace("-", " ")
