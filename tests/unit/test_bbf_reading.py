"""Replies as text: hostile, strange, and those of a real server where they are beside the project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bbf_device import AT, CAPABILITIES, FIXTURES, Device
from parts import missing
from ponprobe.drivers.bbf import optics, presence
from ponprobe.drivers.bbf.detection import from_hello, library, support_of
from ponprobe.drivers.bbf.driver import BbfXpon
from ponprobe.drivers.bbf.hardware import hardware
from ponprobe.drivers.bbf.profiles import load_profile
from ponprobe.drivers.bbf.running import running
from ponprobe.drivers.bbf.tree import Names, read, serial_of, serial_text
from ponprobe.errors import ConfigError, ParseError
from ponprobe.models.addressing import PonPort, Serial
from ponprobe.models.netconf import NetconfProfile
from ponprobe.models.optical import Dbm, OnuOptical, PortOptical

PROFILE = NetconfProfile()
NAMES = Names()
PORT = PonPort(frame=0, slot=1, port=0)

LAUGHS = '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><data>&b;</data>'
OUTSIDE = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]><data>&x;</data>'


# ---------------------------------------------------------------------- hostile text


@pytest.mark.parametrize("text", [LAUGHS, OUTSIDE, "<!DOCTYPE data SYSTEM 'http://192.0.2.1/x.dtd'><data/>"])
def test_a_document_type_is_refused_before_it_does_anything(text: str) -> None:
    with pytest.raises(ParseError, match="document type"):
        read(text, "a reply")


@pytest.mark.parametrize(
    "text", ["<data>", "no xml", "<data></dat>", "<a/><b/>", "<data>\x01</data>", "<data>&a;</data>"]
)
def test_text_that_is_no_xml_keeps_its_beginning(text: str) -> None:
    with pytest.raises(ParseError, match="a reply: the answer is no XML") as refused:
        read(text, "a reply")
    assert refused.value.text == text


@pytest.mark.parametrize("text", ["", "  ", "<data/>", '<rpc-reply xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"/>'])
def test_nothing_is_nothing(text: str) -> None:
    assert not len(read(text, "a reply"))


def test_an_answer_in_the_middle_of_a_flow_that_is_no_xml_ends_the_flow() -> None:
    device = Device()
    device.get = lambda request: _reply(request, "<data><oops")  # type: ignore[method-assign]
    for routes in (BbfXpon().facts(), BbfXpon().onu_state(PORT.onu(0)), BbfXpon().optical(PORT.onu(0))):
        with pytest.raises(ParseError):
            device.answer(routes)


def _reply(request: object, data: str) -> object:
    from ponprobe.flow import NetconfReply  # noqa: PLC0415

    return NetconfReply(request, data, AT, CAPABILITIES)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<onu-id>0</onu-id>", "<onu-id>none</onu-id>", "'none' is no whole number"),
        ("t:gpon</channel-pair-type>", "zz:gpon</channel-pair-type>", "nobody says what the prefix in 'zz:gpon' means"),
    ],
)
def test_values_of_another_kind_are_not_guessed_at(old: str, new: str, words: str) -> None:
    text = (FIXTURES / "infra.xml").read_text(encoding="utf-8").replace(old, new)
    with pytest.raises(ParseError, match=words):
        running(read(text.replace("config", "data"), "configuration"), NAMES, PROFILE)


def test_prefixes_mean_what_the_document_says() -> None:
    """Another prefix, no prefix at all, and the right prefix of a wrong module."""
    for declaration, text, wanted in (
        ('xmlns:q="urn:bbf:yang:bbf-xpon-types"', "q:gpon", "gpon"),
        ('xmlns="urn:bbf:yang:bbf-xpon-types"', "gpon", "gpon"),
    ):
        body = f"""<data><interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces"><interface><name>P</name>
        <b:channel-pair xmlns:b="urn:bbf:yang:bbf-xpon"><b:channel-pair-type {declaration}>{text}</b:channel-pair-type>
        </b:channel-pair></interface></interfaces></data>"""
        assert running(read(body, "x"), NAMES, PROFILE).pairs["P"].technology == wanted
    strange = (
        '<data><i:interfaces xmlns:i="urn:other"><i:interface><i:name>P</i:name></i:interface></i:interfaces></data>'
    )
    assert not running(read(strange, "x"), NAMES, PROFILE).types


@pytest.mark.parametrize(
    ("name", "port"),
    [
        ("CT.0-1-0", "0/1/0"),
        ("ct/1/2/13", "1/2/13"),
        ("channeltermination.0.1.7", "0/1/7"),
        ("CT.A", None),
        ("CT.0-1-999", None),
    ],
)
def test_ports_by_the_names_of_channel_terminations(name: str, port: str | None) -> None:
    text = (FIXTURES / "infra.xml").read_text(encoding="utf-8").replace(">CT.0-1-0</name>", f">{name}</name>")
    found = running(read(text.replace("config", "data"), "x"), NAMES, PROFILE).terminations[name].port
    assert (None if found is None else str(found)) == port


@pytest.mark.parametrize(
    ("text", "serial"),
    [
        ("HWTC1A2B3C4D", "HWTC1A2B3C4D"),
        ("hwtc1a2b3c4d", "HWTC1A2B3C4D"),
        ("----0b086ea9", "2D2D2D2D0B086EA9"),
        ("x", None),
    ],
)
def test_serials_as_the_models_write_them(text: str, serial: str | None) -> None:
    found = serial_of(text)
    assert found == (None if serial is None else Serial(serial))
    if found is not None:
        assert serial_of(serial_text(found)) == found


# ---------------------------------------------------------------------- detection


def test_everything_that_is_missing_is_named() -> None:
    capabilities = {"urn:ietf:params:netconf:base:1.0"}
    found = support_of(capabilities, {"bbf-xponvani": ("2020-10-13", frozenset())}, PROFILE)
    text = " | ".join(found.missing)
    assert not found.complete
    assert found.versions == ("1.0",)
    for word in ("module bbf-l2-forwarding (", "module bbf-xpon-onu-state (which ONUs shine)", ":candidate"):
        assert word in text
    assert "feature configurable-v-ani-onu-id of bbf-xponvani" in text
    assert "bbf-xponvani (" not in text.replace("of bbf-xponvani (", "")
    assert found.modules == {"bbf-xponvani": "2020-10-13"}


def test_without_a_library_the_hello_counts_and_is_said_to_be_all_there_is() -> None:
    device = Device()
    listed = library(device.library, NAMES)
    device.library = read("<data/>", "x")
    poor = device.answer(BbfXpon().facts()).netconf
    assert poor is not None
    assert poor.missing[0].startswith("its YANG library (RFC 8525 or RFC 7895) is empty")
    assert "module bbf-xponvani (ONUs)" in poor.missing
    device.capabilities = CAPABILITIES | {
        f"urn:x?module={name}&revision={revision}&features={','.join(sorted(features))}"
        for name, (revision, features) in listed.items()
    }
    rich = device.answer(BbfXpon().facts()).netconf
    assert rich is not None
    assert rich.complete
    assert rich.modules["bbf-xponvani"] == "2024-04-23"


def test_the_protocol_is_read_from_the_hello() -> None:
    found = support_of({*CAPABILITIES, "urn:ietf:params:netconf:capability:validate:1.0"}, {}, PROFILE)
    assert (found.versions, found.candidate, found.confirmed_commit) == (("1.0", "1.1"), True, True)
    assert (found.validate_first, found.writable_running, found.rollback_on_error) == (True, False, False)
    running_only = {"urn:ietf:params:netconf:base:1.0", "urn:ietf:params:netconf:capability:writable-running:1.0"}
    assert ":rollback-on-error" in support_of(running_only, {}, PROFILE).missing[-1]
    both = {*running_only, "urn:ietf:params:netconf:capability:rollback-on-error:1.0"}
    assert not any("rollback" in each for each in support_of(both, {}, PROFILE).missing)


def test_modules_of_yang_1_stand_in_the_hello() -> None:
    found = from_hello({"urn:x?module=ietf-interfaces&revision=2014-05-08&features=a,b", *CAPABILITIES})
    assert found == {"ietf-interfaces": ("2014-05-08", frozenset({"a", "b"}))}


OLDER = """<data><modules-state xmlns="urn:ietf:params:xml:ns:yang:ietf-yang-library"><module-set-id>1</module-set-id>
{}</modules-state></data>"""


def test_the_older_form_of_the_library_is_asked_for_when_the_newer_is_empty() -> None:
    device = Device()
    library_text = (FIXTURES / "library.xml").read_text(encoding="utf-8")
    listed = library_text[library_text.index("<module>") : library_text.rindex("</module-set>")]
    kinds = listed.replace("</module>", "<conformance-type>implement</conformance-type></module>")
    imported = "<module><name>bbf-only-imported</name><conformance-type>import</conformance-type></module>"
    device.library = read(OLDER.format(kinds + imported), "x")
    found = device.answer(BbfXpon().facts())
    assert found.netconf is not None
    assert found.netconf.complete
    assert [each.what for each in device.asked][:2] == ["YANG library", "YANG library, older form"]
    assert "bbf-only-imported" not in library(device.library, NAMES)


def test_facts_of_an_olt_with_everything() -> None:
    device = Device()
    found = device.answer(BbfXpon().facts())
    assert (found.model, found.version, found.hostname) == ("SYNTHETIC-OLT", "1.0", None)
    assert found.netconf is not None
    assert found.netconf.complete
    assert len(device.asked) == 3


def test_the_hostname_is_asked_for_where_there_is_one() -> None:
    device = Device()
    device.library[0][0].append(
        read("<module xmlns='urn:ietf:params:xml:ns:yang:ietf-yang-library'><name>ietf-system</name></module>", "x")[0]
    )
    device.apply('<system xmlns="urn:ietf:params:xml:ns:yang:ietf-system"><hostname>南京-OLT-1</hostname></system>')
    assert device.answer(BbfXpon().facts()).hostname == "南京-OLT-1"


def test_an_olt_that_lists_nothing_is_not_asked_for_hardware() -> None:
    device = Device()
    device.library = read("<data/>", "x")
    found = device.answer(BbfXpon().facts())
    assert found.netconf is not None
    assert not found.netconf.complete
    assert len(device.asked) == 2


# ---------------------------------------------------------------------- profiles


def test_profiles_come_by_name_or_from_a_file(tmp_path: Path) -> None:
    assert load_profile("bbf") == NetconfProfile()
    path = tmp_path / "acme.toml"
    path.write_text('handler = "huawei"\npower_unit = "0.1 uW"\n[namespaces]\nbbf-xpon = "urn:acme:xpon"\n')
    found = load_profile(path)
    assert (found.name, found.handler, found.power_unit) == ("acme", "huawei", "0.1 uW")
    assert found.namespaces == {"bbf-xpon": "urn:acme:xpon"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("handler = ", "is no TOML"),
        ('handlr = "huawei"', "handlr: .*known keys are .*handler"),
        ('power_unit = "mW"', "power_unit: "),
        ('port_pattern = "("', "port_pattern: .*not a regular expression"),
        ('onu_component = "{serial.text}"', "onu_component: "),
        ('onu_component = "{"', "onu_component: "),
        ('[names]\nv_ani = "VANI"', "names: .*{mark}"),
        ('[names]\nvani = "VANI.{mark}"', "names: .*vani"),
        ('[names]\nv_ani = "{mark}"\nv_enet = "{mark}"', "names: .*same"),
        ('[names]\nv_ani = "A{mark}{port}"', "names: "),
    ],
)
def test_a_wrong_profile_names_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"wrong.toml.*{words}"):
        load_profile(path)


def test_a_profile_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml.*one of bbf"):
        load_profile(tmp_path / "nowhere.toml")


# ---------------------------------------------------------------------- stored replies


def test_a_stored_reply_becomes_records() -> None:
    driver = BbfXpon()
    state = (FIXTURES / "state.xml").read_text(encoding="utf-8")
    hardware_text = state[state.index("<hardware") : state.index("</hardware>") + len("</hardware>")]
    lists = state[state.index("<interfaces-state") : state.index("</interfaces-state>") + len("</interfaces-state>")]
    found = driver.parse(None, None, hardware_text)
    assert found.kind == "port_optical"
    port = next(each for each in found.records if isinstance(each, PortOptical))
    assert port.olt_tx_dbm == Dbm(3.25)
    onus = [each for each in found.records if isinstance(each, OnuOptical)]
    assert [each.olt_rx_dbm for each in onus if each.olt_rx_dbm] == [Dbm(-22.1), Dbm(-20.5)]
    assert [each.onu_rx_dbm for each in onus if each.onu_rx_dbm] == [Dbm(-19.8)]
    assert [str(each.serial) for each in driver.parse(None, None, lists).records] == [  # type: ignore[attr-defined]
        "HWTC1A2B3C4D",
        "ZTEG0000CAFE",
    ]
    facts = driver.parse(None, None, (FIXTURES / "library.xml").read_text(encoding="utf-8"))
    assert facts.kind == "facts"
    with pytest.raises(ParseError, match="with other in it"):
        driver.parse(None, None, "<data><other/></data>")


def replies(shared: Path, name: str) -> str:
    path = shared / "yang" / "replies" / name
    if not path.exists():
        missing("the replies of the real server are not beside the project")
    return path.read_text(encoding="utf-8")


def test_a_real_servers_powers(shared: Path) -> None:
    """Both forms: NMDA's, where the OLT's link has no class, and the older one, where the ONU's has none."""
    config = running(read(replies(shared, "get-config-interfaces-reply.xml"), "x"), NAMES, PROFILE)
    assert config.terminations["CT.0-1-0"].port == PORT
    onu = config.v_anis["VANI.TEST-1"]
    assert config.place_of(onu) == PORT.onu(127)
    lists = presence.present(read(replies(shared, "get-onu-state-reply.xml"), "x"), NAMES)
    for name in ("get-data-operational-reply.xml", "get-power-reply.xml"):
        answer = optics.Answer(hardware(read(replies(shared, name), "x"), NAMES, None), "netconf", AT)
        link = optics.olt_link(answer, config.terminations["CT.0-1-0"], [onu])
        assert link is not None
        reading = optics.olt_side(answer, PORT.onu(127), onu, link)
        assert optics.onu_link(answer, onu, config, PROFILE) is None
        whole = optics.with_onu_side(answer, reading, optics.only_link(answer, onu, config, lists))
        assert [each.value for each in whole.powers.values()] == [Dbm(3.25), Dbm(-22.1), Dbm(2.31), Dbm(-19.8)]
        assert whole.bias_ma == 12.3


def test_a_real_servers_presence(shared: Path) -> None:
    lists = presence.present(read(replies(shared, "get-onu-state-reply.xml"), "x"), NAMES)
    assert [(str(each.serial), presence.run_state(each.state), each.onu_id, each.unknown) for each in lists] == [
        ("HWTC1A2B3C4D", "online", 127, False),
        ("ZTEG00112233", "present and no v ani known and o5 failed undefined", None, True),
    ]


def test_a_real_servers_library(shared: Path) -> None:
    modules = library(read(replies(shared, "yang-library-reply.xml"), "x"), NAMES)
    assert len([name for name in modules if name.startswith("bbf-")]) >= 31
    capabilities = replies(shared, "hello-capabilities.txt").split()
    found = support_of(capabilities, modules, PROFILE)
    assert found.complete, found.missing
    assert found.modules["bbf-xponvani"] == "2024-04-23"
    assert {"configurable-v-ani-onu-id", "configurable-alloc-id", "tag-rewrites"} <= set(found.features)
    assert (found.versions, found.candidate, found.confirmed_commit) == (("1.0", "1.1"), True, True)


@pytest.mark.parametrize(
    ("name", "refused_class", "words"),
    [
        ("err-data-exists-61.xml", "already_exists", r"already exists\. \(and 60 more\)"),
        ("err-data-missing.xml", "not_found", "does not exist"),
        ("err-lock-denied.xml", "busy", "lock"),
        ("err-bad-vlan.xml", "other", "5001"),
        ("err-unknown-element.xml", "unknown_command", "nown"),
    ],
)
def test_a_real_servers_refusals(shared: Path, name: str, refused_class: str, words: str) -> None:
    found = BbfXpon().parse(None, None, replies(shared, name))
    assert found.refused is not None
    assert found.refused.refused_class == refused_class
    assert re.search(words, found.refused.text)


def test_a_real_servers_other_replies(shared: Path) -> None:
    assert BbfXpon().parse(None, None, replies(shared, "ok.xml")).refused is None
    onus = BbfXpon().parse(None, None, replies(shared, "get-config-interfaces-reply.xml"))
    assert [str(each.onu) for each in onus.records] == ["0/1/0:127"]  # type: ignore[attr-defined]
