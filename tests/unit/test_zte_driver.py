"""The ZTE driver without a device: which lines it sends, what it makes of the answers, what it refuses to believe."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import datetime, timezone
from typing import Any

import pytest
from pydantic import SecretStr

from ponprobe.drivers import driver_for
from ponprobe.drivers.zte.driver import ZteOlt, ZteTitan, ZteZxan
from ponprobe.drivers.zte.grammar import TITAN, V2, V12, grammar_for
from ponprobe.errors import AlreadyExists, ConfigError, NotFound, NotOurs, NotSupported, ParseError, Rejected, WrongPort
from ponprobe.flow import Batch, CliReply, changes_of
from ponprobe.models.acceptance import ActivationOrder, Ownership, Registration
from ponprobe.models.addressing import Loid, OnuAuth, OnuRef, Password, PonPort, Serial
from ponprobe.models.device import OltFacts
from ponprobe.models.optical import Absence
from ponprobe.models.service import VlanStack

MARK = "PONPROBE_0a1b2c3d"
SERIAL = Serial("LABU00000D01")
PORT = PonPort.parse("1/2/5")
ONU = PORT.onu(3)
UNKNOWN = "%Error 20200: Invalid input detected at '^' marker."
NO_SUCH = "%Error 20202: Invalid input detected at '^' marker. Invalid parameter"
NOTHING = "%Code 62310-GPONSRV : No related information to show."
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def an_order(**changes: Any) -> ActivationOrder:
    values: dict[str, Any] = {
        "port": PORT,
        "auth": OnuAuth(serial=SERIAL),
        "vlans": VlanStack(svlan=2000, cvlan=3001),
        "onu_type": "LAB-1GE",
        "tcont_profile": "LAB-100M",
    }
    return ActivationOrder(**{**values, **changes})


def placed(**changes: Any) -> Registration:
    return Registration(order=an_order(**changes), onu=ONU, mark=MARK, marked_later=True)


def by_password() -> OnuAuth:
    return OnuAuth(password=Password(value=SecretStr("AAA0000010")))


def run(flow: Generator[Any, Any, Any], answers: Mapping[str, str]) -> tuple[Any, list[str]]:
    """Answer each line of a flow; one that has no answer is unknown to the device."""
    asked: list[str] = []
    try:
        request = next(flow)
        while True:
            assert isinstance(request, Batch)
            replies = []
            for line in request.lines:
                asked.append(line.line)
                said = answers.get(line.line, UNKNOWN)
                replies.append(CliReply(line, f"{line.line}\r\n{said}\r\nLAB#", at=AT))
            request = flow.send(tuple(replies))
    except StopIteration as end:
        return end.value, asked


def lines(driver: ZteOlt, registration: Registration) -> list[tuple[str, str]]:
    writes = changes_of(driver.register(registration)) + changes_of(driver.add_service(registration))
    return [(str(change.request.view), change.request.line) for change in writes]


# ---------------------------------------------------------------------- families


def test_both_names_lead_to_the_family_that_answers() -> None:
    assert isinstance(driver_for("zte_zxan"), ZteZxan)
    assert isinstance(driver_for("zte_titan"), ZteTitan)
    for start in (ZteZxan(), ZteTitan()):
        assert start.adapted_to(OltFacts(family="zte_titan", model="C300")).platform == "zte_titan"
        assert start.adapted_to(OltFacts(family="zte_zxan", version="V1.2.5P3")).grammar is V12
        assert start.adapted_to(OltFacts(family="zte_zxan", version="V2.1.0")).grammar is V2
    assert grammar_for("zte_titan", "V1.2.2") is TITAN
    assert ZteTitan().adapted_to(OltFacts()).grammar is TITAN, "nothing told: as it was called"


CARDS = {
    "zte_zxan": "Rack Shelf Slot CfgType RealType Port  HardVer SoftVer         Status\n"
    "1    1     2    GTGH    GTGHG    16    V1.0.0  V2.1.0          INSERVICE",
    "zte_titan": "Shelf Slot CfgType CardName        Port HardVer Status\n"
    "1     2    GFGL   GFGL            16   V1.8.0  INSERVICE",
}


@pytest.mark.parametrize("called", ["zte_zxan", "zte_titan"])
@pytest.mark.parametrize("is_one", ["zte_zxan", "zte_titan"])
def test_the_version_is_asked_in_the_words_of_the_family_that_answered(called: str, is_one: str) -> None:
    facts, asked = run(driver_for(called).facts()["cli"], {"show card": CARDS[is_one]})
    assert facts.family == is_one
    assert asked[0] == "show card"
    assert ("show software" in asked) == (is_one == "zte_titan")


# ---------------------------------------------------------------------- which lines make a test ONU

PORT_VIEW, ONU_VIEW, OMCI = "config-if-gpon-olt_1/2/5", "config-if-gpon-onu_1/2/5:3", "pon-onu-mng-gpon-onu_1/2/5:3"
REGISTER = [
    (PORT_VIEW, "onu 3 type LAB-1GE sn LABU00000D01"),
    (ONU_VIEW, f"description {MARK}"),
    (ONU_VIEW, "tcont 1 profile LAB-100M"),
]
V2_LINES = [
    *REGISTER,
    (ONU_VIEW, "gemport 1 tcont 1"),
    (ONU_VIEW, "switchport mode hybrid vport 1"),
    (ONU_VIEW, "service-port 1 vport 1 user-vlan 3001 vlan 3001 svlan 2000"),
    (OMCI, "service 1 gemport 1 vlan 3001"),
    (OMCI, "vlan port eth_0/1 mode tag vlan 3001"),
]


def test_zxan_v2() -> None:
    assert lines(ZteZxan(), placed()) == V2_LINES


def test_zxan_v12() -> None:
    want = list(V2_LINES)
    want[3] = (ONU_VIEW, f"gemport 1 name {MARK} unicast tcont 1 dir both")
    want[6] = (OMCI, "service HSI type internet gemport 1 cos 0 vlan 3001")
    assert lines(ZteZxan(grammar=V12), placed()) == want


def test_titan_puts_the_service_port_into_the_vport() -> None:
    onu, omci = "config-if-gpon_onu-1/2/5:3", "pon-onu-mng-gpon_onu-1/2/5:3"
    assert lines(ZteTitan(), placed()) == [
        ("config-if-gpon_olt-1/2/5", "onu 3 type LAB-1GE sn LABU00000D01"),
        (onu, f"description {MARK}"),
        (onu, "tcont 1 profile LAB-100M"),
        (onu, f"gemport 1 name {MARK} tcont 1"),
        ("config-if-vport-1/2/5.3:1", "service-port 1 user-vlan 3001 vlan 3001 svlan 2000"),
        (omci, "service 1 gemport 1 vlan 3001"),
        (omci, "vlan port eth_0/1 mode tag vlan 3001"),
    ]


def test_the_flow_style_in_the_words_of_each_version() -> None:
    def omci(driver: ZteOlt, **changes: Any) -> list[str]:
        return [line for view, line in lines(driver, placed(omci_style="flow", **changes)) if view == OMCI]

    assert omci(ZteZxan()) == [
        "flow 1 switch switch_0/1",
        "gemport 1 flow 1",
        "flow mode 1 tag-filter vlan-filter untag-filter discard",
        "flow 1 pri 0 vlan 3001",
        "vlan port eth_0/1 mode tag vlan 3001",
    ]
    assert omci(ZteZxan(grammar=V12))[2:4] == [
        "flow mode 1 tag-filter vid-filter untag-filter discard",
        "flow 1 priority 0 vid 3001",
    ]
    assert omci(ZteZxan(), native_vlan=False)[-1] == "switchport-bind switch_0/1 veip 1"


def test_a_shared_outer_tag_is_left_to_the_port() -> None:
    sent = lines(ZteZxan(), placed(service_model="shared"))
    assert (ONU_VIEW, "service-port 1 vport 1 user-vlan 3001 vlan 3001") in sent
    assert not any("qinq" in line for _, line in sent)


def test_another_gem_port_user_vlan_and_ethernet_port() -> None:
    sent = [line for _, line in lines(ZteZxan(), placed(gemport=5, user_vlan=77, eth_port=2))]
    assert "service-port 1 vport 5 user-vlan 77 vlan 3001 svlan 2000" in sent
    assert sent[-2:] == ["service 1 gemport 5 vlan 77", "vlan port eth_0/2 mode tag vlan 77"]
    assert not any("eth_0" in line for _, line in lines(ZteZxan(), placed(native_vlan=False)))


def test_without_a_service_there_is_the_onu_and_its_mark() -> None:
    assert lines(ZteZxan(), placed(service_model="none", vlans=None)) == REGISTER[:2]


def test_epon_registers_by_mac_and_is_enabled() -> None:
    auth = OnuAuth(mac="543E.6496.F469")
    epon = {"auth": auth, "technology": "epon", "service_model": "none", "vlans": None}
    assert lines(ZteZxan(), placed(**epon)) == [
        ("config-if-epon-olt_1/2/5", "onu 3 type LAB-1GE mac 543e.6496.f469"),
        ("config-if-epon-onu_1/2/5:3", f"property description {MARK}"),
        ("config-if-epon-onu_1/2/5:3", "admin enable"),
    ]


def test_secrets_stand_in_no_plan() -> None:
    loid = OnuAuth(loid=Loid(value=SecretStr("LOID12345"), checkcode=SecretStr("CHK1")))
    for auth, words in ((by_password(), "pw ***"), (loid, "loid *** password ***")):
        (first, *_) = changes_of(ZteZxan().register(placed(auth=auth)))
        assert str(first.request) == f"onu 3 type LAB-1GE {words}"
        assert not {"AAA0000010", "LOID12345", "CHK1"} & set(str(first).replace("'", " ").split())


def test_a_long_description_keeps_the_mark() -> None:
    (_, mark, *_) = changes_of(ZteZxan().register(placed(description="x" * 40)))
    assert mark.request.line == f"description {MARK}_{'x' * 14}"


def test_a_removal_takes_the_onu_and_all_that_hangs_on_it() -> None:
    for driver, view in ((ZteZxan(), PORT_VIEW), (ZteTitan(), "config-if-gpon_olt-1/2/5")):
        made = [change.creates for change in changes_of(driver.register(placed())) if change.creates]
        (removal,) = changes_of(driver.remove(placed().ownership, tuple(made)))
        assert (removal.request.view, removal.request.line) == (view, "no onu 3")


# ---------------------------------------------------------------------- before a change

PORT_CONFIG = (
    "Building configuration...\n!\ninterface gpon-olt_1/2/5\n  no shutdown\n"
    "  onu 1 type LAB-1GE sn LABU00000E01\n  onu 2 type LAB-1GE sn LABU00000E02\n!\nend"
)
TYPES = "ONU type name:          LAB-1GE\nPON type:               gpon\nDescription:            1ETH"
PROFILES = (
    "Profile name :LAB-100M\n Type           FBW(kbps)   ABW(kbps)   MBW(kbps)\n 4              0           0    102400"
)
WAITING = (
    "OltIndex            Model                SN                 PW\n"
    "{port}      LAB-1                LABU00000D01       N/A"
)


def onu_config(onu: str, *more: str) -> str:
    return "\n".join(
        ["Building configuration...", "!", f"interface {onu}", *(f"  {line}" for line in more), "!", "end"]
    )


def a_device(**changes: str) -> dict[str, str]:
    return {
        "show running-config interface gpon-olt_1/2/5": PORT_CONFIG,
        "show onu-type gpon": TYPES,
        "show gpon profile tcont": PROFILES,
        f"show gpon onu by sn {SERIAL}": NOTHING,
        "show pon onu uncfg": WAITING.format(port="gpon-olt_1/2/5"),
        "show running-config interface gpon-onu_1/2/5:1": onu_config(
            "gpon-onu_1/2/5:1", "service-port 1 vport 1 user-vlan 1001 vlan 1001 svlan 800"
        ),
        "show running-config interface gpon-onu_1/2/5:2": onu_config("gpon-onu_1/2/5:2"),
        **changes,
    }


def test_the_free_id_comes_from_the_running_configuration_not_from_the_proposal() -> None:
    waiting = "OnuIndex                 Sn                  State\ngpon-onu_1/2/5:1         LABU00000D01        unknown"
    answers = a_device(**{"show pon onu uncfg": UNKNOWN, "show gpon onu uncfg": waiting})
    registration, asked = run(ZteZxan().prepare(an_order(), MARK), answers)
    assert registration.onu == ONU
    assert registration.marked_later
    assert asked.index("show pon onu uncfg") < asked.index("show gpon onu uncfg"), "the second form after the first"
    gap = PORT_CONFIG.replace("onu 2", "onu 4")
    answers["show running-config interface gpon-olt_1/2/5"] = gap
    answers["show running-config interface gpon-onu_1/2/5:4"] = onu_config("gpon-onu_1/2/5:4")
    registration, _ = run(ZteZxan().prepare(an_order(), MARK), answers)
    assert registration.onu == PORT.onu(2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"omci_style": "flow"}, "flow style"),
        ({"service_model": "shared"}, "shared SVLAN"),
        ({"auth": OnuAuth(mac="543e.6496.f469"), "technology": "epon", "service_model": "none"}, "EPON"),
    ],
)
def test_what_nobody_has_seen_on_titan_is_refused_with_the_reason(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(NotSupported, match=words):
        next(ZteTitan().prepare(an_order(**changes), MARK))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"auth": OnuAuth(mac="543e.6496.f469"), "technology": "epon"}, "OAM"),
        ({"inbound_traffic": 1, "outbound_traffic": 1}, "traffic tables"),
        ({"gemport": 0}, "counted from 1"),
        ({"auth": OnuAuth(serial=SERIAL, password=Password(value=SecretStr("x")))}, "together"),
        ({"auth": OnuAuth(serial=Serial("0001020304050607"))}, "printable"),
    ],
)
def test_what_nobody_has_seen_on_zxan_is_refused_with_the_reason(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(NotSupported, match=words):
        next(ZteZxan().prepare(an_order(**changes), MARK))


def test_an_order_without_names_is_no_order() -> None:
    for name in ("onu_type", "tcont_profile"):
        with pytest.raises(ConfigError, match=name):
            an_order(**{name: None}).needs(*ZteZxan.order_needs)


@pytest.mark.parametrize(
    ("answers", "kind", "words"),
    [
        ({"show onu-type gpon": TYPES.replace("LAB-1GE", "OTHER")}, NotFound, "it has OTHER"),
        ({"show gpon profile tcont": NOTHING}, NotFound, "T-CONT profile LAB-100M"),
        ({"show pon onu uncfg": WAITING.format(port="gpon-olt_1/2/6")}, WrongPort, "found on 1/2/6"),
        (
            {
                "show running-config interface gpon-olt_1/2/5": NO_SUCH,
                "show card": CARDS["zte_zxan"].replace("16   ", "4    "),
            },
            NotFound,
            "has 4 ports",
        ),
        ({"show running-config interface gpon-olt_1/2/5": NO_SUCH, "show card": CARDS["zte_zxan"]}, Rejected, "20202"),
        ({"show running-config interface gpon-olt_1/2/5": "Hello"}, ParseError, "unknown text"),
    ],
)
def test_refusals_before_any_change(answers: dict[str, str], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        run(ZteZxan().prepare(an_order(), MARK), a_device(**answers))


def test_a_serial_that_is_registered_says_where_and_whose() -> None:
    page = (
        "ONU interface: gpon-onu_1/2/6:9\n  Type:  X\n  Phase state:  LOS\n"
        "  Serial number: LABU00000D01\n  Description: {}"
    )
    for text, hint in (("PONPROBE_99999999", "earlier test run"), ("Somebody", "not ours")):
        answers = a_device(
            **{
                f"show gpon onu by sn {SERIAL}": "SearchResult\n-----------------\ngpon-onu_1/2/6:9",
                "show gpon onu detail-info gpon-onu_1/2/6:9": page.format(text),
            }
        )
        with pytest.raises(AlreadyExists, match=rf"1/2/6:9 \({text}\).*{hint}"):
            run(ZteZxan().prepare(an_order(), MARK), answers)


def test_a_mac_or_a_password_that_another_onu_of_the_port_has_is_refused() -> None:
    taken = PORT_CONFIG.replace("sn LABU00000E02", "pw AAA0000010")
    answers = a_device(**{"show running-config interface gpon-olt_1/2/5": taken})
    with pytest.raises(AlreadyExists, match=r"password \*\*\* is already registered on 1/2/5:2"):
        run(ZteZxan().prepare(an_order(auth=by_password()), MARK), answers)
    order = placed(**{**BY_MAC, "auth": OnuAuth(mac="54:3e:64:96:f4:69")}).order
    with pytest.raises(AlreadyExists, match="54:3e:64:96:f4:69 is already registered on 1/2/5:3"):
        run(ZteZxan().prepare(order, MARK), EPON)


def test_a_shared_tag_must_cover_the_cvlan() -> None:
    order = an_order(service_model="shared")
    row = "Port   CVLAN   SVLAN\ngpon-olt_1/2/5   3001-3300   {}   OK"
    registration, asked = run(ZteZxan().prepare(order, MARK), a_device(**{"show vlan-smart-qinq": row.format(2000)}))
    assert registration.onu == ONU
    assert not any(line.endswith("gpon-onu_1/2/5:1") for line in asked), "nobody's own VLANs matter"
    with pytest.raises(NotFound, match="no shared service port"):
        run(ZteZxan().prepare(order, MARK), a_device(**{"show vlan-smart-qinq": row.format(2001)}))
    with pytest.raises(NotSupported):
        run(ZteZxan().prepare(order, MARK), a_device())


# ---------------------------------------------------------------------- is it ours?


def standing(line: str, *config: str) -> dict[str, str]:
    return {
        "show running-config interface gpon-olt_1/2/5": f"interface gpon-olt_1/2/5\n  {line}\n!\nend",
        "show running-config interface gpon-onu_1/2/5:3": onu_config("gpon-onu_1/2/5:3", *config),
        f"show gpon onu by sn {SERIAL}": "SearchResult\n---------\ngpon-onu_1/2/5:3",
    }


def guarded(owner: Ownership, answers: Mapping[str, str], driver: ZteOlt | None = None) -> tuple[Any, ...]:
    present: tuple[Any, ...]
    present, _ = run((driver or ZteZxan()).guard(owner, ()), answers)
    return present


OURS = "onu 3 type LAB-1GE sn LABU00000D01"
BY_SERIAL = placed().ownership
BY_PASSWORD = placed(auth=by_password()).ownership


@pytest.mark.parametrize(
    ("owner", "line", "config"),
    [
        (BY_SERIAL, OURS, [f"description {MARK}"]),
        (BY_SERIAL, OURS, [f"description {MARK}_lab"]),
        # the session ended between the two lines: no text yet, but our serial in our place
        (BY_SERIAL, OURS, []),
        (BY_SERIAL, OURS, ["description none"]),
        (BY_PASSWORD, "onu 3 type LAB-1GE pw AAA0000010", []),
        (BY_PASSWORD, "onu 3 type LAB-1GE pw ******", [f"description {MARK}"]),
    ],
)
def test_ours(owner: Ownership, line: str, config: list[str]) -> None:
    assert [item.owner for item in guarded(owner, standing(line, *config))] == [owner]
    left, _ = run(ZteZxan().residue(owner, ()), standing(line, *config))
    assert [residue.ours for residue in left] == [True]


@pytest.mark.parametrize(
    ("owner", "line", "config"),
    [
        (BY_SERIAL, OURS, ["description A customer"]),
        (BY_SERIAL, OURS, ["description PONPROBE_99999999"]),
        (BY_SERIAL, OURS, [f"description {MARK}9"]),
        (BY_SERIAL, "onu 3 type LAB-1GE sn STRG00000001", []),
        (BY_SERIAL, "onu 3 type LAB-1GE sn STRG00000001", [f"description {MARK}"]),
        (BY_SERIAL, "onu 3 type LAB-1GE pw AAA0000010", []),
        (BY_PASSWORD, "onu 3 type LAB-1GE pw AAA0000011", []),
        (BY_PASSWORD, OURS, []),
    ],
)
def test_a_stranger_is_never_ours(owner: Ownership, line: str, config: list[str]) -> None:
    with pytest.raises(NotOurs, match="1/2/5:3"):
        guarded(owner, standing(line, *config))
    left, _ = run(ZteZxan().residue(owner, ()), standing(line, *config))
    assert not any(residue.ours for residue in left)


def test_what_cannot_be_read_is_left_alone_and_reported() -> None:
    """By password, no text yet, and a device that covers what the ONU registers by."""
    answers = standing("onu 3 type LAB-1GE")
    with pytest.raises(NotOurs, match="cannot be read"):
        guarded(BY_PASSWORD, answers)
    (left,), _ = run(ZteZxan().residue(BY_PASSWORD, ()), answers)
    assert left.ours
    assert "may be ours" in left.what


def test_the_proof_holds_no_secret() -> None:
    assert BY_PASSWORD.secret_digest is not None
    assert "AAA0000010" not in BY_PASSWORD.model_dump_json()
    other = placed(auth=by_password()).model_copy(update={"mark": "PONPROBE_ffffffff"}).ownership
    assert other.secret_digest != BY_PASSWORD.secret_digest, "salted by the run"
    assert BY_SERIAL.secret_digest is None


def test_one_that_marks_at_once_is_as_strict_as_ever() -> None:
    strict = Ownership(onu=ONU, mark=MARK, serial=SERIAL)
    assert not strict.matches(description=None, serial=SERIAL)
    assert not strict.matches(description="", serial=SERIAL)
    assert strict.matches(description=MARK, serial=SERIAL)


def test_nothing_there_is_nothing_to_remove() -> None:
    answers = standing("onu 4 type LAB-1GE sn STRG00000001")
    answers[f"show gpon onu by sn {SERIAL}"] = NOTHING
    answers["show running-config interface gpon-onu_1/2/5:3"] = NO_SUCH
    assert guarded(BY_SERIAL, answers) == ()
    left, asked = run(ZteZxan().residue(BY_SERIAL, ()), answers)
    assert left == ()
    assert f"show gpon onu by sn {SERIAL}" in asked, "the serial is looked for on the whole OLT"


def test_our_serial_elsewhere_is_reported() -> None:
    answers = standing("onu 4 type LAB-1GE sn STRG00000001")
    answers[f"show gpon onu by sn {SERIAL}"] = "SearchResult\n---------\ngpon-onu_1/2/6:9"
    page = (
        "ONU interface: gpon-onu_1/2/6:9\n  Type: X\n  Phase state: LOS\n"
        "  Serial number: LABU00000D01\n  Description: {}"
    )
    for text, ours in (("Somebody", False), (MARK, True)):
        answers["show gpon onu detail-info gpon-onu_1/2/6:9"] = page.format(text)
        (left,), _ = run(ZteZxan().residue(BY_SERIAL, ()), answers)
        assert (left.where, left.ours) == ("1/2/6:9", ours)


def titan_standing(line: str, *config: str) -> dict[str, str]:
    return {
        "show running-config-interface gpon_olt-1/2/5": f"interface gpon_olt-1/2/5\n  {line}\n$",
        "show running-config-interface gpon_onu-1/2/5:3": "\n".join(["interface gpon_onu-1/2/5:3", *config, "$"]),
    }


def test_titan_covers_the_description_so_the_gem_port_carries_the_mark_too() -> None:
    covered = ("  description ********", f"  gemport 1 name {MARK} tcont 1")
    answers = titan_standing("onu 3 type LAB-1GE pw ******", *covered)
    assert guarded(BY_PASSWORD, answers, ZteTitan())
    assert guarded(BY_SERIAL, titan_standing(OURS, *covered), ZteTitan())
    assert guarded(BY_SERIAL, titan_standing(OURS, "  description ********"), ZteTitan()), "our serial in our place"
    with pytest.raises(NotOurs):
        guarded(BY_SERIAL, titan_standing("onu 3 type LAB-1GE sn STRG00000001", covered[0]), ZteTitan())
    other = "  gemport 1 name PONPROBE_99999999 tcont 1"
    with pytest.raises(NotOurs):
        guarded(BY_SERIAL, titan_standing(OURS, covered[0], other), ZteTitan())


def test_titan_is_read_from_the_inside_where_the_question_is_unknown() -> None:
    flow = ZteTitan().guard(BY_SERIAL, ())
    request = next(flow)
    assert isinstance(request, Batch)
    refused = "%Error 140303: Invalid input detected at '^' marker."
    request = flow.send(tuple(CliReply(line, f"{line.line}\n{refused}\nLAB#", at=AT) for line in request.lines))
    assert [(line.line, line.view) for line in request.lines] == [("show this", "config-if-gpon_olt-1/2/5")]
    text = (
        "show this\ninterface gpon_olt-1/2/5\n  onu 3 type LAB-1GE sn LABU00000D01\n$\nLAB(config-if-gpon_olt-1/2/5)#"
    )
    request = flow.send((CliReply(request.lines[0], text, at=AT),))
    assert [line.view for line in request.lines] == ["config-if-gpon_onu-1/2/5:3"]
    with pytest.raises(StopIteration) as end:
        flow.send((CliReply(request.lines[0], "show this\ninterface gpon_onu-1/2/5:3\n$\nLAB#", at=AT),))
    assert end.value.value


# ---------------------------------------------------------------------- read back

HELD = [f"description {MARK}", "tcont 1 profile LAB-100M", "gemport 1 tcont 1"]
FLOW = "service-port 1 vport 1 user-vlan 3001 vlan 3001 svlan 2000"
TOLD = "pon-onu-mng gpon-onu_1/2/5:3\n  service 1 gemport 1 vlan 3001\n  vlan port eth_0/1 mode tag vlan 3001\n!"
PAGE = (
    "ONU interface: gpon-onu_1/2/5:3\n  Type: LAB-1GE\n  Phase state: OffLine\n"
    f"  Serial number: LABU00000D01\n  Description: {MARK}"
)


def held(**changes: str) -> dict[str, str]:
    return {
        **standing(OURS, *HELD, FLOW),
        "show gpon onu detail-info gpon-onu_1/2/5:3": PAGE,
        "show onu running config gpon-onu_1/2/5:3": TOLD,
        **changes,
    }


def test_what_the_device_holds_is_what_was_ordered() -> None:
    state, _ = run(ZteZxan().read_back(placed()), held())
    assert (state.onu, state.serial, state.description) == (ONU, SERIAL, MARK)


@pytest.mark.parametrize(
    ("line", "config", "told", "words"),
    [
        ("onu 4 type LAB-1GE sn LABU00000D01", [*HELD, FLOW], TOLD, "not there"),
        ("onu 3 type LAB-1GE sn STRG00000001", [*HELD, FLOW], TOLD, "not what was registered"),
        ("onu 3 type OTHER sn LABU00000D01", [*HELD, FLOW], TOLD, "type OTHER"),
        (OURS, [HELD[0], HELD[2], FLOW], TOLD, "T-CONT 1"),
        (OURS, [*HELD[:2], FLOW], TOLD, "GEM port 1"),
        (OURS, HELD, TOLD, "service port 1"),
        (OURS, [*HELD, FLOW.replace("svlan 2000", "svlan 2001")], TOLD, "service port 1"),
        (OURS, [*HELD, FLOW.replace(" svlan 2000", "")], TOLD, "service port 1"),
        (OURS, [*HELD, FLOW.replace("user-vlan 3001", "user-vlan 3002")], TOLD, "service port 1"),
        (OURS, [*HELD, FLOW], TOLD.replace("vlan port", "vlan sport"), "vlan port eth_0/1"),
        (OURS, [*HELD, FLOW], TOLD.replace("gemport 1 vlan 3001", "gemport 1 vlan 3002"), "service 1"),
    ],
)
def test_a_difference_is_not_accepted(line: str, config: list[str], told: str, words: str) -> None:
    answers = {**held(), **standing(line, *config), "show onu running config gpon-onu_1/2/5:3": told}
    with pytest.raises(Rejected, match=words):
        run(ZteZxan().read_back(placed()), answers)


def test_v12_may_show_its_service_line_without_the_usual_words() -> None:
    told = TOLD.replace("service 1 gemport", "service HSI gemport")
    answers = held(**{"show onu running config gpon-onu_1/2/5:3": told})
    assert run(ZteZxan(grammar=V12).read_back(placed()), answers)[0].onu == ONU


# ---------------------------------------------------------------------- optics


def table(quantity: str, *rows: str) -> str:
    return "\n".join([f"Onu                  {quantity}", "-" * 36, *rows])


POWERS = {
    "show pon power olt-tx gpon-olt_1/2/5": "Channel             Tx power\n1(GPON)             3.488(dbm)",
    "show pon power olt-rx gpon-olt_1/2/5": table(
        "Rx power", "gpon-onu_1/2/5:1    -20.1(dbm)", "gpon-onu_1/2/5:2    no signal"
    ),
    "show pon power onu-rx gpon-olt_1/2/5": table(
        "Rx power", "gpon-onu_1/2/5:1    -18.2(dbm)", "gpon-onu_1/2/5:2    N/A"
    ),
    "show pon power onu-tx gpon-olt_1/2/5": table("Tx power", "gpon-onu_1/2/5:1    2.301(dbm)"),
}


def single(number: int, olt_tx: str = "3.5(dbm)") -> dict[str, str]:
    return {
        f"show pon power attenuation gpon-onu_1/2/5:{number}": (
            " up      Rx :-20.2(dbm)      Tx:2.2(dbm)        22.4(dB)\n"
            f" down    Tx :{olt_tx}        Rx:-18.3(dbm)      21.8(dB)"
        )
    }


def test_a_whole_port_is_four_questions() -> None:
    readings, asked = run(ZteZxan().optical_port(PORT)["cli"], POWERS)
    assert len(asked) == 4
    first, second = readings
    assert first.complete
    assert str(first.olt_tx_dbm.source).endswith("show pon power olt-tx gpon-olt_1/2/5")
    assert second.olt_rx_dbm.absence is Absence.NO_SIGNAL
    assert second.onu_tx_dbm.absence is Absence.NOT_REPORTED, "no row is no reading"
    assert second.olt_tx_dbm.value is not None


def test_without_a_question_for_olt_tx_one_onu_tells_it_for_all() -> None:
    answers = {**POWERS, "show pon power olt-tx gpon-olt_1/2/5": UNKNOWN, **single(1)}
    readings, asked = run(ZteZxan().optical_port(PORT)["cli"], answers)
    assert len(asked) == 5
    assert {str(reading.olt_tx_dbm.value) for reading in readings} == {"3.50 dBm"}
    assert "attenuation" in str(readings[1].olt_tx_dbm.source)


def test_without_a_question_for_onu_tx_every_onu_is_asked() -> None:
    answers = {**POWERS, "show pon power onu-tx gpon-olt_1/2/5": UNKNOWN, **single(1), **single(2)}
    readings, asked = run(ZteZxan().optical_port(PORT)["cli"], answers)
    assert len(asked) == 6
    assert [str(reading.onu_tx_dbm.value) for reading in readings] == ["2.20 dBm", "2.20 dBm"]
    assert str(readings[0].olt_rx_dbm.value) == "-20.10 dBm", "what a table tells stays"


def test_one_question_gives_all_four_powers() -> None:
    reading, asked = run(ZteZxan().optical(PORT.onu(1))["cli"], single(1))
    assert asked == ["show pon power attenuation gpon-onu_1/2/5:1"]
    assert reading.complete
    assert reading.device_upstream_attenuation_db is not None


def test_a_ports_own_power_and_the_modules_where_that_is_all() -> None:
    module = "Optical Module Position : gpon_olt-1/2/5\nOptical Module State : online\nTxPower : 11.1(dbm)"
    launch = "Channel             Tx power\n1(GPON)             3.488(dbm)"
    answers = {"show pon power olt-tx gpon_olt-1/2/5": launch, "show optical-module-info gpon_olt-1/2/5": module}
    state, _ = run(ZteTitan().pon_port(PORT)["cli"], answers)
    assert (str(state.olt_tx_dbm.value), str(state.optical.olt_tx_dbm)) == ("3.49 dBm", "11.10 dBm")
    del answers["show pon power olt-tx gpon_olt-1/2/5"]
    state, _ = run(ZteTitan().pon_port(PORT)["cli"], answers)
    assert str(state.olt_tx_dbm.value) == "11.10 dBm"
    assert "module" in str(state.olt_tx_dbm.source)


def test_a_board_is_asked_port_by_port_where_there_are_onus() -> None:
    states = (
        "OnuIndex     Admin State  OMCC State  Phase State  Channel\n"
        "1/2/5:1      enable       enable      working      1(GPON)\n"
        "1/3/1:1      enable       enable      working      1(GPON)\nONU Number: 2/2"
    )
    readings, asked = run(ZteZxan().optical_board(1, 2)["cli"], {**POWERS, "show gpon onu state": states})
    assert len(readings) == 2
    assert len(asked) == 5


# ---------------------------------------------------------------------- EPON


EPON = {
    "show epon onu state epon-olt_1/2/5": (
        "OnuIndex           OnlineStatus  OamStatus    RegMac\n"
        "epon-onu_1/2/5:3   Power Off     idle         0000.0000.0000"
    ),
    "show running-config interface epon-olt_1/2/5": (
        "interface epon-olt_1/2/5\n  onu 3 type LAB-1GE mac 543e.6496.f469 ip-cfg static\n"
        "  onu 5 type LAB-1GE loid ABC12345\n!\nend"
    ),
    "show running-config interface epon-onu_1/2/5:3": onu_config(
        "epon-onu_1/2/5:3", f"property description {MARK}", "admin enable"
    ),
    "show pon power attenuation epon-onu_1/2/5:3": next(iter(single(3).values())),
    "show onu-type epon": TYPES,
    "show pon onu uncfg": NOTHING,
}
BY_MAC = {"auth": OnuAuth(mac="543e.6496.f469"), "technology": "epon", "service_model": "none", "vlans": None}


def test_an_epon_port_answers_the_second_form_of_each_question() -> None:
    driver = ZteZxan()
    listed, _ = run(driver.onus(PORT)["cli"], EPON)
    assert [(state.onu.onu_id, state.run_state, state.mac) for state in listed] == [
        (3, "power off", "54:3e:64:96:f4:69"),
        (5, None, None),
    ]
    state, _ = run(driver.onu_state(ONU)["cli"], EPON)
    assert (state.description, state.online) == (MARK, False)
    reading, _ = run(driver.optical(ONU)["cli"], EPON)
    assert reading.complete


def test_epon_by_mac_from_the_order_to_the_proof() -> None:
    driver, registration = ZteZxan(), placed(**BY_MAC)
    free = EPON["show running-config interface epon-olt_1/2/5"].replace("onu 3 ", "onu 4 ").replace("f469", "f460")
    prepared, asked = run(
        driver.prepare(registration.order, MARK), {**EPON, "show running-config interface epon-olt_1/2/5": free}
    )
    assert prepared.onu == PORT.onu(1)
    assert "show running-config interface epon-olt_1/2/5" in asked
    assert guarded(registration.ownership, EPON)
    state, _ = run(driver.read_back(registration), EPON)
    assert state.mac == "54:3e:64:96:f4:69"
    stranger = {**EPON, "show running-config interface epon-onu_1/2/5:3": onu_config("epon-onu_1/2/5:3")}
    assert guarded(registration.ownership, stranger), "our MAC, and no text yet"
    for line in ("show running-config interface epon-olt_1/2/5",):
        stranger[line] = EPON[line].replace("543e.6496.f469", "543e.6496.f460")
    with pytest.raises(NotOurs):
        guarded(registration.ownership, stranger)


def test_an_onu_that_is_nowhere_is_none_and_not_a_refusal() -> None:
    answers = {"show gpon onu state gpon-olt_1/2/5": NOTHING, "show gpon onu detail-info gpon-onu_1/2/5:3": NO_SUCH}
    assert run(ZteZxan().onu_state(ONU)["cli"], answers)[0] is None
    answers["show gpon onu state gpon-olt_1/2/5"] = (
        "OnuIndex     Admin State  OMCC State  Phase State  Channel\n1/2/5:3  enable  enable  LOS  1(GPON)"
    )
    with pytest.raises(Rejected):
        run(ZteZxan().onu_state(ONU)["cli"], answers)


def test_a_place_in_another_spelling() -> None:
    assert OnuRef.parse("gpon_onu-1/2/5:3") == ONU
