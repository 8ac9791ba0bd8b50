"""Where something is and who it is: PON ports, ONUs, serials, passwords, LOIDs.

Vendors spell the same port differently; every spelling parses to one value and prints back in each spelling.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import core_schema

from ponprobe.models._base import Value

Spelling = Literal["plain", "huawei", "zte_zxan", "zte_titan"]

_PORT = r"(?P<frame>\d{1,2})\s*/\s*(?P<slot>\d{1,2})\s*[/ ]\s*(?P<port>\d{1,3})"
_PREFIX = r"(?:(?P<tech>[gx]g?s?-?pon|gpon|epon|pon)(?:[-_](?P<kind>olt|onu))?[-_ ]\s*)?"
_PORT_FORM = re.compile(rf"^\s*{_PREFIX}{_PORT}\s*$", re.IGNORECASE)
_ONU_FORM = re.compile(rf"^\s*{_PREFIX}{_PORT}\s*(?::|\s)\s*(?P<onu>\d{{1,4}})\s*$", re.IGNORECASE)


class PonPort(Value):
    """A PON port: frame (ZTE: shelf), slot, port. ``str()`` gives ``0/1/3``."""

    frame: Annotated[int, Field(ge=0, le=99)]
    slot: Annotated[int, Field(ge=0, le=99)]
    port: Annotated[int, Field(ge=0, le=255)]

    @classmethod
    def parse(cls, text: str | PonPort) -> PonPort:
        """Read any vendor's spelling: ``0/1/3``, ``0/ 1/3``, ``gpon 0/1 3``, ``gpon-olt_1/2/3``, ``gpon_olt-1/2/3``.

        Raises ``ValueError`` that names the text.
        """
        if isinstance(text, PonPort):
            return text
        match = _PORT_FORM.match(text)
        if match is None:
            raise ValueError(f"{text!r} is not a PON port: write frame/slot/port such as 0/1/3")
        return cls(frame=int(match["frame"]), slot=int(match["slot"]), port=int(match["port"]))

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: Any) -> Any:
        if isinstance(data, str):
            port = cls.parse(data)
            return {"frame": port.frame, "slot": port.slot, "port": port.port}
        return data

    def spelled(self, spelling: Spelling, technology: str = "gpon") -> str:
        """Print in a vendor's form; ``technology`` is ``gpon`` or ``epon``."""
        f, s, p = self.frame, self.slot, self.port
        match spelling:
            case "huawei":
                return f"{technology} {f}/{s} {p}"
            case "zte_zxan":
                return f"{technology}-olt_{f}/{s}/{p}"
            case "zte_titan":
                return f"{technology}_olt-{f}/{s}/{p}"
            case _:
                return str(self)

    def onu(self, onu_id: int) -> OnuRef:
        """Name the ONU with this ID on this port."""
        return OnuRef(port=self, onu_id=onu_id)

    @model_serializer(when_used="json")
    def _as_text(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return f"{self.frame}/{self.slot}/{self.port}"

    def __repr__(self) -> str:
        return f"PonPort({self})"


class OnuRef(Value):
    """An ONU's place: its PON port and its ID there. ``str()`` gives ``0/1/3:7``."""

    port: PonPort
    onu_id: Annotated[int, Field(ge=0, le=1023)]

    @classmethod
    def parse(cls, text: str | OnuRef) -> OnuRef:
        """Read ``0/1/3:7``, ``gpon-onu_1/2/3:7``, ``gpon_onu-1/2/3:7`` or ``0/1/3 7``; else ``ValueError``."""
        if isinstance(text, OnuRef):
            return text
        match = _ONU_FORM.match(text)
        if match is None:
            raise ValueError(f"{text!r} is not an ONU: write frame/slot/port:id such as 0/1/3:7")
        port = PonPort(frame=int(match["frame"]), slot=int(match["slot"]), port=int(match["port"]))
        return cls(port=port, onu_id=int(match["onu"]))

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: Any) -> Any:
        if isinstance(data, str):
            ref = cls.parse(data)
            return {"port": ref.port, "onu_id": ref.onu_id}
        return data

    def spelled(self, spelling: Spelling, technology: str = "gpon") -> str:
        """Print in a vendor's form."""
        match spelling:
            case "huawei":
                return f"{self.port.spelled('huawei', technology)} {self.onu_id}"
            case "zte_zxan" | "zte_titan":
                return f"{self.port.spelled(spelling, technology).replace('olt', 'onu', 1)}:{self.onu_id}"
            case _:
                return str(self)

    @model_serializer(when_used="json")
    def _as_text(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return f"{self.port}:{self.onu_id}"

    def __repr__(self) -> str:
        return f"OnuRef({self})"


class Serial:
    """A GPON serial number: four vendor characters and eight hex digits (ITU-T G.984.3), ``HWTC0B086EA9``.

    Reads ``HWTC0B086EA9``, ``HWTC-0B086EA9``, ``485754430B086EA9`` and Huawei's ``485754430B086EA9 (HWTC-0B086EA9)``.
    A serial whose vendor bytes are no printable letters or digits keeps its 16 hex digits as text. Anything else
    raises ``ValueError``.
    """

    __slots__ = ("text",)
    text: str

    _VENDOR_FORM = re.compile(r"^([A-Za-z0-9]{4})-?([0-9A-Fa-f]{8})$")
    _HEX_FORM = re.compile(r"^([0-9A-Fa-f]{16})$")

    def __init__(self, text: str | Serial) -> None:
        object.__setattr__(self, "text", text.text if isinstance(text, Serial) else self._canonical(text))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Serial does not change")

    @classmethod
    def _canonical(cls, text: str) -> str:
        if not isinstance(text, str):
            raise TypeError(f"a serial is text, not {type(text).__name__}")
        bare = re.sub(r"\s*\([^)]*\)\s*$", "", text.strip().strip('"'))
        if match := cls._HEX_FORM.match(bare):
            vendor = bytes.fromhex(match[1][:8])
            if all(chr(byte).isalnum() and byte < 128 for byte in vendor):
                return vendor.decode("ascii").upper() + match[1][8:].upper()
            return match[1].upper()
        if match := cls._VENDOR_FORM.match(bare):
            return (match[1] + match[2]).upper()
        raise ValueError(
            f"{text!r} is not an ONU serial: write four vendor letters and eight hex digits (HWTC0B086EA9), "
            "or 16 hex digits"
        )

    @property
    def hex16(self) -> str:
        """The 16-hex-digit form, which every Huawei version accepts."""
        if len(self.text) == 16:
            return self.text
        return self.text[:4].encode("ascii").hex().upper() + self.text[4:]

    @property
    def vendor_id(self) -> str:
        """The four vendor characters, or the eight hex digits where they are not printable."""
        return self.text[:4] if len(self.text) == 12 else self.text[:8]

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Serial({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Serial) and other.text == self.text

    def __hash__(self) -> int:
        return hash(("Serial", self.text))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls(value),
            serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        del schema, handler
        return {
            "type": "string",
            "title": "Serial",
            "description": "Vendor code of four characters and eight hex digits; sixteen hex digits are read, too.",
            "examples": ["HWTC0B086EA9"],
        }


def _device_token(value: SecretStr, what: str, longest: int) -> SecretStr:
    """Refuse what a command line would split, complete or interpret; never show the value."""
    text = value.get_secret_value()
    if not 1 <= len(text) <= longest:
        raise ValueError(f"{what} must have 1 to {longest} characters, not {len(text)}")
    if not re.fullmatch(r"[!#-&(-+\--:<->@-_a-{}~]+", text):
        raise ValueError(f"{what} may hold printable ASCII only, without blanks, quotes, '?', ',', ';', '`' or '|'")
    return value


class Password(Value):
    """An ONU's registration password, 1 to 10 characters (ITU-T G.984.3 PLOAM password). Never printed."""

    value: SecretStr

    @field_validator("value")
    @classmethod
    def _checked(cls, value: SecretStr) -> SecretStr:
        return _device_token(value, "an ONU password", 10)

    def __str__(self) -> str:
        return "***"


class Loid(Value):
    """A logical ONU ID (China Telecom/Mobile profile), up to 24 characters, with an optional checkcode up to 12."""

    value: SecretStr
    checkcode: SecretStr | None = None

    @field_validator("value")
    @classmethod
    def _checked(cls, value: SecretStr) -> SecretStr:
        return _device_token(value, "a LOID", 24)

    @field_validator("checkcode")
    @classmethod
    def _checked_code(cls, value: SecretStr | None) -> SecretStr | None:
        return value if value is None else _device_token(value, "a checkcode", 12)

    def __str__(self) -> str:
        return "***"


Technology = Literal["gpon", "epon"]


class OnuAuth(Value):
    """How the test ONU proves itself to the OLT: serial, password, serial and password, LOID (with checkcode), or MAC.

    An EPON ONU has no serial: it registers by its MAC address, ``aa:bb:cc:dd:ee:ff`` or dotted, or by LOID.
    """

    serial: Serial | None = None
    password: Password | None = None
    loid: Loid | None = None
    mac: str | None = None

    @field_validator("mac")
    @classmethod
    def _mac(cls, text: str | None) -> str | None:
        if text is None:
            return None
        digits = re.sub(r"[-.:]", "", text.strip()).lower()
        if not re.fullmatch(r"[0-9a-f]{12}", digits):
            raise ValueError(f"{text!r} is not a MAC address: write aa:bb:cc:dd:ee:ff or aabb.ccdd.eeff")
        return ":".join(digits[i : i + 2] for i in range(0, 12, 2))

    @model_validator(mode="after")
    def _one_way(self) -> OnuAuth:
        if self.mac is not None:
            if self.serial is not None or self.password is not None or self.loid is not None:
                raise ValueError("an EPON ONU registers by MAC or by LOID, and by nothing beside it")
            return self
        if self.loid is not None and (self.serial is not None or self.password is not None):
            raise ValueError("an ONU registers by LOID or by serial/password, not by both")
        if self.loid is None and self.serial is None and self.password is None:
            raise ValueError("name a serial, a password, a LOID or (EPON) a MAC for the test ONU")
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must never be shown."""
        found = [self.password.value] if self.password else []
        if self.loid:
            found += [self.loid.value] + ([self.loid.checkcode] if self.loid.checkcode else [])
        return tuple(secret.get_secret_value() for secret in found)

    def __str__(self) -> str:
        parts = [str(self.serial)] if self.serial else []
        parts += ["password ***"] if self.password else []
        parts += ["LOID ***"] if self.loid else []
        parts += [f"MAC {self.mac}"] if self.mac else []
        return " + ".join(parts)
