"""VLANs, service ports, profiles: what is configured for an ONU."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ponprobe.models._base import Value
from ponprobe.models.addressing import OnuRef, PonPort
from ponprobe.models.optical import Absence

Vlan = Annotated[int, Field(ge=1, le=4094)]


class VlanStack(Value):
    """The two tags of a subscriber line: SVLAN outer, CVLAN inner, each 1 to 4094 (IEEE 802.1Q)."""

    svlan: Vlan
    cvlan: Vlan

    def __str__(self) -> str:
        return f"S{self.svlan}/C{self.cvlan}"


class ServicePort(Value):
    """A configured service flow as the device shows it. ``onu`` is ``None`` where the flow is shared by a port's ONUs.

    ``cvlan`` is the user VLAN where the flow type is a VLAN; ``inner_vlan`` what it becomes under the SVLAN, where the
    device prints it; ``port`` the PON port; ``vport`` the ONU's logical port that carries the flow, where there is one.
    """

    index: int | None = None
    svlan: int | None = None
    cvlan: int | None = None
    inner_vlan: int | None = None
    port: PonPort | None = None
    onu: OnuRef | None = None
    vport: int | None = None
    gemport: int | None = None
    state: str | None = None
    tag_transform: str | None = None
    flow_type: str | None = None
    absent: dict[str, Absence] = Field(default_factory=dict)


class Profile(Value):
    """A line or service profile as the device shows it: its GEM ports, and the ONUs that use it where it tells."""

    id: int | None = None
    name: str | None = None
    gemports: tuple[int, ...] = ()
    tconts: tuple[int, ...] = ()
    bindings: int | None = None


class ProfileRef(Value):
    """A line or service profile that exists on the device, by id or by name (one of them)."""

    id: Annotated[int, Field(ge=0, le=65535)] | None = None
    name: str | None = None

    @model_validator(mode="after")
    def _one(self) -> ProfileRef:
        if (self.id is None) == (self.name is None):
            raise ValueError("a profile is named by its id or by its name")
        if self.name is not None and not re.fullmatch(r"[A-Za-z0-9_.:/@#+\-]{1,33}", self.name):
            raise ValueError(f"profile name {self.name!r}: 1 to 33 letters, digits or _.:/@#+- without blanks")
        return self

    @classmethod
    def parse(cls, text: str | int | ProfileRef) -> ProfileRef:
        """Digits are an id, anything else a name."""
        if isinstance(text, ProfileRef):
            return text
        if isinstance(text, int) or text.isdigit():
            return cls(id=int(text))
        return cls(name=text)

    def __str__(self) -> str:
        return f"id {self.id}" if self.id is not None else f"name {self.name}"


OmciStyle = Literal["service", "flow"]
"""How a ZTE OLT tells the ONU about its VLAN: ``service N gemport G``, which most ONUs take, or ``flow``, which some
third-party ONUs need."""

ServiceModel = Literal["per_onu", "shared", "none"]
"""``per_onu``: a service port of its own for the test ONU; ``shared``: the PON port has one service port for all ONUs,
which is never touched; ``none``: no VLAN path is configured, only optics are wanted."""
