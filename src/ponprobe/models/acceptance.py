"""What is asked for: the activation of one test ONU on one splitter."""

from __future__ import annotations

import hashlib
import re
import secrets
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from ponprobe.errors import ConfigError
from ponprobe.models._base import Value
from ponprobe.models.addressing import OnuAuth, OnuRef, PonPort, Serial, Technology
from ponprobe.models.service import OmciStyle, ProfileRef, ServiceModel, Vlan, VlanStack

MARK_PREFIX = "PONPROBE"
_MARK = re.compile(rf"^{MARK_PREFIX}_[0-9a-f]{{8}}$")
_DEVICE_TEXT = re.compile(r"[A-Za-z0-9_.:/@#+\-]*")


def new_mark() -> str:
    """Make the text that marks an ONU as one run's own: ``PONPROBE_`` and eight random hex digits."""
    return f"{MARK_PREFIX}_{secrets.token_hex(4)}"


class ActivationOrder(Value):
    """Everything needed to bring a test ONU up on one splitter.

    ``splitter`` is free text from engineering data, kept as it is and never sent to a device. ``description`` is sent,
    so it may only hold letters, digits and ``_.:/@#+-`` (up to 40). ``native_vlan`` ``True`` puts the CVLAN on the
    ONU's Ethernet port ``eth_port`` (bridge ONU), ``False`` leaves it alone (router ONU). ``confirm`` takes the ONU out
    of the autofind list instead of adding it by hand.

    A Huawei OLT needs ``line_profile`` and ``service_profile``, a ZTE OLT ``onu_type`` and ``tcont_profile``; what is
    missing is named before anything is asked of the device. ``technology`` is the port's; a MAC names an EPON ONU.
    """

    port: PonPort
    auth: OnuAuth
    technology: Technology = "gpon"
    vlans: VlanStack | None = None
    line_profile: ProfileRef | None = None
    service_profile: ProfileRef | None = None
    onu_type: str | None = None
    tcont_profile: str | None = None
    omci_style: OmciStyle = "service"
    gemport: Annotated[int, Field(ge=0, le=4095)] = 1
    service_model: ServiceModel = "per_onu"
    native_vlan: bool = True
    eth_port: Annotated[int, Field(ge=1, le=32)] = 1
    user_vlan: Vlan | None = None
    inbound_traffic: Annotated[int, Field(ge=0, le=65535)] | None = None
    outbound_traffic: Annotated[int, Field(ge=0, le=65535)] | None = None
    confirm: bool = False
    splitter: str | None = None
    splitter_port: Annotated[int, Field(ge=1, le=256)] | None = None
    description: str = Field(default="", max_length=40)

    @field_validator("onu_type", "tcont_profile")
    @classmethod
    def _a_name(cls, text: str | None) -> str | None:
        if text is not None and not re.fullmatch(r"[A-Za-z0-9_.:/@#+\-]{1,32}", text):
            raise ValueError(f"{text!r}: 1 to 32 letters, digits or _.:/@#+- without blanks")
        return text

    @field_validator("description")
    @classmethod
    def _safe_for_a_device(cls, text: str) -> str:
        if not _DEVICE_TEXT.fullmatch(text):
            bad = sorted({char for char in text if not _DEVICE_TEXT.fullmatch(char)})
            raise ValueError(
                f"the description goes to the device, so {', '.join(map(repr, bad))} cannot stand in it: "
                "use letters, digits and _.:/@#+- (the splitter's name may hold anything)"
            )
        return text

    @model_validator(mode="after")
    def _path_is_whole(self) -> ActivationOrder:
        if self.service_model != "none" and self.vlans is None:
            raise ValueError("a test ONU with a service needs SVLAN and CVLAN (or service_model='none')")
        if (self.inbound_traffic is None) != (self.outbound_traffic is None):
            raise ValueError("traffic tables come as a pair: inbound and outbound")
        if self.confirm and self.auth.serial is None:
            raise ValueError("confirming a discovered ONU needs its serial")
        if self.auth.mac is not None and self.technology != "epon":
            raise ValueError("a MAC identifies an EPON ONU: say technology='epon'")
        if self.technology == "epon" and self.auth.mac is None and self.auth.loid is None:
            raise ValueError("an EPON ONU registers by MAC or by LOID")
        return self

    def needs(self, *names: str) -> None:
        """Raise ``ConfigError`` that names what this family of OLTs needs and the order does not have."""
        missing = [name for name in names if getattr(self, name) is None]
        if missing:
            raise ConfigError(
                f"the order for {self.port} has no {' and no '.join(missing)}, which this family of OLTs needs",
                hint="name " + " and ".join(f"{name} (--{name.replace('_', '-')})" for name in missing),
            )


class Registration(Value):
    """An order with its explicit place: what the driver's ``register`` and ``add_service`` work from.

    ``mark`` is in the ONU's description on the device and proves that the ONU is this run's. ``service_index`` is the
    chosen service-port index where the device wants one. ``marked_later`` says that the device takes the description
    in a line of its own, after the ONU has been created. ``resolved`` holds what the driver looked up on the device
    and will send again (names of existing objects, numbers that are free), under its own keys: registering asks
    nothing more.
    """

    order: ActivationOrder
    onu: OnuRef
    mark: str
    service_index: int | None = None
    marked_later: bool = False
    resolved: dict[str, str] = Field(default_factory=dict)

    @field_validator("mark")
    @classmethod
    def _well_formed(cls, text: str) -> str:
        if not _MARK.match(text):
            raise ValueError(f"{text!r} is not a mark: see new_mark()")
        return text

    @property
    def device_description(self) -> str:
        """What is written on the device: the mark, and the order's description after it."""
        return f"{self.mark}_{self.order.description}" if self.order.description else self.mark

    @property
    def ownership(self) -> Ownership:
        """What proves on the device that the ONU is ours; holds no secret."""
        auth = self.order.auth
        secret = auth.secrets[0] if self.marked_later and auth.serial is None and auth.secrets else None
        return Ownership(
            onu=self.onu,
            mark=self.mark,
            serial=auth.serial,
            mac=auth.mac,
            technology=self.order.technology,
            marked_later=self.marked_later,
            secret_digest=_digest(self.mark, secret) if secret is not None else None,
        )


@lru_cache(maxsize=16)
def _digest(mark: str, secret: str) -> str:
    """Make a password or LOID comparable and nothing else: slow to guess, and salted with the run's own mark."""
    return hashlib.scrypt(secret.encode(), salt=mark.encode(), n=2**13, r=8, p=1, dklen=16).hex()


class Ownership(Value):
    """The proof that an ONU on a device is ours: its place, our mark in its description, and its serial where known.

    This is what the journal keeps, so it holds no password and no LOID, only a salted digest of the one that the ONU
    registers by. An ONU that was ``marked_later`` may stand there without its mark, if the session ended between the
    two lines: then its identity must prove that it is ours.
    """

    onu: OnuRef
    mark: str
    serial: Serial | None = None
    mac: str | None = None
    technology: Technology = "gpon"
    marked_later: bool = False
    secret_digest: str | None = None

    def matches(
        self, *, description: str | None, serial: Serial | None, mac: str | None = None, secret: str | None = None
    ) -> bool:
        """Whether an ONU found at our place is ours: the mark stands in its description and the serial agrees.

        Only an ONU that was to be marked later may have no description (``None``, empty): then the serial, the MAC or
        the secret that the device shows must be ours. One with another description never is.
        """
        if not (_agree(self.serial, serial) and _agree(self.mac, mac)):
            return False
        words = re.split(r"(?<=[0-9a-f]{8})_|\s", description or "", maxsplit=1)
        if words[0] == self.mark:
            return True
        return self.marked_later and not (description or "").strip() and self._identified(serial, mac, secret)

    def _identified(self, serial: Serial | None, mac: str | None, secret: str | None) -> bool:
        if self.serial is not None:
            return serial == self.serial
        if self.mac is not None:
            return mac == self.mac
        return secret is not None and self.secret_digest == _digest(self.mark, secret)


def _agree(ours: object, found: object) -> bool:
    """Whether two identities do not contradict each other; one that is not known contradicts nothing."""
    return ours is None or found is None or ours == found


class CreatedOnu(Value):
    """An ONU that a write creates."""

    kind: Literal["onu"] = "onu"
    owner: Ownership

    def __str__(self) -> str:
        return f"ONU {self.owner.onu}"


class CreatedServicePort(Value):
    """A service port that a write creates on our ONU."""

    kind: Literal["service_port"] = "service_port"
    owner: Ownership
    index: int
    vlans: VlanStack

    def __str__(self) -> str:
        return f"service port {self.index} ({self.vlans}) on ONU {self.owner.onu}"


Created = CreatedOnu | CreatedServicePort


class Residue(Value):
    """Something that stands on a device where nothing of ours should be. ``ours`` says whether we created it."""

    what: str
    ours: bool
    where: str
