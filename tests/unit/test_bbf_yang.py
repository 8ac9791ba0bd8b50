"""Everything that the driver sends, held against the real modules by yanglint; skipped where either is not here."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from pydantic import SecretStr

from bbf_device import Device
from parts import missing
from ponprobe.drivers.bbf.driver import BbfXpon
from ponprobe.drivers.bbf.payloads import Payloads
from ponprobe.models.acceptance import ActivationOrder, Registration, new_mark
from ponprobe.models.addressing import Loid, OnuAuth, Password, PonPort, Serial
from ponprobe.models.netconf import NetconfProfile
from ponprobe.models.service import VlanStack

PORT = PonPort(frame=0, slot=1, port=0)
SERIAL = OnuAuth(serial=Serial("HWTC1A2B3C4D"))
PASSWORD = Password(value=SecretStr("1234567890"))
LOID = OnuAuth(loid=Loid(value=SecretStr("NJ-JN-TEST-0001")))
RESOLVED = {
    "partition": "CPART.0-1-0",
    "pair": "CPAIR.0-1-0",
    "uplink": "UPLINK.0-9-0",
    "tcont_profile": "TDP-TEST-1G",
    "alloc_id": "1127",
    "gemport_id": "1127",
}
NOT_HERE = {
    "urn:bbf:yang:bbf-link-table",
    "urn:bbf:yang:bbf-xponvani-onu-authentication",
    "urn:ietf:params:xml:ns:yang:ietf-system",
    "urn:ietf:params:xml:ns:yang:ietf-yang-library",
}
"""Modules that are not in the folder: what is of them is taken out before, and nothing else may be missing."""
NUMBERS = {
    *("onu-id", "alloc-id", "gemport-id", "parent-rel-pos"),
    *("temperature", "supply-voltage", "tx-bias", "tx-power", "rx-power"),
}
WORDS = {
    "index": "0",
    "vlan-id": "5",
    "oper-state": "enabled",
    "enabled": "true",
    "authentication-method": "loid",
    "mac-address": "00:00:00:00:00:01",
    "expected-serial-number": "HWTC00000001",
    "detected-serial-number": "HWTC00000001",
    "onu-detected-datetime": "2026-01-01T00:00:00Z",
}


@pytest.fixture(scope="session")
def lint(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Return what yanglint finds wrong with some XML: nothing, or its words."""
    tool, modules = shutil.which("yanglint"), shared / "yang" / "modules"
    if tool is None:
        missing("yanglint is not installed (Debian package libyang2-tools)")
    if not modules.is_dir():
        missing("the YANG modules are not beside the project (PONPROBE_SHARED names another place)")
    names = (shared / "yang" / "mods-min.txt").read_text().split()
    files = [str(next(iter([*modules.glob(f"{name}.yang"), *modules.glob(f"{name}@*.yang")]))) for name in names]
    here = {line for path in modules.glob("*.yang") for line in path.read_text().split('"') if line.startswith("urn:")}
    folder = tmp_path_factory.mktemp("yang")

    def look(xml: str, kind: str = "config") -> str:
        top = etree.fromstring(f"<all>{xml}</all>")
        for each in list(top.iter()):
            namespace = etree.QName(each).namespace
            if namespace is not None and namespace not in here and each.getparent() is not None:
                assert namespace in NOT_HERE
                each.getparent().remove(each)
        if not len(top):
            return ""
        path = folder / "data.xml"
        path.write_text("".join(etree.tostring(each, encoding="unicode") for each in top), encoding="utf-8")
        command = [str(tool), "-p", str(modules), "-t", kind, *files, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        words = [line for line in (done.stdout + done.stderr).splitlines() if "expects all includes" not in line]
        return "\n".join(words) or ("" if done.returncode == 0 else f"exit code {done.returncode}")

    return look


def registered(profile: NetconfProfile, **changes: Any) -> tuple[str, Device]:
    """A device with a test ONU on it, and the payload that put it there."""
    order = ActivationOrder(**{"port": PORT, "auth": SERIAL, "vlans": VlanStack(svlan=2001, cvlan=101), **changes})
    registration = Registration(order=order, onu=PORT.onu(127), mark=new_mark(), resolved=RESOLVED)
    driver, device = BbfXpon(profile), Device()
    device.drive(driver.register(registration))
    return registration.mark, device


def configured(device: Device) -> str:
    return "".join(etree.tostring(each, encoding="unicode") for each in device.running)


@pytest.mark.parametrize(
    ("profile", "order"),
    [
        pytest.param({}, {}, id="serial"),
        pytest.param({}, {"auth": OnuAuth(serial=SERIAL.serial, password=PASSWORD)}, id="serial and password"),
        pytest.param({}, {"auth": OnuAuth(password=PASSWORD)}, id="password"),
        pytest.param({}, {"auth": LOID}, id="loid"),
        pytest.param({}, {"auth": OnuAuth(serial=Serial("2D2D2D2D0B086EA9"))}, id="odd vendor code"),
        pytest.param({}, {"native_vlan": False, "user_vlan": 41}, id="router"),
        pytest.param({}, {"native_vlan": False}, id="router with the CVLAN"),
        pytest.param({"outer_tag": "c-vlan"}, {}, id="two 0x8100 tags"),
        pytest.param({}, {"service_model": "none", "vlans": None}, id="no service"),
        pytest.param({}, {"description": "NJ-JN/12#3"}, id="description"),
        pytest.param({"names": {"v_ani": "onu.{mark}"}}, {}, id="a site's names"),
    ],
)
def test_what_is_created_and_what_is_left_are_valid(
    lint: Callable[..., str], profile: dict[str, Any], order: dict[str, Any]
) -> None:
    settings = NetconfProfile(**profile)
    mark, device = registered(settings, **order)
    assert mark in configured(device)
    assert lint(configured(device)) == ""
    device.apply(Payloads(BbfXpon(settings).ask.names, settings).remove(mark))
    assert mark not in configured(device)
    assert lint(configured(device)) == ""
    assert device.snapshot() == Device().snapshot()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<vlan-id>2001</vlan-id>", "<vlan-id>5001</vlan-id>", "5001"),
        (">bbf-xpon-if-type:v-ani<", ">bbf-xpon-if-type:v-anx<", "v-anx"),
        ("CPAIR.0-1-0</preferred", "CPAIR.none</preferred", "CPAIR.none"),
        ("write-dei-0", "write-dei-9", "write-dei-9"),
    ],
)
def test_yanglint_would_see_a_mistake(lint: Callable[..., str], old: str, new: str, words: str) -> None:
    """What finds nothing proves nothing: the same payload with one mistake is refused."""
    _, device = registered(NetconfProfile())
    text = configured(device)
    assert old in text
    assert words in lint(text.replace(old, new))


def test_the_samples_of_a_real_server_are_created_in_the_same_words(shared: Path) -> None:
    """Leaf by leaf what a real server took: names and identity prefixes are ours, everything else is equal."""
    for name, order in {
        "onu-create": {},
        "onu-create-password": {"auth": OnuAuth(serial=SERIAL.serial, password=PASSWORD)},
        "onu-create-loid": {"auth": LOID},
    }.items():
        path = shared / "yang" / "xml" / f"{name}.xml"
        if not path.exists():
            missing("the payloads of the real server are not beside the project")
        sample = etree.parse(path, etree.XMLParser(remove_blank_text=True, remove_comments=True)).getroot()
        given: dict[str, Any] = {"port": PORT, "auth": SERIAL, "vlans": VlanStack(svlan=2001, cvlan=101), **order}
        registration = Registration(
            order=ActivationOrder(**given), onu=PORT.onu(127), mark="PONPROBE_00000000", resolved=RESOLVED
        )
        settings = NetconfProfile()
        ours = Payloads(BbfXpon(settings).ask.names, settings).create(registration)
        wanted = [_plain(each) for each in sample.iter() if each.tag is not etree.Comment][1:]
        have = [_plain(each) for each in etree.fromstring(f"<config>{ours}</config>").iter()][1:]
        assert have == wanted, name


def _plain(element: Any) -> tuple[Any, ...]:
    text = (element.text or "").strip().replace("PONPROBE_00000000", "TEST-1")
    if ":" in text:
        prefix, _, local = text.partition(":")
        text = f"{{{element.nsmap[prefix]}}}{local}"
    if etree.QName(element).localname == "description":
        text = ""
    return (element.tag, text, tuple(element.attrib.items()))


def test_every_filter_asks_for_what_the_models_have(lint: Callable[..., str]) -> None:
    device, driver = Device(names=False), BbfXpon()
    facts = device.answer(driver.facts())
    for each in (BbfXpon(), driver.adapted_to(facts), BbfXpon(NetconfProfile(onu_component="{v_ani}.x"))):
        order = ActivationOrder(port=PORT, auth=SERIAL, vlans=VlanStack(svlan=2001, cvlan=101))
        registration = device.drive(each.prepare(order, new_mark()))
        device.drive(each.register(registration))
        device.drive(each.read_back(registration))
        device.drive(each.guard(registration.ownership, ()))
        device.drive(each.residue(registration.ownership, ()))
        for routes in (
            *(each.facts(), each.boards(), each.pon_ports(), each.pon_port(PORT), each.discovered()),
            *(each.discovered(PORT), each.onus(PORT), each.find(Serial("HWTC0B0000AA")), each.onu_state(PORT.onu(0))),
            *(each.optical(PORT.onu(0)), each.optical_port(PORT), each.optical_board(0, 1), each.macs(PORT.onu(0))),
            *(each.service_ports(PORT), each.service_ports(PORT.onu(0))),
        ):
            device.answer(routes)
        for item in device.drive(each.guard(registration.ownership, ())):
            device.drive(each.remove(registration.ownership, (item,)))
    filters = {request.filter for request in device.asked}
    assert len(filters) > 20
    for text in sorted(filters):
        assert lint(_fleshed(text), "get") == "", text


def _fleshed(text: str) -> str:
    """A filter as data: keys where lists have none, values in leaves that are asked for without one."""
    top = etree.fromstring(f"<filter>{text}</filter>")
    for element in list(top.iter()):
        name, parent = etree.QName(element).localname, element.getparent()
        key = KEYS.get(name) if parent is not None and (len(element) or name in CONTAINERS) else None
        if key is not None and not any(etree.QName(each).localname == key[0] and each.text for each in element):
            namespace = etree.QName(element).namespace
            for old in element.findall(f"{{{namespace}}}{key[0]}"):
                element.remove(old)
            element.insert(0, etree.Element(f"{{{namespace}}}{key[0]}"))
            element[0].text = key[1]
        if parent is not None and not len(element) and not (element.text or "").strip():
            if name in {"type", "class", "channel-pair-type", "onu-presence-state"}:
                parent.remove(element)  # an identity of its own base; what would be wrong here is wrong in the payloads
            elif name in NUMBERS:
                element.text = "300" if name == "alloc-id" else "5"
            elif name in WORDS:
                element.text = WORDS[name]
            elif name not in CONTAINERS:
                element.text = "x"
    return "".join(etree.tostring(each, encoding="unicode") for each in top)


KEYS = {
    **dict.fromkeys(("interface", "component", "tcont", "gemport", "forwarder", "port"), ("name", "x")),
    **dict.fromkeys(("forwarding-database", "traffic-descriptor-profile"), ("name", "x")),
    "mac-address": ("mac-address", "00:00:00:00:00:01"),
    "onu": ("detected-serial-number", "HWTC00000001"),
    "rssi-onu": ("detected-serial-number", "HWTC00000001"),
}
CONTAINERS = {
    *("v-ani", "olt-v-enet", "subif-lower-layer", "inline-frame-processing", "hardware-component"),
    *("power-milliwatts", "power-dbm", "onus-present-on-local-channel-termination"),
    *("rssi-onu", "gemport", "tcont", "untagged"),
}
