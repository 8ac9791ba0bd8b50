"""In what ZTE OLTs of different age differ, as data.

Texts and numbers come from public captures of C300, C320 and C600 devices; what was not seen there is marked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ponprobe.emulator.access import Access
from ponprobe.emulator.grammar import RefusalKind
from ponprobe.emulator.records import Reason, Technology
from ponprobe.emulator.terminal import Habits
from ponprobe.models.addressing import OnuRef, PonPort

_ERASE = len(" --More--")


@dataclass(frozen=True)
class Personality:
    """One model with one firmware."""

    id: str
    product: str
    version: str
    titan: bool
    """The C6xx family: other names, other error numbers, a view for each vport."""
    old: bool
    """V1.2: other codes, other words for flows and GEM ports, the bare prompts of ``pon-onu-mng``."""
    lands_in: Literal["user", "exec"]
    bad_login: str
    banner: tuple[str, ...]
    """``{access}``, ``{host}``, ``{before}`` and ``{now}`` are filled in."""
    password_notice: bool
    frame = 1
    first_port = 1
    onu_ids = range(1, 129)
    digits = 3

    @cached_property
    def access(self) -> Access:
        """How its connections begin. The first Telnet bytes are those of a C300 V2.1."""
        # how many columns wide a client is, only the client knows: 80 until it says so
        ssh = Habits(
            follows_window=True,
            breaks_lines=True,
            long_echo="continue" if self.titan else "scroll",
            more=" --More--",
            eraser="\b" * _ERASE + " " * _ERASE + "\b" * _ERASE,
            line_keys="\r",
        )
        return Access(
            user_prompt="\nUsername:",
            password_prompt="Password:",  # noqa: S106 - a prompt
            bad_login=f"{self.bad_login}\n",
            # a locked user is told nothing else in any text that was found
            locked=f"{self.bad_login}\n",
            telnet_offers=bytes.fromhex("fffb01 fffb1f fffb18 fffd20 fffd03"),
            ssh=ssh,
            telnet=ssh,
        )

    # ------------------------------------------------------------------ names

    @property
    def platform(self) -> str:
        """What ponprobe calls the family."""
        return self.spelling

    @property
    def spelling(self) -> Literal["zte_zxan", "zte_titan"]:
        """How ports and ONUs are written."""
        return "zte_titan" if self.titan else "zte_zxan"

    def olt(self, port: PonPort, technology: Technology = "gpon") -> str:
        """``gpon-olt_1/2/1``, TITAN ``gpon_olt-1/2/1``."""
        return port.spelled(self.spelling, technology)

    def onu(self, ref: OnuRef, technology: Technology = "gpon") -> str:
        """``gpon-onu_1/2/1:3``, TITAN ``gpon_onu-1/2/1:3``."""
        return ref.spelled(self.spelling, technology)

    def uplink(self, slot: int, number: int) -> str:
        """``xgei_1/19/1``, TITAN ``xgei-1/10/1``."""
        return f"xgei{'-' if self.titan else '_'}{self.frame}/{slot}/{number}"

    @property
    def block_end(self) -> str:
        """What closes a block of the running configuration."""
        return "$" if self.titan else "!"

    # ------------------------------------------------------------------ words

    def code(self, number: int, text: str, module: str | None = "GPONSRV") -> str:
        """``%Code 62310-GPONSRV : ...``.

        V1.2 numbers are 30000 lower: seen for 32310 and 33987, taken to be so for all.
        """
        number -= 30_000 if self.old else 0
        return f"%Code {number}-{module} : {text}" if module else f"%Code {number}: {text}"

    @property
    def nothing(self) -> str:
        """An empty answer."""
        return self.code(62310, "No related information to show.")

    @property
    def no_power(self) -> str:
        """An empty answer to ``show pon power``; of its text only the number was seen."""
        return self.code(70285, "No related information to show.", None)

    @property
    def busy(self) -> str:
        """A change refused for now. No device text was found, so number and words are the emulator's own."""
        return self.code(62399, "System is busy, please try again later.")

    def words(self, reason: Reason) -> list[str]:
        """A refusal in this device's words."""
        number, module, text = _REFUSALS.get(reason, (62300, "GPONSRV", "Operation failed."))
        lines = [self.code(number, text, module)]
        return [*lines, "  This is a re-create operation"] if reason == "id_exists" else lines

    def error(self, kind: RefusalKind, typed: str) -> tuple[str, bool]:
        """An error of the command line, and whether a line with a caret stands before it.

        For incomplete commands on TITAN no text was found.
        """
        if self.titan:
            if kind == "Ambiguous command":
                return f'%Error 140301: Ambiguous command:"{typed}"', False
            if kind == "Incomplete command":
                return "%Error 140302: Incomplete command.", False
            return "%Error 140303: Invalid input detected at '^' marker.", True
        match kind:
            case "Ambiguous command":
                return "%Error 20204: Ambiguous command", False
            case "Incomplete command":
                return "%Error 20203: Incomplete command", False
            case "Unknown command":
                return "%Error 20200: Invalid input detected at '^' marker.", True
            case _:
                return "%Error 20202: Invalid input detected at '^' marker. Invalid parameter", True


BAD_ANSWER = "%Error 20205: Invalid input detected"
BAD_ENABLE = "%Error 20208: Bad password"
WEAK_PASSWORD = "% The password is not strong, please change the password."  # noqa: S105 - a notice
TOO_MANY = "% All vty lines are in use"
"""No device text was found for a session too many."""
LOGOUT = "The configuration is changed,confirm to logout without saving? [yes/no]:"
ENTERED = "Enter configuration commands, one per line.  End with CTRL/Z."

_REFUSALS: dict[Reason, tuple[int, str | None, str]] = {
    "id_exists": (62391, "GPONSRV", "The entry is existed."),
    "too_much_bandwidth": (62330, "GPONSRV", "Parameter exceeds range."),
    "service_exists": (66661, None, "The service is already existed."),
    "record_exists": (63869, "GPONRM", "Record already exists."),
    "no_flow": (63953, "GPONRM", "Flow does not exist"),
    # the numbers of these were seen with their meaning, the words were not
    "flow_conflict": (64010, "GPONRM", "Operation is forbidden for conflicting with some flow."),
    "no_uni": (63990, "GPONRM", "The UNI does not exist."),
    "onu_unavailable": (63987, None, "ONU is unavailable."),
    # neither number nor words of these were found
    "serial_exists": (62392, "GPONSRV", "The SN is used by another ONU."),
    "auth_exists": (62393, "GPONSRV", "The password or LOID is used by another ONU."),
    "no_onu": (62394, "GPONSRV", "The ONU does not exist."),
    "no_onu_type": (62395, "GPONSRV", "The ONU type does not exist."),
    "no_tcont_profile": (62396, "GPONSRV", "The T-CONT profile does not exist."),
    "no_service": (62397, "GPONSRV", "The entry does not exist."),
}

C300_V12 = Personality(
    id="c300_v12",
    product="C300",
    version="V1.2.5P3",
    titan=False,
    old=True,
    lands_in="exec",
    bad_login="No username or bad password",
    banner=("Welcome to ZXAN product C300",),
    password_notice=True,
)
C320_V21 = Personality(
    id="c320_v21",
    product="C320",
    version="V2.1.0",
    titan=False,
    old=False,
    lands_in="user",
    bad_login="authentication failed",
    banner=(
        "Welcome to ZXAN product C320",
        "Last login at {before} from {host}, 0 authentication failures happened.",
    ),
    password_notice=True,
)
C600_TITAN = Personality(
    id="c600_titan",
    product="C600",
    version="V2.0.10",
    titan=True,
    old=False,
    lands_in="exec",
    bad_login="% Username or password error",
    banner=(
        "        *********************************************************",
        "                Welcome to TITAN series OLT of ZTE Corporation",
        "        *********************************************************",
        "Login at {now} from {host} through {access}.",
        (
            "The last successful login was performed at {before} from {host} through {access}. "
            "Afterwards, 0 authentication failure occurred."
        ),
    ),
    password_notice=False,
)
PERSONALITIES = {each.id: each for each in (C300_V12, C320_V21, C600_TITAN)}
