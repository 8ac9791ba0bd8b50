"""Places and identities: every spelling is one value and prints back; what a command line could misread is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from ponprobe.models.acceptance import ActivationOrder, Ownership, Registration, new_mark
from ponprobe.models.addressing import Loid, OnuAuth, OnuRef, Password, PonPort, Serial
from ponprobe.models.service import ProfileRef, VlanStack

ports = st.builds(PonPort, frame=st.integers(0, 9), slot=st.integers(0, 21), port=st.integers(0, 15))


@pytest.mark.parametrize(
    "text",
    ["0/1/3", "0/ 1/3", " 0/1/3 ", "gpon 0/1 3", "GPON 0/1/3", "gpon-olt_0/1/3", "gpon_olt-0/1/3", "epon-olt_0/1/3"],
)
def test_every_spelling_of_a_port_is_one_value(text: str) -> None:
    assert PonPort.parse(text) == PonPort(frame=0, slot=1, port=3)


@pytest.mark.parametrize("text", ["", "0/1", "0-1-3", "0/1/3/4", "0/1/x", "slot 3", "0/1/3; reboot", "0/1/3\nquit"])
def test_what_is_no_port_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is not a PON port"):
        PonPort.parse(text)


@given(ports, st.sampled_from(["plain", "huawei", "zte_zxan", "zte_titan"]), st.sampled_from(["gpon", "epon"]))
def test_a_port_prints_back_in_each_spelling(port: PonPort, spelling: str, technology: str) -> None:
    assert PonPort.parse(port.spelled(spelling, technology)) == port  # type: ignore[arg-type]


@given(ports, st.integers(0, 127), st.sampled_from(["plain", "huawei", "zte_zxan", "zte_titan"]))
def test_an_onu_prints_back_in_each_spelling(port: PonPort, onu_id: int, spelling: str) -> None:
    onu = port.onu(onu_id)
    assert OnuRef.parse(onu.spelled(spelling)) == onu  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["0/1/3", "0/1/3:", "0/1/3:x", "0/1/3:7:8"])
def test_what_is_no_onu_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an ONU"):
        OnuRef.parse(text)


def test_places_are_text_in_json_and_text_is_taken() -> None:
    class Holder(BaseModel):
        port: PonPort
        onu: OnuRef

    holder = Holder.model_validate({"port": "0/1/3", "onu": "0/1/3:7"})
    assert holder.model_dump(mode="json") == {"port": "0/1/3", "onu": "0/1/3:7"}
    assert Holder.model_validate_json(holder.model_dump_json()) == holder


@pytest.mark.parametrize(
    "text",
    [
        "HWTC0B086EA9",
        "hwtc0b086ea9",
        "HWTC-0B086EA9",
        "485754430B086EA9",
        '"485754430b086ea9"',
        "485754430B086EA9 (HWTC-0B086EA9)",
    ],
)
def test_every_spelling_of_a_serial_is_one_value(text: str) -> None:
    serial = Serial(text)
    assert str(serial) == "HWTC0B086EA9"
    assert serial.hex16 == "485754430B086EA9"
    assert serial.vendor_id == "HWTC"
    assert serial == Serial("HWTC0B086EA9")
    assert hash(serial) == hash(Serial("HWTC0B086EA9"))


@pytest.mark.parametrize(
    "text",
    ["", "HWTC", "HWTC0B086EA", "HWTC0B086EA99", "HWTC0B086EAG", "0B086EA9HWTC", "485754430B086EA", "HW?C0B086EA9"],
)
def test_what_is_no_serial_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is not an ONU serial"):
        Serial(text)


def test_a_serial_with_unprintable_vendor_bytes_keeps_its_hex() -> None:
    serial = Serial("00112233AABBCCDD")
    assert str(serial) == serial.hex16 == "00112233AABBCCDD"


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=4, max_size=4), st.integers(0, 2**32 - 1))
def test_the_hex_form_reads_back(vendor: str, number: int) -> None:
    serial = Serial(f"{vendor}{number:08X}")
    assert Serial(serial.hex16) == serial


# -- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "12345678901", "a b", 'a"b', "a?b", "a|b", "a\nb", "ü", "a,b", "a;b", "a`b"])
def test_a_password_that_a_command_line_would_misread_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Password(value=SecretStr(text))
    assert not text or text not in str(refused.value).replace("a ", "")


def test_secrets_do_not_show() -> None:
    password = Password(value=SecretStr("CANARYPW1"))
    loid = Loid(value=SecretStr("CANARYLOID"), checkcode=SecretStr("CANARYCODE"))
    auth, other = OnuAuth(password=password), OnuAuth(loid=loid)
    for shown in (password, loid, auth, other):
        assert "CANARY" not in f"{shown} {shown!r} {shown.model_dump_json()}"
    assert auth.secrets == ("CANARYPW1",)
    assert set(other.secrets) == {"CANARYLOID", "CANARYCODE"}


@pytest.mark.parametrize(
    "fields",
    [{}, {"serial": Serial("HWTC00000001"), "loid": Loid(value=SecretStr("x1"))}],
)
def test_an_onu_proves_itself_in_one_way(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OnuAuth(**fields)  # type: ignore[arg-type]


# -- orders -----------------------------------------------------------------------------------------------------------


def order(**changes: object) -> ActivationOrder:
    fields: dict[str, object] = {
        "port": "0/1/3",
        "auth": OnuAuth(serial=Serial("HWTC00000001")),
        "vlans": VlanStack(svlan=100, cvlan=3901),
        "line_profile": ProfileRef(id=10),
        "service_profile": ProfileRef(id=10),
        **changes,
    }
    return ActivationOrder(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("vlan", [0, 4095, -1, 99999])
def test_a_vlan_outside_1_to_4094_is_refused(vlan: int) -> None:
    with pytest.raises(ValidationError, match="cvlan"):
        VlanStack(svlan=100, cvlan=vlan)


@pytest.mark.parametrize(
    "text", ['say "hi"', "two words", "line\nbreak", "what?", "分光器", "a|b", "x" * 41, "a\tb", "$(x)"]
)
def test_a_description_that_would_reach_the_device_unsafely_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="description"):
        order(description=text)


def test_a_splitter_may_have_any_name_and_it_stays_out_of_what_the_device_gets() -> None:
    name = '分光器 "A"?\n[red]; ont delete 1 all'
    registration = Registration(order=order(splitter=name), onu=OnuRef.parse("0/1/3:7"), mark=new_mark())
    assert registration.order.splitter == name
    assert registration.device_description == registration.mark


@pytest.mark.parametrize("name", ["a b", 'a"b', "a?b", "", "x" * 34, "文件"])
def test_a_profile_name_that_a_command_line_would_misread_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        ProfileRef(name=name)


def test_a_service_needs_its_vlans_and_traffic_tables_come_in_pairs() -> None:
    with pytest.raises(ValidationError, match="SVLAN and CVLAN"):
        order(vlans=None)
    with pytest.raises(ValidationError, match="pair"):
        order(inbound_traffic=7)
    with pytest.raises(ValidationError, match="serial"):
        order(confirm=True, auth=OnuAuth(password=Password(value=SecretStr("1234"))))


# -- ownership --------------------------------------------------------------------------------------------------------


def test_ours_is_what_carries_our_mark_and_does_not_carry_another_serial() -> None:
    mark = new_mark()
    ours = Ownership(onu=OnuRef.parse("0/1/3:7"), mark=mark, serial=Serial("HWTC00000001"))
    assert ours.matches(description=mark, serial=Serial("HWTC00000001"))
    assert ours.matches(description=f"{mark}_north", serial=None)
    assert not ours.matches(description=mark, serial=Serial("HWTC00000002")), "a copied description proves nothing"
    assert not ours.matches(description=new_mark(), serial=Serial("HWTC00000001")), "another run's"
    assert not ours.matches(description=None, serial=Serial("HWTC00000001"))
    assert not ours.matches(description="", serial=None)
    assert not ours.matches(description=f"{mark}0", serial=None), "a longer mark is another mark"
    assert not ours.matches(description=f"x{mark}", serial=None)


def test_marks_do_not_repeat() -> None:
    assert len({new_mark() for _ in range(1000)}) == 1000
