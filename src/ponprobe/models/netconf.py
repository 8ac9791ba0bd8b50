"""What an OLT says it can do over NETCONF, and what a vendor or a site does its own way, as data."""

from __future__ import annotations

import re
import string
from typing import Annotated, Literal

from pydantic import Field, field_validator

from ponprobe.models._base import Value

Handler = Literal["standard", "huawei"]
PowerUnit = Literal["0.1 mW", "0.1 uW"]

NAMES = {
    "v_ani": "VANI.{mark}",
    "v_enet": "VENET.{mark}",
    "user": "USER.{mark}",
    "network": "NET.{mark}",
    "tcont": "TCONT.{mark}",
    "gemport": "GEM.{mark}",
    "forwarder": "FWD.{mark}",
}
"""What a test ONU's objects are called if nobody says otherwise. The first four are interfaces, of one list."""
_LONGEST_NAME = 64
"""T-CONTs and GEM ports are ``string-ascii64`` in TR-385; the others are held to the same."""


class NetconfSupport(Value):
    """What was found when the OLT was asked what it speaks; ``missing`` is empty where everything needed is there.

    ``versions`` are the framings of its hello (``1.0``, ``1.1``); ``modules`` those of the needed YANG modules that it
    lists, with their revisions; ``features`` the features of these that a test ONU depends on.
    """

    profile: str
    versions: tuple[str, ...] = ()
    candidate: bool = False
    confirmed_commit: bool = False
    validate_first: bool = False
    writable_running: bool = False
    rollback_on_error: bool = False
    modules: dict[str, str] = Field(default_factory=dict)
    features: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether a test ONU can be read and configured."""
        return not self.missing


class NetconfProfile(Value):
    """How one vendor's devices, or one site's, follow the Broadband Forum models; plain data, from a TOML file.

    ``handler``: what the client says in its hello (``huawei`` adds that vendor's private capabilities).
    ``namespaces`` replaces namespaces by module name, for devices with another revision or an own copy of a module.
    ``port_pattern`` finds frame, slot and port in a channel termination's name. ``names`` are the templates for what we
    create, over ``mark``. ``power_unit`` says what the old ``tx-power``/``rx-power`` leaves count; without it they are
    refused. ``onu_component`` is the name of the hardware component of an ONU, a template over ``v_ani``, ``serial``
    and ``name`` (the v-ani's name without its first part up to ``.``); only for devices that link them in no other way.
    ``uplink`` is the interface towards the network, ``outer_tag`` the type of the SVLAN's tag.
    """

    name: str = "bbf"
    handler: Handler = "standard"
    namespaces: dict[str, str] = Field(default_factory=dict)
    needs_modules: tuple[str, ...] = (
        "bbf-xpon",
        "bbf-xponvani",
        "bbf-xpongemtcont",
        "bbf-sub-interface-tagging",
        "bbf-l2-forwarding",
    )
    port_pattern: str = r"(?P<frame>\d+)\D(?P<slot>\d+)\D(?P<port>\d+)$"
    names: dict[str, str] = Field(default_factory=dict)
    secret_leaves: tuple[str, ...] = ("expected-registration-id", "detected-registration-id", "expected-loid")
    """Leaves whose values no transcript and no error shows: what customers' ONUs register by, too."""
    power_unit: PowerUnit | None = None
    onu_component: str | None = None
    uplink: str | None = None
    outer_tag: Literal["s-vlan", "c-vlan"] = "s-vlan"
    revoke_after_s: Annotated[int, Field(ge=10, le=86400)] | None = None
    """The OLT takes a test ONU away by itself after this time unless we end the test before: a confirmed commit. It
    puts *all* of the running configuration back, changes of other people included, so it is off unless asked for."""

    @field_validator("port_pattern")
    @classmethod
    def _finds_a_port(cls, text: str) -> str:
        try:
            groups = set(re.compile(text).groupindex)
        except re.error as exc:
            raise ValueError(f"{text!r} is not a regular expression: {exc}") from exc
        if groups != {"frame", "slot", "port"}:
            raise ValueError(f"{text!r} must have the groups frame, slot and port")
        return text

    @field_validator("names")
    @classmethod
    def _are_of_one_run(cls, names: dict[str, str]) -> dict[str, str]:
        """A removal goes by these names: one that does not bear the run's mark could be somebody else's."""
        unknown = sorted(set(names) - set(NAMES))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: known are {', '.join(NAMES)}")
        for key, text in names.items():
            if [name for _, name, _, _ in string.Formatter().parse(text) if name is not None] != ["mark"]:
                raise ValueError(f"{key} = {text!r}: {{mark}} must stand in it, and nothing else in braces")
            made = text.format(mark="PONPROBE_00000000")
            if len(made) > _LONGEST_NAME or not (made.isascii() and made.isprintable()):
                raise ValueError(f"{key} = {text!r}: up to {_LONGEST_NAME} characters of ASCII with the mark in it")
        interfaces = [names.get(key, NAMES[key]) for key in ("v_ani", "v_enet", "user", "network")]
        if len(set(interfaces)) < len(interfaces):
            raise ValueError("v_ani, v_enet, user and network are interfaces: no two can have the same name")
        return names

    @field_validator("onu_component")
    @classmethod
    def _known_fields(cls, text: str | None) -> str | None:
        fields = {name for _, name, _, _ in string.Formatter().parse(text or "") if name is not None}
        if fields - {"v_ani", "serial", "name"}:
            raise ValueError(f"{text!r}: only {{v_ani}}, {{serial}} and {{name}} can stand in it")
        return text
