"""What people type becomes models: option groups shared by the commands, and every problem named by its option."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from ponprobe.app import completing
from ponprobe.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import SecretStr, ValidationError

    from ponprobe.models.acceptance import ActivationOrder
    from ponprobe.models.addressing import OnuAuth
    from ponprobe.models.service import ProfileRef

T = TypeVar("T")


class Access(str, Enum):
    """How to reach a command line."""

    SSH = "ssh"
    TELNET = "telnet"


class Verify(str, Enum):
    """By which other road a measurement is looked at again."""

    SNMP = "snmp"


class Service(str, Enum):
    """Whose service port carries the test."""

    PER_ONU = "per_onu"
    SHARED = "shared"
    NONE = "none"


class Tech(str, Enum):
    """Which kind of PON the port is."""

    GPON = "gpon"
    EPON = "epon"


class Omci(str, Enum):
    """How a ZTE OLT is told what the ONU does with its VLAN."""

    SERVICE = "service"
    FLOW = "flow"


OltName = Annotated[
    str,
    typer.Argument(
        metavar="OLT",
        help="Inventory name or host of the OLT.",
        show_default=False,
        autocompletion=completing.olts,
    ),
]
PortText = Annotated[str, typer.Argument(metavar="PORT", help="PON port, frame/slot/port: 0/1/3.", show_default=False)]

_OUTPUT, _ROAD, _ORDER, _PATH = "Output", "Connection", "Test ONU and splitter", "Service path"


@dataclass(frozen=True, kw_only=True)
class Output:
    """What is written where; every command has these."""

    json: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout, also for errors.", rich_help_panel=_OUTPUT)
    ] = False
    no_color: Annotated[
        bool, typer.Option("--no-color", help="No colours (NO_COLOR does the same).", rich_help_panel=_OUTPUT)
    ] = False
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose", "-v", count=True, help="Log to stderr, without secrets; -vv for more.", rich_help_panel=_OUTPUT
        ),
    ] = 0


@dataclass(frozen=True, kw_only=True)
class Configured:
    """Where settings and inventory come from."""

    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="Settings and inventory (TOML).", rich_help_panel=_ROAD),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Watched:
    """How long a command that speaks to an OLT may take, and how it is followed."""

    timeout: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            metavar="SECONDS",
            help="For the whole command; then what is under way is taken back (5, 6).",
            rich_help_panel=_OUTPUT,
        ),
    ] = None
    transcript: Annotated[
        Path | None,
        typer.Option(
            "--transcript",
            metavar="FILE",
            help="Write the dialogue, without secrets; FILE.jsonl as JSON Lines while it happens.",
            rich_help_panel=_OUTPUT,
        ),
    ] = None
    events: Annotated[
        bool,
        typer.Option(
            "--events", help="JSON Lines on stdout as things happen; 'finished' is last.", rich_help_panel=_OUTPUT
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Under which id something is asked for."""

    request_id: Annotated[
        str | None,
        typer.Option(
            "--request-id", metavar="ID", help="Asked again, the stored answer is given.", rich_help_panel=_OUTPUT
        ),
    ] = None


def check_request_id(request_id: str | None, problems: Problems) -> None:
    """Note a request id that cannot be kept."""
    if request_id is not None and not (0 < len(request_id) <= 200 and request_id.isprintable()):
        problems.add("--request-id", "must be 1 to 200 printable characters")


@dataclass(frozen=True, kw_only=True)
class Road(Configured, Watched):
    """How to reach the OLT, in place of an inventory entry or over it."""

    host: Annotated[
        str | None, typer.Option("--host", help="Address; the OLT argument is then a name.", rich_help_panel=_ROAD)
    ] = None
    platform: Annotated[
        str | None,
        typer.Option(
            "--platform",
            help="Driver, such as huawei_smartax.",
            rich_help_panel=_ROAD,
            autocompletion=completing.platforms,
        ),
    ] = None
    username: Annotated[str | None, typer.Option("--username", help="User on the OLT.", rich_help_panel=_ROAD)] = None
    password: Annotated[
        str | None,
        typer.Option(
            "--password", metavar="REF", help="Where it is: env:NAME, file:PATH or ask:", rich_help_panel=_ROAD
        ),
    ] = None
    enable_password: Annotated[
        str | None,
        typer.Option("--enable-password", metavar="REF", help="If the OLT asks for one.", rich_help_panel=_ROAD),
    ] = None
    access: Annotated[Access | None, typer.Option("--access", help="ssh or telnet.", rich_help_panel=_ROAD)] = None
    tcp_port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="TCP port.", rich_help_panel=_ROAD)
    ] = None
    community: Annotated[
        str | None,
        typer.Option(
            "--snmp-community", metavar="REF", help="Read by SNMP 2c; v3: see the inventory.", rich_help_panel=_ROAD
        ),
    ] = None
    snmp_port: Annotated[
        int | None, typer.Option("--snmp-port", min=1, max=65535, help="UDP port.", rich_help_panel=_ROAD)
    ] = None
    netconf_port: Annotated[
        int | None,
        typer.Option("--netconf-port", min=1, max=65535, help="Ask by NETCONF, too.", rich_help_panel=_ROAD),
    ] = None
    routes: Annotated[
        str | None,
        typer.Option(
            "--routes",
            metavar="LIST",
            help="Roads for questions: snmp,netconf,cli.",
            rich_help_panel=_ROAD,
            autocompletion=completing.routes,
        ),
    ] = None
    reply_timeout: Annotated[
        float | None,
        typer.Option(
            "--reply-timeout",
            metavar="SECONDS",
            help="For the connection and for each answer.",
            rich_help_panel=_ROAD,
        ),
    ] = None

    def again(self) -> list[str]:
        """Return the options that name the same OLT in another command; references are no secrets."""
        given = (
            ("--config", self.config),
            ("--host", self.host),
            ("--platform", self.platform),
            ("--username", self.username),
            ("--password", self.password),
            ("--enable-password", self.enable_password),
            ("--access", self.access.value if self.access else None),
            ("--port", self.tcp_port),
            ("--snmp-community", self.community),
            ("--snmp-port", self.snmp_port),
            ("--netconf-port", self.netconf_port),
            ("--routes", self.routes),
        )
        return [word for option, value in given if value is not None for word in (option, str(value))]


@dataclass(frozen=True, kw_only=True)
class OnuOrder:
    """Which test ONU stands behind which splitter."""

    serial: Annotated[
        str | None, typer.Option("--serial", help="Serial of the test ONU: HWTC0B086EA9.", rich_help_panel=_ORDER)
    ] = None
    onu_password: Annotated[
        str | None,
        typer.Option("--onu-password", metavar="REF", help="ONU password: env:, file:, ask:", rich_help_panel=_ORDER),
    ] = None
    loid: Annotated[
        str | None,
        typer.Option("--loid", metavar="REF", help="LOID instead of serial: env:, file:, ask:", rich_help_panel=_ORDER),
    ] = None
    mac: Annotated[
        str | None,
        typer.Option("--mac", metavar="MAC", help="EPON ONU: its MAC instead of a serial.", rich_help_panel=_ORDER),
    ] = None
    checkcode: Annotated[
        str | None,
        typer.Option("--checkcode", metavar="REF", help="Checkcode of the LOID.", rich_help_panel=_ORDER),
    ] = None
    splitter: Annotated[
        str | None,
        typer.Option("--splitter", metavar="NAME", help="As recorded; never sent.", rich_help_panel=_ORDER),
    ] = None
    splitter_port: Annotated[
        int | None, typer.Option("--splitter-port", help="Its port that is tested.", rich_help_panel=_ORDER)
    ] = None
    description: Annotated[
        str, typer.Option("--description", help="Goes to the OLT after our mark.", rich_help_panel=_ORDER)
    ] = ""
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Take the ONU out of the autofind list.", rich_help_panel=_ORDER)
    ] = False


@dataclass(frozen=True, kw_only=True)
class ServicePath:
    """What the OLT is told to do with a test ONU: profiles, VLANs, service port."""

    technology: Annotated[Tech, typer.Option("--technology", help="What the PON port is.", rich_help_panel=_PATH)] = (
        Tech.GPON
    )
    line_profile: Annotated[
        str | None, typer.Option("--line-profile", metavar="ID|NAME", help="Huawei: required.", rich_help_panel=_PATH)
    ] = None
    service_profile: Annotated[
        str | None,
        typer.Option("--service-profile", metavar="ID|NAME", help="Huawei: required.", rich_help_panel=_PATH),
    ] = None
    onu_type: Annotated[
        str | None, typer.Option("--onu-type", metavar="NAME", help="ZTE: required.", rich_help_panel=_PATH)
    ] = None
    tcont_profile: Annotated[
        str | None, typer.Option("--tcont-profile", metavar="NAME", help="ZTE: required.", rich_help_panel=_PATH)
    ] = None
    omci_style: Annotated[
        Omci, typer.Option("--omci-style", help="ZTE: service or flow lines.", rich_help_panel=_PATH)
    ] = Omci.SERVICE
    svlan: Annotated[int | None, typer.Option("--svlan", help="Outer VLAN, 1-4094.", rich_help_panel=_PATH)] = None
    cvlan: Annotated[
        int | None, typer.Option("--cvlan", help="Inner VLAN of the test, 1-4094.", rich_help_panel=_PATH)
    ] = None
    gemport: Annotated[int, typer.Option("--gemport", help="GEM port index.", rich_help_panel=_PATH)] = 1
    service_model: Annotated[
        Service, typer.Option("--service-model", help="Whose service port: none = optics.", rich_help_panel=_PATH)
    ] = Service.PER_ONU
    user_vlan: Annotated[
        int | None, typer.Option("--user-vlan", help="VLAN at the ONU, if not CVLAN.", rich_help_panel=_PATH)
    ] = None
    eth_port: Annotated[int, typer.Option("--eth-port", help="Ethernet port of the ONU.", rich_help_panel=_PATH)] = 1
    router: Annotated[
        bool, typer.Option("--router", help="Router ONU: leave its Ethernet port alone.", rich_help_panel=_PATH)
    ] = False
    inbound_traffic: Annotated[
        int | None, typer.Option("--inbound-traffic", help="Traffic table, up.", rich_help_panel=_PATH)
    ] = None
    outbound_traffic: Annotated[
        int | None, typer.Option("--outbound-traffic", help="Traffic table, down.", rich_help_panel=_PATH)
    ] = None


@dataclass(frozen=True, kw_only=True)
class Order(ServicePath, OnuOrder):
    """What ``measure``, ``plan`` and ``activate`` are asked to put on a splitter."""


class WrongInput(ConfigError):
    """Arguments that cannot be meant; one sentence for each, naming its option. Nothing has been sent."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass
class Problems:
    """Collects everything that is wrong, so that people do not find out one mistake at a time."""

    found: list[str] = field(default_factory=list)

    def add(self, option: str, what: str) -> None:
        """Note one problem."""
        self.found.append(f"{option}: {what}")

    def attempt(self, option: str, make: Callable[[], T], options: dict[str, str] | None = None) -> T | None:
        """Make a model, or note what keeps it from being made; ``options`` names the option of each field."""
        from pydantic import ValidationError  # noqa: PLC0415 - help and version need no models

        try:
            return make()
        except ValidationError as exc:
            for where, what in _complaints(exc):
                self.add((options or {}).get(where, option), what)
        except ConfigError as exc:
            self.add(option, str(exc))
        except ValueError as exc:
            self.add(option, str(exc))
        return None

    def stop_if_any(self) -> None:
        """Raise ``WrongInput`` with everything that was found."""
        if self.found:
            raise WrongInput(self.found)


def _complaints(exc: ValidationError) -> list[tuple[str, str]]:
    """Say in one line what pydantic found, without the refused value: it may be a secret."""
    found = []
    for problem in exc.errors(include_input=False, include_url=False):
        where = str(problem["loc"][0]) if problem["loc"] else ""
        message = problem["msg"].removeprefix("Value error, ")
        if message.startswith("Input should"):
            message = "must" + message.removeprefix("Input should")
        found.append((where, message))
    return found


_ORDER_FIELDS = {
    "gemport": "--gemport",
    "eth_port": "--eth-port",
    "user_vlan": "--user-vlan",
    "inbound_traffic": "--inbound-traffic",
    "outbound_traffic": "--outbound-traffic",
    "splitter_port": "--splitter-port",
    "description": "--description",
    "onu_type": "--onu-type",
    "tcont_profile": "--tcont-profile",
}


def order_from(port: str, given: Order, problems: Problems | None = None) -> ActivationOrder:
    """Build the order; ``WrongInput`` names every option that is wrong. Secrets are read here, where they point.

    ``problems`` collects them for somebody who has more to say of where they stand.
    """
    from ponprobe.models.acceptance import ActivationOrder  # noqa: PLC0415 - help and version need no models
    from ponprobe.models.addressing import PonPort  # noqa: PLC0415
    from ponprobe.models.service import VlanStack  # noqa: PLC0415

    problems = Problems() if problems is None else problems
    with_service = given.service_model is not Service.NONE
    fields: dict[str, Any] = {
        "port": problems.attempt("PORT", lambda: PonPort.parse(port)),
        "auth": _auth(given, problems),
        "line_profile": _profile("--line-profile", given.line_profile, problems),
        "service_profile": _profile("--service-profile", given.service_profile, problems),
        "vlans": None,
    }
    if (given.svlan is None) != (given.cvlan is None) or (with_service and given.svlan is None):
        reason = "a test with a service needs both (or --service-model none)" if with_service else "they come as a pair"
        problems.add("--svlan and --cvlan", reason)
    elif given.svlan is not None and given.cvlan is not None:
        tags = {"svlan": given.svlan, "cvlan": given.cvlan}
        fields["vlans"] = problems.attempt(
            "--svlan", lambda: VlanStack(**tags), {name: f"--{name} {value}" for name, value in tags.items()}
        )
    plain = {name: getattr(given, name) for name in _ORDER_FIELDS}
    if (given.inbound_traffic is None) != (given.outbound_traffic is None):
        problems.add("--inbound-traffic and --outbound-traffic", "they come as a pair")
        plain |= {"inbound_traffic": None, "outbound_traffic": None}
    if given.confirm and given.serial is None:
        problems.add("--confirm", "needs --serial: the autofind list is searched for it")
    # checked with stand-ins for what is wrong already, so that the other options are judged in the same go
    stand_in = {"mac": "00:00:00:00:00:00"} if given.technology is Tech.EPON else {"serial": "PONP00000000"}
    stand_ins: dict[str, Any] = {"port": "0/0/0", "auth": stand_in}
    order = problems.attempt(
        "order",
        lambda: ActivationOrder(
            **{name: stand_ins.get(name) if value is None else value for name, value in fields.items()},
            **plain,
            service_model=given.service_model.value if fields["vlans"] is not None or not with_service else "none",
            native_vlan=not given.router,
            confirm=given.confirm and given.serial is not None,
            splitter=given.splitter,
            technology=given.technology.value,
            omci_style=given.omci_style.value,
        ),
        _ORDER_FIELDS,
    )
    problems.stop_if_any()
    assert order is not None  # whatever kept it from being made has been raised  # noqa: S101
    return order


def _profile(option: str, text: str | None, problems: Problems) -> ProfileRef | None:
    from ponprobe.models.service import ProfileRef  # noqa: PLC0415

    return None if text is None else problems.attempt(option, lambda: ProfileRef.parse(text))


def _auth(given: Order, problems: Problems) -> OnuAuth | None:
    from ponprobe.models.addressing import Loid, OnuAuth, Password, Serial  # noqa: PLC0415

    before = len(problems.found)
    serial = problems.attempt("--serial", lambda: Serial(given.serial or "")) if given.serial is not None else None
    password = secret("--onu-password", given.onu_password, problems)
    loid = secret("--loid", given.loid, problems)
    checkcode = secret("--checkcode", given.checkcode, problems)
    if given.checkcode is not None and given.loid is None:
        problems.add("--checkcode", "belongs to a LOID: give --loid, too")
    if given.loid is not None and (given.serial is not None or given.onu_password is not None):
        problems.add("--loid", "an ONU registers by LOID or by --serial/--onu-password, not by both")
    if all(given_as is None for given_as in (given.serial, given.onu_password, given.loid, given.mac)):
        problems.add("--serial", "name the test ONU by --serial, --onu-password, --loid or --mac")
    if given.mac is not None and given.technology is not Tech.EPON:
        problems.add("--mac", "identifies an EPON ONU: give --technology epon, too")
    if len(problems.found) > before:
        return None
    made: dict[str, Any] = {"serial": serial, "mac": given.mac}
    if password is not None:
        made["password"] = problems.attempt("--onu-password", lambda: Password(value=password))
    if loid is not None:
        options = {"value": "--loid", "checkcode": "--checkcode"}
        made["loid"] = problems.attempt("--loid", lambda: Loid(value=loid, checkcode=checkcode), options)
    if len(problems.found) > before:
        return None
    return problems.attempt("--serial", lambda: OnuAuth(**made), {"mac": "--mac"})


def secret(option: str, reference: str | None, problems: Problems) -> SecretStr | None:
    """Read the secret that a reference points to; a secret itself is refused and not shown."""
    from ponprobe.config import is_secret_reference, resolve  # noqa: PLC0415

    if reference is None:
        return None
    if not is_secret_reference(reference):
        problems.add(
            option, "write env:NAME, file:PATH or ask: - a secret on the command line is seen by everybody here"
        )
        return None
    return problems.attempt(option, lambda: resolve(reference, option.removeprefix("--").replace("-", " ")))
