"""In what Huawei OLTs of different age differ, as data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ponprobe.emulator.access import Access
from ponprobe.emulator.records import Reason
from ponprobe.emulator.terminal import Habits


@dataclass(frozen=True)
class Personality:
    """One model with one firmware."""

    id: str
    product: str
    version: str
    patch: str
    banner_model: str
    banner_years: str
    telnet_newline: str
    login_tables: bool
    """Whether the banner tells of the last login and of failed ones (MA5800 from about 2018)."""
    password_notice: bool
    """Whether a warning and a second prompt follow the first prompt."""
    has_summary: bool
    """``display ont info summary``: a parameter error on V800R015C00."""
    long_autofind: bool
    """Whether autofind entries have the later five fields."""
    filters: bool
    """Whether every display command takes ``| no-more`` and the like."""
    native_vlan_silent: bool
    total_with_offline: bool
    no_line_profile: str
    mmi_enable: bool

    platform = "huawei_smartax"
    frame = 0
    first_port = 0
    onu_ids = range(128)
    digits = 2

    @cached_property
    def access(self) -> Access:
        """How its connections begin."""
        return Access(
            user_prompt="\n\n>>User name:",
            password_prompt="\n>>User password:",  # noqa: S106 - a prompt
            bad_login="\n  Username or password invalid.\n",
            locked="\n  This user has been locked.\n",
            telnet_offers=bytes.fromhex("fffb01 fffb03 fffd1f fffd18 fffd22"),
            ssh=Habits(),
            telnet=Habits(newline=self.telnet_newline),
        )

    def words(self, reason: Reason) -> str:
        """A refusal in this device's words."""
        return self.no_line_profile if reason == "no_line_profile" else REFUSALS[reason]


REFUSALS: dict[Reason, str] = {
    "serial_exists": "SN already exists",
    "id_exists": "The ONT ID has already existed",
    "no_id_left": "The number of ONTs in the port has reached the upper limit",
    "no_onu": "The ONT does not exist",
    "no_port": "The port does not exist",
    "no_service_profile": "The service profile does not exist",
    "has_services": "This configured object has some service virtual\n  ports",
    "no_vlan": "VLAN does not exist",
    "no_gem": "The GEM port does not exist",
    "no_traffic_table": "The traffic table does not exist",
    "service_exists": "Service virtual port has existed already",
    "index_exists": "Service virtual port has existed already",
    "no_service": "Service virtual port does not exist",
    "not_discovered": "The automatically found ONTs do not exist",
    "auth_exists": "The password or LOID already exists",
}
"""Seen on devices, but for these, whose wording was not seen: no_id_left, no_port, no_traffic_table, no_service,
auth_exists."""
BUSY = "System is busy, please retry after a while"
NO_BOARD = "This board does not exist"

MA5683T_R015 = Personality(
    id="ma5683t_r015",
    product="MA5683T",
    version="MA5600V800R015C00",
    patch="SPH106 HP1013",
    banner_model="MA5683T",
    banner_years="2002-2014",
    telnet_newline="\r\r\n",
    login_tables=False,
    password_notice=False,
    has_summary=False,
    long_autofind=False,
    filters=False,
    native_vlan_silent=True,
    total_with_offline=False,
    no_line_profile="The line profile does not exist",
    mmi_enable=False,
)
MA5800_R022 = Personality(
    id="ma5800_r022",
    product="MA5800-X7",
    version="MA5800V100R022C10",
    patch="SPH206 HP0229",
    banner_model="MA5800",
    banner_years="2002-2021",
    telnet_newline="\r\n",
    login_tables=True,
    password_notice=True,
    has_summary=True,
    long_autofind=True,
    filters=True,
    native_vlan_silent=False,
    total_with_offline=True,
    no_line_profile="The ont-lineprofile does not exist",
    mmi_enable=True,
)
PERSONALITIES = {each.id: each for each in (MA5683T_R015, MA5800_R022)}

ALARM = """
  ! 1 [{now}]:

  ALARM 11111 FAULT WARNING 0x2e112007 SERVICE QUALITY {now}
  ALARM NAME  : The distribute fiber is broken or the OLT cannot receive
                expected optical signals from the ONT(LOSi/LOBi)
  SRVEFF      : SA
  PARAMETERS  : FrameID: 0, SlotID: 0, PortID: 1, ONT ID: 1, Equipment ID:
                1H
  DESCRIPTION : The OLT cannot receive expected optical signals from the ONT
                in four consecutive frames
  CAUSE       : (1) The fiber is broken
                (2) The quality of the optical path is poor
                (3) The ONT hardware fails
  ADVICE      : (1) Check the fiber and clean the connector
                (2) Reset the ONT or replace the ONT
  --- END-
"""
"""An alarm block in the middle of a session, in the layout that an MA5600T prints."""
