"""Scenarios: a YAML file says what OLTs there are, what is behind them, and how they misbehave.

``Scenario.load`` reads a file or the name of a packaged scenario; an error names the file and the field.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ponprobe.emulator.faults import Mangle
from ponprobe.emulator.huawei import PERSONALITIES as HUAWEI
from ponprobe.emulator.huawei import Personality as HuaweiPersonality
from ponprobe.emulator.netconf.settings import NetconfSpec
from ponprobe.emulator.plant import OPTICS, SPLITTER_DB, FaultKind
from ponprobe.emulator.records import Technology, mac_serial
from ponprobe.emulator.snmp import SnmpUser
from ponprobe.emulator.snmp.usm import AuthProtocol, PrivProtocol
from ponprobe.emulator.zte import PERSONALITIES as ZTE
from ponprobe.emulator.zte import Personality as ZtePersonality
from ponprobe.models.addressing import PonPort, Serial


class ScenarioError(ValueError):
    """A scenario that cannot be used; the message names the file and each field."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


Mac = Annotated[str, Field(pattern=r"^[0-9a-f]{4}(-[0-9a-f]{4}){2}$")]
Vlan = Annotated[int, Field(ge=1, le=4094)]


class BoardSpec(_Part):
    """A board in a slot; ``ports`` 0 for one without PON ports. ``real_name``: where displays print both."""

    name: str
    status: str = "Normal"
    ports: Annotated[int, Field(ge=0, le=16)] = 0
    technology: Technology = "gpon"
    real_name: str | None = None
    uplinks: Annotated[int, Field(ge=0, le=16)] = 0


class FaultSpec(_Part):
    """Damage on the fibre before a splitter."""

    kind: FaultKind
    loss_db: Annotated[float, Field(ge=0)] = 0.0


class SplitterSpec(_Part):
    """A splitter; ``km`` of fibre and ``connectors`` before it, ``fed_by`` the splitter before it."""

    name: str
    ratio: int
    km: Annotated[float, Field(ge=0, le=60)]
    connectors: Annotated[int, Field(ge=0, le=20)] = 2
    fed_by: str | None = None
    faults: list[FaultSpec] = []

    @field_validator("ratio")
    @classmethod
    def _known_ratio(cls, ratio: int) -> int:
        if ratio not in SPLITTER_DB:
            raise ValueError(f"a splitter is 1:{', 1:'.join(map(str, SPLITTER_DB))}, not 1:{ratio}")
        return ratio


class _Identified(_Part):
    """``mac`` in place of ``serial``: an EPON ONU."""

    @model_validator(mode="before")
    @classmethod
    def _mac_identifies(cls, data: Any) -> Any:
        if isinstance(data, dict) and "mac" in data:
            return {**{key: value for key, value in data.items() if key != "mac"}, "serial": mac_serial(data["mac"])}
        return data


class OntSpec(_Identified):
    """An ONU that is plugged in. Biases in dB (``None``: drawn from the seed); times in seconds."""

    serial: Serial
    splitter: str
    drop_km: float = 0.05
    password: str | None = None
    loid: str | None = None
    checkcode: str | None = None
    model: str = "HG8546M"
    version: str = "10C7.A"
    software: str = "V5R019C10S125"
    tx_dbm: float = 2.2
    rx_bias_db: float | None = None
    tx_bias_db: float | None = None
    router: bool = False
    macs: tuple[Mac, ...] = ()
    online_after_s: float | None = None
    config_after_s: float = 0.0
    autofind_after_s: float = 0.0
    ddm: Literal["normal", "absent"] = "normal"


class ServiceSpec(_Part):
    """A service port of a registered ONU, or of the whole port."""

    index: Annotated[int, Field(ge=0, le=131_071)]
    vlan: Vlan
    user_vlan: Vlan | str
    gem: int | None = 1
    transform: str = "translate"
    inner_vlan: Vlan | None = None
    inbound: int | None = None
    outbound: int | None = None


class ProvisionSpec(_Part):
    """One service of an ONU that has no profiles: T-CONT, GEM port, service port and the ONU's side, all number 1."""

    tcont_profile: str | None = None
    cvlan: Vlan
    svlan: Vlan | None = None
    uni: str = "eth_0/1"


class OnuSpec(_Identified):
    """A registered ONU; ``plugged`` says that the real one is there too (its serial is taken from here)."""

    id: Annotated[int, Field(ge=0, le=128)]
    serial: Serial | None = None
    password: str | None = None
    loid: str | None = None
    checkcode: str | None = None
    line_profile: int = 0
    service_profile: int = 0
    onu_type: str | None = None
    name: str = ""
    description: str = ""
    service: ProvisionSpec | None = None
    native_vlan: Vlan | None = None
    last_down_cause: str | None = None
    plugged: dict[str, Any] | None = None
    services: list[ServiceSpec] = []

    @model_validator(mode="after")
    def _plugged_is_an_onu(self) -> OnuSpec:
        if self.plugged is not None:
            self.plugged_ont()
        return self

    def plugged_ont(self) -> OntSpec:
        """The real ONU behind this entry: it has been online for long, so nothing waits."""
        carried = {"serial": self.serial, "password": self.password, "loid": self.loid, "checkcode": self.checkcode}
        return OntSpec.model_validate({**carried, "online_after_s": 0.0, **(self.plugged or {})})


class QinqSpec(_Part):
    """An outer tag for a range of customers' VLANs of a PON port."""

    cvlans: tuple[Vlan, Vlan]
    svlan: Vlan
    cos: Annotated[int, Field(ge=0, le=7)] | None = None


class PortSpec(_Part):
    """A PON port: optics, splitter tree, ONUs. ``olt_tx_dbm`` ``None``: typical of the class."""

    optics: str = "B+"
    olt_tx_dbm: float | None = None
    laser_on: bool = True
    tx_bias_db: float | None = None
    rx_bias_db: float | None = None
    splitters: list[SplitterSpec] = []
    onus: list[OnuSpec] = []
    onts: list[OntSpec] = []
    shared_services: list[ServiceSpec] = []
    smart_qinq: list[QinqSpec] = []

    @field_validator("optics")
    @classmethod
    def _known_class(cls, text: str) -> str:
        if text not in OPTICS:
            raise ValueError(f"optics class {text!r}: one of {', '.join(OPTICS)}")
        return text

    @model_validator(mode="after")
    def _tree_holds(self) -> PortSpec:
        names = [splitter.name for splitter in self.splitters]
        for splitter in self.splitters:
            if splitter.fed_by is not None and splitter.fed_by not in names[: names.index(splitter.name)]:
                raise ValueError(
                    f"splitter {splitter.name!r} is fed by {splitter.fed_by!r}, which does not stand before it"
                )
        for used in [ont.splitter for ont in self.onts] + [
            str(onu.plugged.get("splitter")) for onu in self.onus if onu.plugged is not None
        ]:
            if used not in names:
                raise ValueError(f"an ONU is plugged into splitter {used!r}, which this port does not have")
        return self


class GemSpec(_Part):
    """A GEM port of a line profile."""

    tcont: int = 1
    vlans: tuple[Vlan, ...] = ()


class LineProfileSpec(_Part):
    """A line profile."""

    name: str
    tconts: dict[int, int] = {0: 1, 1: 10}
    gems: dict[int, GemSpec] = {}


class ServiceProfileSpec(_Part):
    """A service profile; ``None`` is adaptive."""

    name: str
    eth: int | None = 4
    pots: int | None = 0


class VlanSpec(_Part):
    """A VLAN."""

    attribute: Literal["common", "QinQ", "stacking"] = "common"
    description: str = ""
    uplinks: int = 1


class FaultsSpec(_Part):
    """Misbehaviour from the start; see :class:`ponprobe.emulator.Faults`."""

    delay_s: float = 0.0
    cut_before: int | None = None
    cut_after: int | None = None
    silent_after: int | None = None
    garbage_after: int | None = None
    busy: int = 0
    alarm_before: set[int] = set()
    alarm_every: int = 0
    alarm_eats: bool = False
    alarm_heeds_infoswitch: bool = False
    reenter_limit: int | None = None
    locked_users: set[str] = set()
    password_notice: bool | None = None
    pager: bool = True
    terminal_length_ignored: bool = False
    snmp_drop_every: Annotated[int, Field(ge=0)] = 0
    snmp_delay_s: Annotated[float, Field(ge=0)] = 0.0
    snmp_slow_columns_s: Annotated[float, Field(ge=0)] = 0.0
    snmp_max_repetitions: Annotated[int, Field(ge=1)] | None = None
    snmp_getnext_only: bool = False
    snmp_mangle: Mangle | None = None
    snmp_mangle_every: Annotated[int, Field(ge=1)] = 1
    snmp_no_such: set[Annotated[str, Field(pattern=r"^\.?1(\.\d+)*$")]] = set()


class SnmpUserSpec(_Part):
    """An SNMPv3 user; without ``auth`` it says only its name, without ``priv`` all can be read on the way."""

    user: str
    auth: AuthProtocol | None = None
    auth_key: str = ""
    priv: PrivProtocol | None = None
    priv_key: str = ""

    @model_validator(mode="after")
    def _keys_fit(self) -> SnmpUserSpec:
        self.built()
        return self

    def built(self) -> SnmpUser:
        """The user as the agent knows it."""
        return SnmpUser(**self.model_dump())


class SnmpSpec(_Part):
    """The SNMP agent of an OLT: read-only, v2c by ``community``, v3 by ``v3``."""

    enable: bool = True
    community: str = "emulated"
    v3: list[SnmpUserSpec] = [
        SnmpUserSpec(user="probe", auth="sha1", auth_key="emulated-auth", priv="aes128", priv_key="emulated-priv"),
    ]


class OnuTypeSpec(_Part):
    """A type that ONUs are registered as."""

    technology: Technology = "gpon"
    description: str = ""
    eth: Annotated[int, Field(ge=0, le=24)] = 4
    veip: bool = True


class TcontProfileSpec(_Part):
    """A T-CONT profile; bandwidths in kbit/s."""

    type: Annotated[int, Field(ge=1, le=5)] = 4
    fixed: int = 0
    assured: int = 0
    maximum: int = 1_000_000


class OltSpec(_Part):
    """One OLT. ``online_after_s``: default for its ONUs. ``enable_password``: where it is not the login's.

    ``netconf``: off unless asked for, as on most OLTs; ``true`` or a block of settings.
    """

    name: str
    personality: Literal["ma5683t_r015", "ma5800_r022", "c300_v12", "c320_v21", "c600_titan"]
    hostname: str
    crypto: Literal["modern", "old"] = "modern"
    username: str = "probe"
    password: str = "emulated"  # noqa: S105 - of a device that exists on loopback only
    enable_password: str | None = None
    reenter_limit: int = 4
    zone_h: float = 3.0
    slots: int = 13
    save_s: float = 0.2
    online_after_s: float = 0.2
    service_index_from: int = 0
    boards: dict[int, BoardSpec]
    vlans: dict[Vlan, VlanSpec] = {}
    line_profiles: dict[int, LineProfileSpec] = {}
    service_profiles: dict[int, ServiceProfileSpec] = {}
    onu_types: dict[str, OnuTypeSpec] = {}
    tcont_profiles: dict[str, TcontProfileSpec] = {}
    traffic_tables: set[int] = set(range(64))
    ports: dict[str, PortSpec] = {}
    snmp: SnmpSpec = SnmpSpec()
    netconf: NetconfSpec = NetconfSpec(enable=False)
    faults: FaultsSpec = FaultsSpec()

    @field_validator("ports", mode="before")
    @classmethod
    def _ports_by_name(cls, value: Any) -> Any:
        return (
            {str(PonPort.parse(str(name))): port for name, port in value.items()} if isinstance(value, dict) else value
        )

    @property
    def model(self) -> HuaweiPersonality | ZtePersonality:
        """The personality itself."""
        return ZTE[self.personality] if self.personality in ZTE else HUAWEI[self.personality]

    @model_validator(mode="after")
    def _ports_exist(self) -> OltSpec:
        first = self.model.first_port
        for port in map(PonPort.parse, self.ports):
            board = self.boards.get(port.slot)
            here = port.frame == self.model.frame and board is not None
            if not here or board is None or not first <= port.port < first + board.ports:
                raise ValueError(f"port {port} is on no board of this OLT")
        return self


class Scenario(_Part):
    """All OLTs of a lab. The same ``seed`` gives the same biases and noise."""

    seed: int = 1
    olts: list[OltSpec] = Field(min_length=1)

    @classmethod
    def parse(cls, text: str, *, source: str = "scenario") -> Scenario:
        """Read YAML text; raises :class:`ScenarioError`."""
        try:
            return cls.model_validate(yaml.safe_load(text))
        except yaml.YAMLError as exc:
            raise ScenarioError(f"{source}: not YAML: {exc}") from exc
        except ValidationError as exc:
            wrong = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'top'}: {each['msg']}" for each in exc.errors())
            raise ScenarioError(f"{source}: {wrong}") from exc

    @classmethod
    def load(cls, source: str | Path | Scenario) -> Scenario:
        """Take a scenario, read a file, or find a packaged scenario by name (``demo_huawei``)."""
        if isinstance(source, Scenario):
            return source
        if isinstance(source, str) and source in builtin_names():
            return builtin_scenario(source)
        path = Path(source)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as exc:
            raise ScenarioError(
                f"{source}: no such file and no packaged scenario (there is {', '.join(builtin_names())})"
            ) from exc
        return cls.parse(text, source=str(source))


def builtin_names() -> list[str]:
    """The packaged scenarios."""
    folder = resources.files("ponprobe.emulator") / "scenarios"
    return sorted(each.name.removesuffix(".yaml") for each in folder.iterdir() if each.name.endswith(".yaml"))


def builtin_scenario(name: str) -> Scenario:
    """One packaged scenario, as a value of its own that may be changed; ``ScenarioError`` for an unknown name."""
    if name not in builtin_names():
        raise ScenarioError(f"{name!r} is no packaged scenario: there is {', '.join(builtin_names())}")
    text = (resources.files("ponprobe.emulator") / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8")
    return Scenario.parse(text, source=name)
