"""Settings, inventory and secret references.

Where a value comes from, first found wins: keyword, environment (``PONPROBE_SAMPLES=5``), ``ponprobe.toml``, default.
The file is the one that ``PONPROBE_CONFIG`` names, else ``ponprobe.toml`` in the working directory or in
``~/.config/ponprobe``::

    [settings]
    samples = 3

    [olts.lab]
    host = "192.0.2.10"
    platform = "huawei_smartax"
    username = "acceptance"
    password = "env:LAB_PASSWORD"

    [olts.lab.snmp]
    community = "env:LAB_COMMUNITY"

Secrets are references (``env:NAME``, ``file:PATH``, ``ask:``); a plain password in a file is refused.
"""

from __future__ import annotations

import getpass
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator

from ponprobe.errors import ConfigError, SecretMissing
from ponprobe.models._base import Value

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ENVIRONMENT_PREFIX = "PONPROBE_"
Seconds = Annotated[float, Field(gt=0, le=86400)]


def _state_dir() -> Path:
    """Where programs keep state that should survive a restart (XDG base directories)."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "ponprobe"


class Settings(Value):
    """How ponprobe behaves; times in seconds.

    ``journal`` is a path (SQLite) or a SQLAlchemy URL. ``host_keys``: ``strict``, ``accept-new`` or ``pin:SHA256:...``.
    ``session_wait_s``: how long to wait for a free session or for another writer; ``session_retry_s``: how long between
    logins when the user's session limit is reached; ``busy_wait_s``: patience with a busy device;
    ``removal_wait_s``: how long a removal is tried again over lost sessions before it counts as residue. ``routes``:
    the roads on which questions go, best first (``snmp`` and ``netconf`` count where they are configured); changes take
    the command line, unless ``[olts.NAME.netconf]`` says otherwise.
    ``store``, ``actor``, ``role`` and ``evidence`` are the acceptance process's: where it is kept (path, URL; else the
    journal's database), who acts in it and as what, and the folder of original photos (else beside a SQLite store).
    """

    journal: str = Field(default_factory=lambda: str(_state_dir() / "journal.sqlite3"))
    known_hosts: Path = Field(default_factory=lambda: _state_dir() / "known_hosts")
    host_keys: Annotated[str, Field(pattern=r"^(strict|accept-new|pin:SHA256:[A-Za-z0-9+/]{43}=?)$")] = "accept-new"
    connect_timeout_s: Seconds = 15.0
    reply_timeout_s: Seconds = 30.0
    session_wait_s: Seconds = 180.0
    session_retry_s: Seconds = 60.0
    busy_wait_s: Seconds = 60.0
    removal_wait_s: Seconds = 120.0
    online_timeout_s: Seconds = 180.0
    samples: Annotated[int, Field(ge=1, le=100)] = 3
    routes: Annotated[tuple[Literal["snmp", "netconf", "cli"], ...], Field(min_length=1, max_length=3)] = (
        "snmp",
        "netconf",
        "cli",
    )
    store: Annotated[str, Field(min_length=1)] | None = None
    actor: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    role: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    evidence: Path | None = None

    @field_validator("store", "actor", "role", "evidence", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        # PONPROBE_ACTOR= in a scheduler's environment means that nobody is named there
        return None if value == "" else value

    @field_validator("routes", mode="before")
    @classmethod
    def _from_words(cls, value: Any) -> Any:
        words = re.split(r"[\s,]+", value.strip()) if isinstance(value, str) else value
        if isinstance(words, (list, tuple)) and len(set(words)) < len(words):
            raise ValueError("names a road twice")
        return words


def _a_reference(value: Any) -> Any:
    if isinstance(value, str) and not is_secret_reference(value):
        # the message must not hold the value: it is a secret
        raise ValueError("a secret stands here in plain text: write env:NAME, file:PATH or ask:")
    return value


SecretReference = Annotated[SecretStr, BeforeValidator(_a_reference)]
"""A ``SecretStr`` made from a reference; from a file it is nothing else."""


class SnmpEntry(Value):
    """How to ask an OLT by SNMP, reading only; ``[olts.NAME.snmp]``.

    ``community`` is for version 2c, the rest for version 3. ``backend``: ``auto`` takes gufo-snmp if it is installed.
    ``timeout_s`` is the patience with one answer that the OLT has at hand (what it fetches from ONUs gets three times
    as long), ``retries`` the further attempts; unset, both are the device family's.
    """

    version: Literal["2c", "3"] = "2c"
    port: Annotated[int, Field(ge=1, le=65535)] = 161
    community: SecretReference | None = None
    user: str | None = None
    auth_protocol: Literal["none", "md5", "sha1", "sha224", "sha256", "sha384", "sha512"] = "none"
    auth_key: SecretReference | None = None
    priv_protocol: Literal["none", "des", "aes128", "aes192", "aes256", "aes192c", "aes256c"] = "none"
    priv_key: SecretReference | None = None
    context: str = ""
    backend: Literal["auto", "pysnmp", "gufo"] = "auto"
    timeout_s: Seconds | None = None
    retries: Annotated[int, Field(ge=0, le=20)] | None = None

    def secret(self, name: Literal["community", "auth_key", "priv_key"], host: str) -> SecretStr | None:
        """One of the secrets itself, read now; ``SecretMissing`` if its reference leads nowhere."""
        reference: SecretStr | None = getattr(self, name)
        return None if reference is None else resolve(reference, f"the SNMP {name.replace('_', ' ')} of {host}")


class NetconfEntry(Value):
    """How to reach an OLT by NETCONF; ``[olts.NAME.netconf]``.

    ``username`` and ``password`` default to those of the command line. ``changes`` registers test ONUs by NETCONF, as
    one transaction each; without it NETCONF is only read. ``profile`` is a built-in name or the path of a TOML file
    that says how the vendor follows the models; ``uplink``, ``outer_tag`` and ``revoke_after_s`` are this site's own
    words for the same keys there. ``revoke_after_s`` lets the OLT take a test ONU away by itself after that time - and
    with it every change that anybody else made meanwhile, so it is off unless it is given.
    """

    port: Annotated[int, Field(ge=1, le=65535)] = 830
    username: str | None = None
    password: SecretReference | None = None
    changes: bool = False
    profile: str = "bbf"
    uplink: str | None = None
    outer_tag: Literal["s-vlan", "c-vlan"] | None = None
    revoke_after_s: Annotated[int, Field(ge=10, le=86400)] | None = None
    host_keys: str | None = None
    timeout_s: Seconds | None = None

    @model_validator(mode="after")
    def _user_with_password(self) -> NetconfEntry:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        return self


class OltEntry(Value):
    """One OLT of the inventory: where it is, how to reach it, which driver it takes."""

    name: str = ""
    host: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9.:_%-]*$")]
    platform: str
    access: Literal["ssh", "telnet"] = "ssh"
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    username: str | None = None
    password: SecretReference | None = None
    enable_password: SecretReference | None = None
    host_keys: str | None = None
    snmp: SnmpEntry | None = None
    netconf: NetconfEntry | None = None

    @model_validator(mode="after")
    def _has_a_road(self) -> OltEntry:
        own_user = self.netconf is not None and self.netconf.username is not None
        if self.snmp is None and not own_user and (self.username is None or self.password is None):
            missing = "username" if self.username is None else "password"
            raise ValueError(f"{missing} is missing (an OLT that is only read needs [olts.NAME.snmp] instead)")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        return self

    def shown(self) -> dict[str, Any]:
        """What people may see: an inventory holds references, which say where a secret is and never what it is."""
        return {name: _shown(value) for name, value in self.model_dump().items()}

    @property
    def secret(self) -> SecretStr:
        """The password itself, read now; ``SecretMissing`` if its reference leads nowhere or there is none."""
        if self.password is None:
            raise SecretMissing(f"{self.host} has no password", hint="set username and password for its command line")
        return resolve(self.password, f"the password of {self.username}@{self.host}")

    @property
    def enable_secret(self) -> SecretStr | None:
        """The password of the privileged view, where the device asks for one."""
        if self.enable_password is None:
            return None
        return resolve(self.enable_password, f"the enable password of {self.username}@{self.host}")


def _shown(value: Any) -> Any:
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        return text if is_secret_reference(text) else str(value)
    return {key: _shown(each) for key, each in value.items()} if isinstance(value, dict) else value


def is_secret_reference(text: str) -> bool:
    """Whether a text says where a secret is, rather than being one."""
    return text.startswith(("env:", "file:")) or text == "ask:"


def resolve(secret: SecretStr | str, what: str) -> SecretStr:
    """Read a secret from where its reference points; a ``SecretStr`` that is no reference is the secret itself.

    Raises ``SecretMissing`` that says which reference led nowhere, and ``ConfigError`` for a plain ``str``.
    """
    text = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
    if not is_secret_reference(text):
        if isinstance(secret, SecretStr):
            return secret
        raise ConfigError(
            f"{what} is plain text", hint="write env:NAME, file:PATH or ask:, or pass a pydantic SecretStr"
        )
    scheme, _, place = text.partition(":")
    if scheme == "env":
        value = os.environ.get(place)
        if not value:
            raise SecretMissing(f"{what}: the environment variable {place!r} is not set", hint=f"export {place}=...")
        return SecretStr(value)
    if scheme == "file":
        try:
            value = Path(place).expanduser().read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as exc:
            raise SecretMissing(f"{what}: {place} cannot be read ({exc})", hint="check path and rights") from exc
        if not value:
            raise SecretMissing(f"{what}: {place} is empty")
        return SecretStr(value)
    if not sys.stdin.isatty():
        raise SecretMissing(f"{what}: there is no terminal to ask at", hint="use env:NAME or file:PATH")
    try:
        return SecretStr(getpass.getpass(f"{what}: "))
    except EOFError as exc:
        raise SecretMissing(f"{what}: nothing was typed", hint="use env:NAME or file:PATH") from exc


class Config(Value):
    """Settings and inventory with the origin of every setting."""

    settings: Settings
    olts: dict[str, OltEntry] = Field(default_factory=dict)
    origins: dict[str, str] = Field(default_factory=dict)
    """Setting name -> ``keyword``, ``environment PONPROBE_X``, the file's path, or ``default``."""
    file: Path | None = None

    def olt(self, name: str) -> OltEntry:
        """Look up an OLT by its inventory name or its host; ``ConfigError`` lists the names."""
        if name in self.olts:
            return self.olts[name]
        for entry in self.olts.values():
            if entry.host == name:
                return entry
        known = ", ".join(sorted(self.olts)) or "none"
        where = self.file or "no ponprobe.toml was found"
        raise ConfigError(
            f"no OLT {name!r} in the inventory ({where}; known: {known})",
            hint="add [olts.NAME] to ponprobe.toml, or give --host, --platform, --username and --password",
        )


def load(path: str | Path | None = None, **keywords: Any) -> Config:
    """Read settings and inventory; ``None`` keywords count as not given. ``ConfigError`` names file, key and reason."""
    file = _find(path)
    document = _read(file) if file else {}
    unknown = set(document) - {"settings", "olts"}
    if unknown:
        raise ConfigError(f"{file}: unknown section [{min(unknown)}]", hint="known are [settings] and [olts.NAME]")
    values: dict[str, Any] = {}
    origins = dict.fromkeys(Settings.model_fields, "default")
    for origin, layer in (
        (str(file), document.get("settings", {})),
        ("environment", _from_environment()),
        ("keyword", {name: value for name, value in keywords.items() if value is not None}),
    ):
        if not isinstance(layer, Mapping):
            raise ConfigError(f"{file}: settings is a table: write [settings]")
        for name, value in layer.items():
            values[name] = value
            origins[name] = f"environment {ENVIRONMENT_PREFIX}{name.upper()}" if origin == "environment" else origin
    try:
        settings = Settings(**values)
    except ValidationError as exc:
        raise _explained(exc, origins) from exc
    return Config(settings=settings, olts=_olts(document.get("olts", {}), file), origins=origins, file=file)


def _find(path: str | Path | None) -> Path | None:
    named = path or os.environ.get(f"{ENVIRONMENT_PREFIX}CONFIG")
    if named:
        file = Path(named).expanduser()
        if not file.is_file():
            raise ConfigError(f"there is no configuration file {file}", hint="check --config or PONPROBE_CONFIG")
        return file
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return next(
        (place for place in (Path("ponprobe.toml"), home / "ponprobe" / "ponprobe.toml") if place.is_file()), None
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = tomllib.loads(file.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"{file} cannot be read: {exc}") from exc
    return document


def _from_environment() -> dict[str, str]:
    found = {}
    for name in Settings.model_fields:
        value = os.environ.get(ENVIRONMENT_PREFIX + name.upper())
        if value is not None:
            found[name] = value
    return found


def _olts(table: Any, file: Path | None) -> dict[str, OltEntry]:
    if not isinstance(table, Mapping):
        raise ConfigError(f"{file}: olts is a table of tables: write [olts.NAME]")
    found = {}
    for name, entry in table.items():
        if not isinstance(entry, Mapping):
            raise ConfigError(f"{file}: olts.{name} is a table: write [olts.{name}]")
        try:
            found[name] = OltEntry(**{**entry, "name": name})
        except ValidationError as exc:
            raise _explained(exc, {}, f"{file}: olts.{name}.") from exc
    return found


def _explained(exc: ValidationError, origins: Mapping[str, str], prefix: str = "") -> ConfigError:
    problems = []
    for problem in exc.errors(include_input=False, include_url=False):
        name = ".".join(map(str, problem["loc"]))
        origin = f" ({origins[name]})" if name in origins else ""
        if problem["type"] == "extra_forbidden":
            problems.append(f"{prefix}{name}{origin} is not a known name")
        else:
            problems.append(f"{prefix}{name}{origin}: {problem['msg'].removeprefix('Value error, ')}")
    return ConfigError("; ".join(problems), hint="ponprobe config show lists every setting")
