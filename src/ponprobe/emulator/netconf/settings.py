"""What a scenario says of an OLT's NETCONF server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ponprobe.models.addressing import PonPort

Powers = Literal["dbm", "milliwatts", "old", "old_microwatts"]
OnuHardware = Literal["serial", "link_table", "plain", "none"]
Authentication = Literal["serial-number", "registration-id", "loid", "as-per-v-ani-expected"]
Library = Literal["yang-library", "modules-state"]


class TrafficProfileSpec(BaseModel):
    """A traffic descriptor profile; bandwidths in bit/s."""

    model_config = ConfigDict(extra="forbid")

    fixed: Annotated[int, Field(ge=0)] = 0
    assured: Annotated[int, Field(ge=0)] = 0
    maximum: Annotated[int, Field(ge=0)]


class NetconfSpec(BaseModel):
    """The NETCONF server of an OLT; ``netconf: true`` has every default."""

    model_config = ConfigDict(extra="forbid")

    enable: bool = True
    versions: Annotated[list[Literal["1.0", "1.1"]], Field(min_length=1)] = ["1.0", "1.1"]
    candidate: bool = True
    confirmed_commit: bool = True
    validation: bool = True
    writable_running: bool = True
    rollback_on_error: bool = True
    xpath: bool = True
    get_data: bool = True
    library: list[Library] = ["yang-library", "modules-state"]
    without_modules: set[str] = set()
    without_features: set[str] = set()
    """Modules and features (``feature`` or ``module:feature``) that the library does not list."""
    powers: Powers = "dbm"
    """Which leaves show optical powers. ``old``: the 0.1 mW leaves of before 2023, where every power of a PON is 0 or
    little more; ``old_microwatts``: the same leaves, counted in 0.1 uW as SFF-8472 does."""
    onu_hardware: OnuHardware = "serial"
    """How the hardware of ONUs is shown: a chassis with its serial number; an ANI interface that is linked to the
    v-ani; components without any link; or not at all."""
    operational_config: bool = False
    """Whether ``<get-data>`` shows configuration in the operational datastore as well; a server that no application
    stands behind was seen not to."""
    found_in_get: bool = False
    """Whether ``<get>`` shows all of the components and links that the device made itself, as one without NMDA may;
    a server was seen to give only their state (and so neither class nor parent)."""
    strict_onu_ids: bool = True
    """Refuse a second v-ani with the ID or the serial of another, which the models allow."""
    authentication: Authentication = "serial-number"
    """How channel partitions identify ONUs. A v-ani that lacks what its partition asks for stays without an ONU."""
    authentication_at: dict[str, Authentication] = {}
    """The same for single ports (``0/1/1``)."""
    uplink: str = "UPLINK.0-9-0"
    traffic_profiles: dict[str, TrafficProfileSpec] = {
        "TDP-TEST-1G": TrafficProfileSpec(assured=10_000_000, maximum=1_000_000_000)
    }
    line_profile: int | None = None
    service_profile: int | None = None
    """What an ONU that NETCONF registers has on an OLT with profiles; ``None``: the smallest there is."""
    description: str = ""
    """Stands at every channel termination; ``{port}`` in it is the port."""
    filler: Annotated[int, Field(ge=0)] = 0
    """So many idle interfaces with that description."""
    latency_s: Annotated[float, Field(ge=0)] = 0.0
    """Seconds before each answer."""
    chunk_bytes: Annotated[int, Field(ge=1)] = 4096
    """The size of a chunk (1.1) or of what is sent at once (1.0); it may end inside a character."""
    modules_dir: Path | None = None
    """A folder with the YANG modules; configurations are then validated by libyang's ``yanglint`` as well."""

    @model_validator(mode="before")
    @classmethod
    def _yes_or_no(cls, data: Any) -> Any:
        return {"enable": data} if isinstance(data, bool) else data

    @field_validator("authentication_at")
    @classmethod
    def _ports_by_name(cls, value: dict[str, Authentication]) -> dict[str, Authentication]:
        return {str(PonPort.parse(name)): method for name, method in value.items()}

    @field_validator("description")
    @classmethod
    def _only_the_port_stands_in_it(cls, text: str) -> str:
        try:
            text.format(port="0/1/0")
        except (KeyError, IndexError, ValueError) as exc:
            raise ValueError(f"{text!r}: only {{port}} can stand in it") from exc
        return text

    @model_validator(mode="after")
    def _something_can_be_written(self) -> NetconfSpec:
        if not self.candidate and not self.writable_running:
            raise ValueError("neither candidate nor writable_running: nothing could be configured")
        if self.confirmed_commit and not self.candidate:
            self.confirmed_commit = False
        return self
