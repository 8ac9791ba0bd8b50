"""Which requests make one change, for every kind of server: pure, and the same for the run and for the plan."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import etree
from pydantic import SecretStr

from ponprobe.errors import ConfigError, NotSupported
from ponprobe.flow import NetconfEdit, NetconfGet
from ponprobe.transports.netconf import (
    NMDA,
    NetconfSettings,
    Step,
    cancel_commit,
    get_config,
    get_data,
    get_state,
    offers,
    steps_of,
)

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
WHAT = "register test ONU 0/1/0:3"
EDIT = NetconfEdit(WHAT, '<x xmlns="urn:x" nc:operation="create"><n>a</n></x>', "PONPROBE_7")


def hello(*names: str) -> frozenset[str]:
    return frozenset(f"urn:ietf:params:netconf:capability:{name}" for name in names)


NETOPEER2 = hello(
    "writable-running:1.0",
    "candidate:1.0",
    "confirmed-commit:1.1",
    "rollback-on-error:1.0",
    "validate:1.1",
    "startup:1.0",
)


def texts(capabilities: frozenset[str], *, ends_pending: bool = False, edit: NetconfEdit = EDIT) -> list[str]:
    return [step.text for step in steps_of(edit, capabilities, ends_pending=ends_pending)]


def step(steps: tuple[Step, ...], kind: str) -> etree._Element:
    (found,) = (each for each in steps if each.kind == kind)
    return etree.fromstring(f'<rpc xmlns="{BASE}">{found.rpc}</rpc>')[0]


def shown(element: etree._Element) -> str:
    """The element without namespaces and prefixes."""
    return etree.tostring(element, encoding="unicode").replace(f' xmlns="{BASE}"', "")


def test_all_that_a_full_server_can_do() -> None:
    assert texts(NETOPEER2) == [
        "lock candidate",
        "discard-changes",
        f"edit-config candidate: {WHAT}",
        "validate candidate",
        "commit confirmed 60 s",
        "commit",
        "unlock candidate",
    ]


def test_what_each_request_carries() -> None:
    steps = steps_of(EDIT, NETOPEER2, ends_pending=False)
    assert shown(step(steps, "lock")) == "<lock><target><candidate/></target></lock>"
    assert shown(step(steps, "validate")) == "<validate><source><candidate/></source></validate>"
    confirmed = "<confirmed/><confirm-timeout>60</confirm-timeout><persist>PONPROBE_7</persist>"
    assert shown(step(steps, "commit")) == f"<commit>{confirmed}</commit>"
    # a server refuses a persist-id in a confirmed commit, and a confirming one without it
    assert shown(step(steps, "confirm")) == "<commit><persist-id>PONPROBE_7</persist-id></commit>"
    edit = step(steps, "edit")
    # the order of RFC 6241's schema; no test-option: test-then-set is the default where a server validates
    assert [etree.QName(child).localname for child in edit] == ["target", "default-operation", "error-option", "config"]
    assert edit.findtext("{*}default-operation") == "merge"
    assert edit.findtext("{*}error-option") == "rollback-on-error"
    payload = edit.find("{*}config/{urn:x}x")
    assert payload is not None
    assert payload.get(f"{{{BASE}}}operation") == "create"


def test_a_test_that_the_olt_ends_by_itself() -> None:
    edit = replace(EDIT, revoke_after_s=300)
    assert texts(NETOPEER2, edit=edit)[-2:] == ["commit confirmed 300 s", "unlock candidate"]
    assert step(steps_of(edit, NETOPEER2, ends_pending=False), "commit").findtext("{*}confirm-timeout") == "300"


def test_one_commit_ends_an_earlier_one_and_applies() -> None:
    edit = replace(EDIT, ends="PONPROBE_6")
    steps = steps_of(edit, NETOPEER2, ends_pending=True)
    assert [each.text for each in steps][-2:] == ["commit persist-id PONPROBE_6", "unlock candidate"]
    assert shown(step(steps, "commit")) == "<commit><persist-id>PONPROBE_6</persist-id></commit>"
    assert texts(NETOPEER2, edit=edit) == texts(NETOPEER2), "when it is known to have ended, nothing is different"
    assert texts(NETOPEER2, ends_pending=True) == texts(NETOPEER2), "nothing to end"


CANDIDATE = ("lock candidate", "discard-changes", "edit-config candidate")


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        (hello("candidate:1.0"), [*CANDIDATE, "commit", "unlock candidate"]),
        (
            hello("candidate:1.0", "validate:1.0", "writable-running:1.0"),
            [*CANDIDATE, "validate candidate", "commit", "unlock candidate"],
        ),
        (
            hello("candidate:1.0", "confirmed-commit:1.0"),
            [*CANDIDATE, "commit confirmed 60 s", "commit", "unlock candidate"],
        ),
        (
            hello("writable-running:1.0", "rollback-on-error:1.0", "confirmed-commit:1.1", "validate:1.1"),
            ["lock running", "edit-config running", "unlock running"],
        ),
    ],
)
def test_lesser_servers(capabilities: frozenset[str], expected: list[str]) -> None:
    assert [text.partition(":")[0] for text in texts(capabilities)] == expected
    rpcs = " ".join(each.rpc for each in steps_of(EDIT, capabilities, ends_pending=True))
    # persist came with confirmed-commit:1.1
    assert "persist" not in rpcs
    assert ("rollback-on-error" in rpcs) == offers(capabilities, "rollback-on-error")


@pytest.mark.parametrize(
    ("capabilities", "edit", "why"),
    [
        (frozenset(), EDIT, "neither a candidate nor a writable running"),
        (hello("startup:1.0"), EDIT, "neither a candidate nor a writable running"),
        (hello("writable-running:1.0"), EDIT, "rollback-on-error"),
        (hello("candidate:1.0"), replace(EDIT, revoke_after_s=60), r"confirmed-commit:1\.1"),
        (hello("candidate:1.0", "confirmed-commit:1.0"), replace(EDIT, revoke_after_s=60), r"confirmed-commit:1\.1"),
        (
            hello("writable-running:1.0", "rollback-on-error:1.0", "confirmed-commit:1.1"),
            replace(EDIT, revoke_after_s=60),
            r"confirmed-commit:1\.1 with a candidate",
        ),
    ],
)
def test_what_cannot_be_done_safely_is_not_done(capabilities: frozenset[str], edit: NetconfEdit, why: str) -> None:
    with pytest.raises(NotSupported, match=why) as refused:
        steps_of(edit, capabilities, ends_pending=False)
    assert WHAT in str(refused.value)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("uri", "name", "versions", "found"),
    [
        ("urn:ietf:params:netconf:capability:validate:1.1", "validate", (), True),
        ("urn:ietf:params:netconf:capability:validate:1.1", "validate", ("1.0",), False),
        ("urn:ietf:params:netconf:capability:url:1.0?scheme=file", "url", ("1.0",), True),
        ("urn:ietf:params:netconf:capability:candidate-x:1.0", "candidate", (), False),
        ("urn:ietf:params:xml:ns:netconf:base:1.0?module=ietf-netconf&features=candidate", "candidate", (), False),
    ],
)
def test_capabilities(uri: str, name: str, versions: tuple[str, ...], found: bool) -> None:
    assert offers(frozenset({uri}), name, *versions) is found


def test_questions() -> None:
    request = NetconfGet("optical powers", '<hardware xmlns="urn:h"/>')
    for made, name in (
        (get_config(request), "filter"),
        (get_state(request), "filter"),
        (get_data(request), "subtree-filter"),
    ):
        root = etree.fromstring(f'<rpc xmlns="{BASE}">{made.rpc}</rpc>')[0]
        found = root.find(f"{{*}}{name}")
        assert found is not None
        assert found[0].tag == "{urn:h}hardware"
        assert (found.get("type") == "subtree") == (name == "filter")
    data = etree.fromstring(get_data(request).rpc)
    assert data.tag == f"{{{NMDA}}}get-data"
    store = data[0]
    prefix, _, name = str(store.text).partition(":")
    assert (store.nsmap[prefix], name) == ("urn:ietf:params:xml:ns:yang:ietf-datastores", "operational")
    assert get_data(request).text == "get-data: optical powers"
    assert get_config(replace(request, datastore="running")).text == "get-config: optical powers"


def test_names_that_are_no_xml() -> None:
    edit = replace(EDIT, persist="a<&b", ends="c<&d")
    for pending in (True, False):
        for each in steps_of(edit, NETOPEER2, ends_pending=pending):
            etree.fromstring(each.rpc)
    assert etree.fromstring(cancel_commit("a<&b").rpc).findtext("persist-id") == "a<&b"


def test_settings() -> None:
    settings = NetconfSettings("olt-1", "me", SecretStr("Canary-7pass"))
    assert (settings.port, settings.handler) == (830, "standard")
    assert "Canary" not in repr(settings)
    with pytest.raises(ConfigError, match="host_keys"):
        NetconfSettings("olt-1", "me", SecretStr("x"), host_keys="trust-all")
