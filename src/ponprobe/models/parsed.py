"""What reading one answer of a device gives: records, a refusal, or an error; and what happened around it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SerializeAsAny

from ponprobe.models._base import Value

RefusedClass = Literal[
    "unknown_command",
    "parameter_error",
    "incomplete",
    "ambiguous",
    "too_many_parameters",
    "already_exists",
    "not_found",
    "busy",
    "permission",
    "session_limit",
    "conflict",
    "other",
]

Kind = Literal[
    "facts",
    "boards",
    "discovered",
    "onus",
    "onu_optical",
    "port_optical",
    "service_ports",
    "macs",
    "write",
    "session",
    "config",
    "profiles",
    "vlans",
]


class Refusal(Value):
    """The device said no: the class of the refusal, its decisive line, and the word it pointed at, if any."""

    refused_class: RefusedClass = Field(serialization_alias="class")
    text: str
    word: str | None = None


class Event(Value):
    """Something in the dialogue that is not the answer: prompt, pager, smart_prompt, confirm, alarm, warning."""

    type: Literal["prompt", "pager", "smart_prompt", "confirm", "alarm", "warning"]
    text: str


class WriteOutcome(Value):
    """The answer to a change: ``text`` is the decisive line, empty where the device keeps silent."""

    outcome: Literal["ok", "refused"]
    onu: str | None = None
    index: int | None = None
    text: str = ""


class Parsed(Value):
    """One answer, read."""

    kind: Kind
    records: tuple[SerializeAsAny[Value], ...] = ()
    refused: Refusal | None = None
    events: tuple[Event, ...] = ()
    incomplete: bool = False
    """The text stops before the answer does: there may be more records, and fields may be missing as ``garbled``."""
