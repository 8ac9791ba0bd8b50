"""Emulated OLTs until Ctrl-C: for people on stderr where they are, on stdout the inventory that reaches them."""

from __future__ import annotations

import json
import shlex
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from ponprobe.app.glyphs import plain
from ponprobe.app.outcome import ExitCode
from ponprobe.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    from ponprobe.app.desk import Desk
    from ponprobe.emulator import EmulatedOlt, Lab


def open_lab(scenario: str) -> Lab:
    """Bring the OLTs of a scenario up; ``MissingExtra`` without PyYAML, ``ConfigError`` for a bad scenario."""
    try:
        from ponprobe.emulator import ScenarioError, builtin_names, serve  # noqa: PLC0415 - needs an extra
    except ImportError as exc:
        raise MissingExtra("the emulator", "emulator") from exc
    try:
        return serve(scenario)
    except (ScenarioError, OSError) as exc:
        known = ", ".join(builtin_names())
        raise ConfigError(f"SCENARIO: {exc}", hint=f"name a YAML file or a packaged scenario: {known}") from exc


def serve_until_stopped(desk: Desk, scenario: str) -> ExitCode:
    """Serve a scenario; Ctrl-C or SIGTERM is the normal end."""
    # the signal may come while the addresses are still being printed
    with suppress(KeyboardInterrupt), open_lab(scenario) as lab:
        _tell(desk, scenario, lab)
        # without a limit a main thread in wait() would not be woken by a signal on every system
        while not threading.Event().wait(3600):
            pass
    return ExitCode.DONE


def _tell(desk: Desk, scenario: str, lab: Lab) -> None:
    from ponprobe.app.tables import Listing  # noqa: PLC0415 - rich loads when it is needed

    olts = lab.olts.items()
    desk.data(
        {
            "scenario": scenario,
            "olts": [
                {
                    "name": name,
                    "host": olt.host,
                    "ssh_port": olt.ssh_port,
                    "telnet_port": olt.telnet_port,
                    "netconf_port": olt.netconf_port or None,
                    "username": olt.username,
                    "password_variable": _variable(name),
                    "host_key": olt.host_key_fingerprint,
                }
                for name, olt in olts
            ],
        }
    )
    if not desk.json:
        sys.stdout.write(inventory(lab))
        sys.stdout.flush()
    rows = [(name, olt.host, olt.ssh_port, olt.telnet_port, olt.username, olt.password) for name, olt in olts]
    desk.show(
        Listing(("OLT", "Host", "SSH", "Telnet", "User", "Password"), rows, none="the scenario has no OLT"),
        "\n".join(line for name, olt in olts for line in _exports(name, olt)),
        "Ctrl-C ends the emulation; everything is forgotten then.",
    )


def inventory(lab: Lab) -> str:
    """Return a ponprobe.toml that reaches every OLT of a lab."""
    parts = []
    for name, olt in lab.olts.items():
        fields = {
            "host": olt.host,
            "port": olt.ssh_port,
            "platform": olt.platform,
            "username": olt.username,
            "password": f"env:{_variable(name)}",
            "host_keys": f"pin:{olt.host_key_fingerprint}",
        }
        if olt.enable_password == olt.password:
            fields["enable_password"] = fields["password"]
        # a JSON string or number is also one in TOML
        lines = [f"{key} = {json.dumps(value)}" for key, value in fields.items()]
        if olt.snmp_port:
            lines += [
                f"\n[olts.{name}.snmp]",
                f"port = {olt.snmp_port}",
                f'community = "env:{_variable(name)}_COMMUNITY"',
            ]
        if olt.netconf_port:
            lines += [f"\n[olts.{name}.netconf]", f"port = {olt.netconf_port}"]
        parts.append("\n".join([f"[olts.{name}]", *lines]))
    return "\n\n".join(parts) + "\n"


def _exports(name: str, olt: EmulatedOlt) -> list[str]:
    """The lines that put an emulated OLT's passwords where the inventory says they are."""
    lines = [f"export {_variable(name)}={plain(shlex.quote(olt.password))}"]
    if olt.snmp_port:
        lines.append(f"export {_variable(name)}_COMMUNITY={plain(shlex.quote(olt.snmp_community))}")
    return lines


def _variable(name: str) -> str:
    return "PONPROBE_LAB_" + "".join(char if char.isalnum() else "_" for char in name).upper()
