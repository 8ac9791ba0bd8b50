"""The values of the process: what they refuse, how inner states look from outside, and that they survive JSON."""

from __future__ import annotations

import inspect
import itertools
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from ponprobe.errors import ConfigError, IllegalTransition, PonprobeError
from ponprobe.evaluate import CONSTRUCTION, judge
from ponprobe.models import engineering
from ponprobe.models._base import Value
from ponprobe.models.acceptance import Residue
from ponprobe.models.addressing import OnuAuth, OnuRef, Password, PonPort, Serial
from ponprobe.models.engineering import (
    ROW_HEADERS,
    STAGE_TRANSITIONS,
    TRANSITIONS,
    ActivationItem,
    ActivationState,
    Actor,
    Decision,
    Event,
    EvidenceItem,
    Failure,
    FaultKind,
    HandheldReading,
    HangTest,
    LineRound,
    OltRecord,
    Place,
    PonPortRecord,
    Project,
    ServiceTest,
    Splitter,
    SplitterKey,
    Stage,
    TestState,
)
from ponprobe.models.optical import Db, Dbm, OpticalReading, Reading
from ponprobe.models.service import VlanStack

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=timezone.utc)
PORT = PonPort.parse("0/1/3")
WHO = Actor(name="王工", role="acceptance_engineer")
CANARY = "Canary99"


def splitter(**more: Any) -> Splitter:
    return Splitter(**{"project": "P1", "name": "一号楼-POS01", "olt": "A", "port": PORT, **more})


def reading() -> OpticalReading:
    onu = PORT.onu(7)
    powers = {"olt_tx_dbm": 3.5, "olt_rx_dbm": -19.0, "onu_tx_dbm": 2.1, "onu_rx_dbm": -18.2}
    taken = {name: Reading(value=Dbm(value), source="cli", at=NOW) for name, value in powers.items()}
    return OpticalReading(onu=onu, **taken)  # type: ignore[arg-type]


def line_round(**more: Any) -> LineRound:
    facts = {
        "splitter": splitter().key,
        "round": 2,
        "splitter_port": 3,
        "onu": PORT.onu(7),
        "serial": Serial("HWTC0B086EA9"),
        "vlans": VlanStack(svlan=1001, cvlan=3901),
        "readings": (reading(),),
        "verdict": judge([reading()], CONSTRUCTION, judged_at=NOW),
        "run_id": "r1",
        "actor": WHO,
        "at": NOW,
    }
    return LineRound(**{**facts, **more})


SAMPLES: list[Value] = [
    WHO,
    Place(latitude=31.2, longitude=121.4, datum="gcj02"),
    OltRecord(name="A", host="10.1.2.3", platform="huawei_smartax"),
    PonPortRecord(olt="A", port=PORT, svlan=1001, line_profile="ftth"),
    splitter(splitter_port=3, ratio=8, stages=(4, 8), distance_km=2.5, place=Place(latitude=1, longitude=2)),
    HangTest(required=False, derived=True, reason="no light yet"),
    Project(id="P1", name="某小区", builder="某施工单位", created_at=NOW),
    Failure(
        error_class="NotFound", message="no", rollback="residue", residue=(Residue(what="x", ours=True, where="y"),)
    ),
    HandheldReading(meter="M", serial="1", accuracy_db=Db(0.2), dbm=Dbm(-18.0), wavelength_nm=1490, at=NOW, actor=WHO),
    line_round(),
    ServiceTest(dial_ok=True, reach_ok=True, address="10.0.0.9", started_at=NOW, account="test01"),
    EvidenceItem(
        kind="result", sha256="0" * 64, bytes=3, file_name="照片.jpg", media_type="image/jpeg", offset="+08:00"
    ),
    Decision(kind="review", accepted=False, fault=FaultKind.DATA, actor=WHO, at=NOW),
    ActivationItem(olt_host="10.1.2.3", port=PORT, splitter="一号楼", splitter_port=3, onu_name="TEST-x-1r1"),
    Event(id="e1", at=NOW, actor=WHO, splitter=splitter().key, name="splitter.added", data={"a": [1, None, "x"]}),
]


@pytest.mark.parametrize("value", SAMPLES, ids=lambda value: type(value).__name__)
def test_every_value_survives_json(value: Value) -> None:
    again = type(value).model_validate_json(value.model_dump_json())
    assert again == value
    assert again.model_dump_json() == value.model_dump_json()


def test_every_public_value_is_among_the_samples() -> None:
    public = {
        kind
        for _, kind in inspect.getmembers(engineering, inspect.isclass)
        if issubclass(kind, Value) and kind.__module__ == engineering.__name__
    }
    assert {type(value) for value in SAMPLES} == public


@pytest.mark.parametrize("value", SAMPLES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_every_value_has_a_json_schema(value: Value, mode: Any) -> None:
    assert type(value).model_json_schema(mode=mode)["type"] == "object"


# --- states ----------------------------------------------------------------------------------------------------------


def test_outside_there_are_four_states_and_only_a_proven_revoke_is_revoked() -> None:
    assert {state.exported for state in ActivationState} == {"未激活", "激活成功", "激活失败", "已撤销激活"}
    revoked = [state for state in ActivationState if state.exported == "已撤销激活"]
    assert revoked == [ActivationState.REVOKED]
    before = [state for state, following in TRANSITIONS.items() if ActivationState.REVOKED in following]
    assert before == [ActivationState.REVOKING]


@pytest.mark.parametrize("state", ["revoking", "revoke_failed", "unknown"])
def test_what_may_still_stand_there_is_shown_as_activated_with_a_flag(state: str) -> None:
    inner = ActivationState(state)
    assert (inner.exported, inner.flag, inner.live) == ("激活成功", inner.label, True)


def test_activating_is_not_yet_activated_and_holds_its_vlans() -> None:
    inner = ActivationState.ACTIVATING
    assert (inner.exported, inner.flag, inner.live) == ("未激活", "激活中", True)


def test_the_four_states_need_no_flag_and_the_ended_ones_are_not_live() -> None:
    states = ActivationState
    four = [states.NOT_ACTIVATED, states.ACTIVATED, states.ACTIVATION_FAILED, states.REVOKED]
    assert [state.flag for state in four] == [None] * 4
    assert [state for state in states if not state.live] == [
        states.NOT_ACTIVATED,
        states.ACTIVATION_FAILED,
        states.REVOKED,
    ]


@given(st.sampled_from(ActivationState), st.sampled_from(ActivationState))
def test_a_state_follows_another_only_if_the_table_says_so(old: ActivationState, new: ActivationState) -> None:
    if new in TRANSITIONS[old]:
        assert old.to(new) is new
        return
    with pytest.raises(IllegalTransition, match="cannot follow") as caught:
        old.to(new, what="分光器一")
    assert (caught.value.old, caught.value.new) == (old.value, new.value)
    assert "分光器一" in str(caught.value)
    assert all(str(code) in (caught.value.hint or "") for code in old.next_states)


def test_no_live_state_ends_without_a_word_of_the_device() -> None:
    """From a live state only a failed activation that was read back, or a proven revoke, leads to one that is not."""
    ways_out = {(old, new) for old, following in TRANSITIONS.items() for new in following if old.live and not new.live}
    states = ActivationState
    assert ways_out == {
        (states.ACTIVATING, states.ACTIVATION_FAILED),
        (states.UNKNOWN, states.ACTIVATION_FAILED),
        (states.REVOKING, states.REVOKED),
    }


def test_every_state_can_be_reached_and_left() -> None:
    reached = {new for following in TRANSITIONS.values() for new in following}
    assert reached == set(ActivationState) - {ActivationState.NOT_ACTIVATED}
    assert all(TRANSITIONS[state] for state in ActivationState)


def test_the_stages_follow_section_5_and_every_failure_goes_back_to_the_data() -> None:
    order = list(Stage)
    for stage, following in itertools.pairwise(order):
        assert stage.to(following) is following
    for stage in order[1:-1]:
        assert Stage.ENGINEERING in stage.next_stages
    assert [stage for stage in Stage if Stage.REVIEW in stage.next_stages] == [Stage.REVOKE]
    assert [stage for stage in Stage if Stage.PUSHED in stage.next_stages] == [Stage.REVIEW]
    assert STAGE_TRANSITIONS[Stage.PUSHED] == frozenset()
    with pytest.raises(IllegalTransition, match="the end"):
        Stage.PUSHED.to(Stage.ENGINEERING)


def test_an_illegal_transition_is_one_of_our_errors() -> None:
    assert issubclass(IllegalTransition, PonprobeError)


def test_labels_are_complete_and_distinct() -> None:
    for kind in (ActivationState, TestState, Stage, FaultKind):
        labels = [each.label for each in kind]
        assert len(set(labels)) == len(labels)
        assert [kind(str(each)) for each in kind] == list(kind)
    assert (TestState.DONE.label, TestState.NOT_DONE.label) == ("已完成", "未完成")


# --- engineering data ------------------------------------------------------------------------------------------------


def test_a_splitters_key_is_olt_port_and_name_and_not_its_port() -> None:
    one, other = splitter(splitter_port=1), splitter(splitter_port=2)
    assert one.key == other.key == ("A", "0/1/3", "一号楼-POS01")
    assert isinstance(one.key, SplitterKey)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"splitter_port": 9, "ratio": 8}, "splitter port 9 does not exist on a 1:8 splitter"),
        ({"splitter_port": 9, "stages": (4, 8)}, "splitter port 9 does not exist"),
        ({"ratio": 16, "stages": (4, 8)}, "the last stage is 1:8"),
        ({"splitter_port": 0}, "greater than or equal to 1"),
        ({"distance_km": float("nan")}, "finite"),
        ({"stages": ()}, "at least 1"),
        ({"name": ""}, "at least 1 character"),
    ],
)
def test_a_splitter_that_cannot_be_is_refused(facts: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        splitter(**facts)


def test_a_splitters_last_port_exists_and_the_whole_split_is_multiplied() -> None:
    last = splitter(splitter_port=8, ratio=8, stages=(4, 8))
    assert last.total_split == 32
    assert splitter().total_split is None


def test_only_the_last_splitter_of_ftth_is_tested() -> None:
    assert splitter().to_be_tested
    assert not splitter(last_stage=False).to_be_tested
    assert not splitter(ftth=False).to_be_tested


@pytest.mark.parametrize("host", ["10.1.2.3", "2001:db8::1", "olt-1.example.net", "localhost"])
def test_an_address_or_a_name_is_taken(host: str) -> None:
    assert OltRecord(name="A", host=f" {host} ").host == host


@pytest.mark.parametrize("host", ["10.1.1.256", "10.1.1", "a b", "", "x; reboot", "-a", "1"])
def test_what_is_no_address_is_refused(host: str) -> None:
    with pytest.raises(ValidationError, match="neither an IPv4 or IPv6 address nor a host name"):
        OltRecord(name="A", host=host)


def project(**more: Any) -> Project:
    return Project(**{"id": "P1", "name": "某小区", "created_at": NOW, **more})


def test_whether_a_project_is_tested_follows_from_its_splitters() -> None:
    assert project().hang_test_of([splitter()]).label == "是"
    assert project().hang_test_of([]).label == "否"
    assert not project().hang_test_of([splitter(ftth=False)]).required


def test_no_with_splitters_needs_a_reason() -> None:
    with pytest.raises(ConfigError, match=r"P1 has 1 FTTH splitter, .* hang_test_reason"):
        project(hang_test=False, hang_test_reason="  ").hang_test_of([splitter()])
    decided = project(hang_test=False, hang_test_reason="分光器未通电").hang_test_of([splitter()])
    assert (decided.required, decided.derived, decided.reason) == (False, True, "分光器未通电")


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        project(created_at=datetime(2026, 3, 2))  # noqa: DTZ001 - that is the point


# --- rounds, tests, decisions ----------------------------------------------------------------------------------------


def test_a_round_needs_a_verdict_or_a_failure() -> None:
    with pytest.raises(ValidationError, match="with a verdict or with the failure"):
        line_round(verdict=None)
    failure = Failure(error_class="WrongPort", message="found on 0/1/4", rollback="rolled_back")
    failed = line_round(verdict=None, readings=(), failure=failure, fault=FaultKind.DATA)
    assert not failed.passed


def test_a_round_with_a_verdict_keeps_its_readings() -> None:
    with pytest.raises(ValidationError, match="keeps the readings"):
        line_round(readings=())


def test_a_round_that_passed_has_no_fault() -> None:
    assert line_round().passed
    with pytest.raises(ValidationError, match="has no fault"):
        line_round(fault=FaultKind.SITE)


def test_a_failure_that_left_something_cannot_say_it_was_rolled_back() -> None:
    left = (Residue(what="ONU 0/1/3:7", ours=True, where="0/1/3:7"),)
    with pytest.raises(ValidationError, match="was not rolled_back"):
        Failure(error_class="SessionLost", message="x", rollback="rolled_back", residue=left)


@pytest.mark.parametrize(
    ("facts", "against"),
    [
        ({"dial_ok": False, "reach_ok": True}, "dial-up"),
        ({"dial_ok": True, "reach_ok": False, "speed_down_mbps": 90.0}, "not reached"),
        ({"dial_ok": True}, "nothing shows that the network was reached"),
        ({"dial_ok": True, "reach_ok": True, "min_speed_down_mbps": 100.0}, "not measured"),
        ({"dial_ok": True, "speed_up_mbps": 9.9, "reach_ok": True, "min_speed_up_mbps": 10.0}, "speed up is 9.9"),
    ],
)
def test_a_service_test_does_not_pass_against_its_facts(facts: dict[str, Any], against: str) -> None:
    found = ServiceTest(started_at=NOW, **facts)
    assert not found.passed
    assert against in found.against[0]
    with pytest.raises(ValidationError, match="cannot have passed"):
        ServiceTest(started_at=NOW, passed=True, **facts)


def test_a_service_test_passes_with_dial_and_reach_and_equality_passes() -> None:
    assert ServiceTest(dial_ok=True, reach_ok=True, started_at=NOW).passed
    assert ServiceTest(dial_ok=True, speed_down_mbps=100.0, min_speed_down_mbps=100.0, started_at=NOW).passed
    # the tester may know better in the other direction
    assert not ServiceTest(dial_ok=True, reach_ok=True, started_at=NOW, passed=False).passed


def test_a_service_test_has_real_addresses() -> None:
    with pytest.raises(ValidationError, match="does not appear to be an IPv4 or IPv6 address"):
        ServiceTest(dial_ok=True, reach_ok=True, started_at=NOW, address="10.0.0")


def test_a_refusal_says_what_is_wrong() -> None:
    with pytest.raises(ValidationError, match="what is wrong"):
        Decision(kind="acceptance", accepted=False, actor=WHO, at=NOW)
    with pytest.raises(ValidationError, match="has no fault"):
        Decision(kind="acceptance", accepted=True, fault=FaultKind.SITE, actor=WHO, at=NOW)


def test_an_accuracy_is_never_negative() -> None:
    with pytest.raises(ValidationError, match="plus-or-minus"):
        HandheldReading(meter="M", accuracy_db=Db(-0.2), dbm=Dbm(-18), at=NOW, actor=WHO)


# --- the activation list ---------------------------------------------------------------------------------------------


def item(**more: Any) -> ActivationItem:
    auth = OnuAuth(serial=Serial("HWTC0B086EA9"), password=Password(value=SecretStr(CANARY)))
    olt = OltRecord(name="A", host="10.1.2.3")
    vlans = VlanStack(svlan=1001, cvlan=3901)
    return ActivationItem.of(splitter(splitter_port=3), olt, onu_name="TEST-x-3r1", auth=auth, vlans=vlans, **more)


def test_the_activation_list_has_the_ten_fields_under_their_names() -> None:
    row = item(state=ActivationState.REVOKE_FAILED, test_state=TestState.DONE).to_row()
    assert tuple(row) == ROW_HEADERS
    assert row == {
        "OLT设备管理IP": "10.1.2.3",
        "OLT PON口名称": "0/1/3",
        "分光器设备名称": "一号楼-POS01",
        "分光器端口号": 3,
        "ONU设备名称": "TEST-x-3r1",
        "ONU端口SVLAN": 1001,
        "ONU端口CVLAN": 3901,
        "PASSWORD": "HWTC0B086EA9 + password ***",
        "激活状态": "激活成功",
        "端口挂测状态": "已完成",
    }


def test_the_activation_list_never_holds_the_password() -> None:
    shown = item()
    assert CANARY not in repr(shown) + str(shown.to_row()) + shown.model_dump_json()


def test_a_name_that_a_device_would_misread_is_refused() -> None:
    with pytest.raises(ValidationError, match="onu_name"):
        ActivationItem(olt_host="h", port=PORT, splitter="s", splitter_port=1, onu_name="a b\nquit")


def test_an_evidence_item_stands_where_its_hash_says() -> None:
    found = EvidenceItem(kind="other", sha256="ab" * 32, bytes=1, file_name="../../x", media_type="text/plain")
    assert found.stored_as == "ab/" + "ab" * 32
    with pytest.raises(ValidationError, match="sha256"):
        EvidenceItem(kind="other", sha256="../../etc/passwd", bytes=1, file_name="x", media_type="text/plain")


def test_a_place_of_an_onu_in_a_round_is_text_in_json() -> None:
    dumped = line_round().model_dump(mode="json")
    assert (dumped["onu"], dumped["splitter"]) == ("0/1/3:7", ["A", "0/1/3", "一号楼-POS01"])
    assert LineRound.model_validate_json(line_round().model_dump_json()).onu == OnuRef(port=PORT, onu_id=7)
