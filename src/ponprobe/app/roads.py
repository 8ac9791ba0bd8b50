"""How a name and the connection options become an ``Olt``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ponprobe.app.options import Problems, Road, WrongInput

if TYPE_CHECKING:
    from ponprobe.session.olt import Olt


def connected(name: str, road: Road) -> Olt:
    """Make the ``Olt`` that a name and the connection options mean; options go over the inventory entry."""
    from ponprobe import config  # noqa: PLC0415 - help and version need neither
    from ponprobe.connect import connect  # noqa: PLC0415

    problems = Problems()
    references = (road.password, road.enable_password, road.community)
    for option, reference in zip(("--password", "--enable-password", "--snmp-community"), references, strict=True):
        if reference is not None and not config.is_secret_reference(reference):
            problems.add(option, "write env:NAME, file:PATH or ask: - a secret on the command line is seen by all")
    if road.reply_timeout is not None and not 0 < road.reply_timeout <= 86400:
        problems.add("--reply-timeout", "must be a number of seconds, more than 0 and at most a day")
    problems.stop_if_any()
    given: dict[str, Any] = {
        "platform": road.platform,
        "username": road.username,
        "password": road.password,
        "enable_password": road.enable_password,
        "access": road.access.value if road.access else None,
        "port": road.tcp_port,
    }
    if road.community is not None:
        given["snmp"] = config.SnmpEntry.model_validate({"community": road.community})
    if road.snmp_port is not None:
        snmp = given.get("snmp") or _known(name, road, "snmp")
        if snmp is None:
            raise WrongInput(["--snmp-port: needs --snmp-community, or SNMP settings in the inventory"])
        given["snmp"] = snmp.model_copy(update={"port": road.snmp_port})
    if road.netconf_port is not None:
        netconf = _known(name, road, "netconf") or config.NetconfEntry()
        given["netconf"] = netconf.model_copy(update={"port": road.netconf_port})
    behaviour: dict[str, Any] = (
        {}
        if road.reply_timeout is None
        else {"connect_timeout_s": road.reply_timeout, "reply_timeout_s": road.reply_timeout}
    )
    if road.routes is not None:
        behaviour["routes"] = road.routes
    target = name
    if road.host is not None:
        target = road.host
        entry = config.load(road.config).olts.get(name)
        if entry is not None:
            known = {key: getattr(entry, key) for key in (*given, "snmp", "netconf")}
            given = {key: value if given.get(key) is None else given[key] for key, value in known.items()}
    olt = connect(target, **given, config_file=road.config, **behaviour)
    if road.host is not None:
        olt.name = name
    return olt


def _known(name: str, road: Road, what: str) -> Any:
    """What the inventory says of one road of this OLT, if it says anything."""
    from ponprobe import config  # noqa: PLC0415

    entry = config.load(road.config).olts.get(name)
    return None if entry is None else getattr(entry, what)
