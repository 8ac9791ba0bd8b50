"""The bad habits of the terminal: smart prompts, pager, space key, wrapped echo, carets."""

from __future__ import annotations

import pytest

ADD = "ont add 0 sn-auth 485754430B086EA9 omci ont-lineprofile-id 20 ont-srvprofile-id 20"


def caret(answer: str) -> int:
    return next(line.index("^") for line in answer.replace("\r", "").split("\n") if line.strip() == "^")


def echo(talk, line: str) -> str:
    """The raw echo of a line, which is executed."""
    talk.send(line + "\r")
    sent = talk.until(r"\n").strip("\r\n")
    talk.until(talk.prompt)
    return sent


# ---------------------------------------------------------------------- smart prompts


@pytest.mark.parametrize(
    ("view", "line", "prompt"),
    [
        ("config", "display version", "{ <cr>|backplane<K>|frameid/slotid<S><Length 1-15> }:"),
        ("config", "display vlan 800", "{ <cr>|inner-vlan<K>|to<K> }:"),
        ("config", "display vlan all", "{ <cr>|vlanattr<K>|vlantype<E><mux,standard,smart,super> }:"),
        ("config", "display service-port all", "{ <cr>|e2e<K>|sort-by<K>||<K> }:"),
        ("config", "display service-port port 0/1/0 ont 0", "{ <cr>|gemport<K>|sort-by<K> }:"),
        ("config", "ont-lineprofile gpon profile-id 100", "{ <cr>|profile-name<K> }:"),
        ("config", "port vlan 800 0/8", "{ portlist<S><Length 1-255> }:"),
        ("config", "save", "{ <cr>|configuration<K>|data<K> }:"),
        ("0/1", "ont port native-vlan 0 0 eth 1 vlan 69", "{ <cr>|priority<K> }:"),
        ("0/1", ADD, "{ <cr>|desc<K>|ont-type<K> }:"),
        ("0/1", "display port state", "{ all<K>|portid<U><0,15> }:"),
    ],
)
def test_smart_prompt_of_the_old_one(lab, telnet, view, line, prompt):
    talk = telnet(lab.olts["ma5683t"]).setup(view=view)
    talk.do("smart")
    talk.send(line + "\r")
    assert talk.until(r"\}:").split("\n")[-1] == prompt
    answer = talk.do("")
    assert answer.replace("\r", "").startswith(f"\n  Command:\n          {line} \n")


@pytest.mark.parametrize(
    ("view", "line", "prompt"),
    [
        ("0/1", ADD, "{ <cr>|desc<K>|fiber-route<K>|ont-type<K> }:"),
        ("config", "display ont autofind all", "{ <cr>||<K> }:"),
        (
            "config",
            "service-port 9 vlan 800 gpon 0/1/0 ont 0 gemport 1 multi-service user-vlan 69 tag-transform translate",
            "{ <cr>|bundle<K>|inbound<K>|rx-cttr<K> }:",
        ),
    ],
)
def test_smart_prompt_of_the_new_one(lab, ssh, view, line, prompt):
    talk = ssh(lab.olts["ma5800"]).setup(view=view)
    talk.do("smart")
    talk.send(line + "\r")
    assert talk.until(r"\}:").split("\n")[-1] == prompt
    talk.do("")


def test_smart_mode_is_on_at_login_and_swallows_the_next_command(lab, telnet):
    talk = telnet(lab.olt)
    talk.do("enable")
    talk.do("config")
    talk.send("ont-lineprofile gpon profile-id 100\r")
    talk.until(r"\}:")
    answer = talk.do("gem add 1 eth tcont 1")
    assert "          ont-lineprofile gpon profile-id 100 gemadd1ethtcont1\r\r\n" in answer
    assert "% Too many parameters, the error locates at '^'" in answer
    assert caret(answer) == 46
    assert answer.endswith("MA5683T(config)#")
    assert talk.olt.commands[-1] == "ont-lineprofile gpon profile-id 100 gemadd1ethtcont1"


def test_incomplete_points_one_past_the_end(demo_lab, telnet):
    talk = telnet(demo_lab.olt)
    talk.do("enable")
    talk.do("config")
    talk.send("port vlan 980 0/8\r")
    talk.until(r"\}:")
    answer = talk.do("")
    assert "% Incomplete command, the error locates at '^'" in answer
    assert caret(answer) == 28
    talk.do("undo smart")
    assert "% Incomplete command" in talk.do("port vlan 980 0/8")


# ---------------------------------------------------------------------- the space key


@pytest.fixture
def telnet_in(demo_lab, telnet):
    return lambda view: telnet(demo_lab.olt).setup(view=view)


@pytest.mark.parametrize(
    ("view", "typed", "echoed", "error"),
    [
        ("config", "gem mapping 1 0 vlan 100", "gemmapping10vlan100", ("Unknown command", 16)),
        ("config", "display ont info 0/1 0 0", "display ont info 0/100", ("Parameter error", 33)),
        ("config", "display ont info 0/1/0 0", "display ont info 0/1/00", ("Parameter error", 33)),
        ("config", "display ont optical-info 0/1 0 0", "display ont optical-info0/100", ("Unknown command", 28)),
        ("config", "display ont info summary", "display ont info summary", ("Parameter error", 33)),
        ("config", "screen-length 0 temporary", "screen-length0temporary", ("Unknown command", 16)),
        ("config", "q", "q", ("Ambiguous command", 16)),
        ("0/1", "display ont info 0 1 0 0", "display ont info 0 1 00", ("Too many parameters", 49)),
        ("0/1", "ont delete 0/1/0 0", "ont delete 0/1/00", ("Parameter error", 39)),
        ("0/1", "service-port vlan 69 gpon 0/1/0", "service-portvlan69gpon0/1/0", ("Unknown command", 28)),
        ("0/1", "interface gpon 0/0", "interfacegpon0/0", ("Unknown command", 28)),
    ],
)
def test_a_word_that_is_not_known_here_glues_what_follows(telnet_in, view, typed, echoed, error):
    talk = telnet_in(view)
    talk.send(typed + "\r")
    assert talk.until(r"\n").strip("\r\n") == echoed
    answer = talk.until(talk.prompt)
    assert f"  % {error[0]}, the error locates at '^'" in answer
    assert caret(answer) == error[1]


def test_a_unique_beginning_is_completed_while_typing(demo_lab, telnet):
    talk = telnet(demo_lab.olt).setup()
    assert echo(talk, "disp vers") == "display vers"
    assert echo(talk, "DISPL vlan 800") == "DISPLay vlan 800"
    assert talk.olt.commands[-1] == "DISPLay vlan 800"


def test_blanks_in_quotes_stay(lab, telnet):
    talk = telnet(lab.olt).setup(view="0/1")
    talk.do(f'{ADD} desc "Test of Error Systems Ltd"')
    assert lab.olt.snapshot()["onus"]["0/1/0"]["2"]["description"] == "Test of Error Systems Ltd"


def test_backspace(demo_lab, telnet):
    talk = telnet(demo_lab.olt)
    assert echo(talk, "enablf\x08e") == "enablf\x08 \x08e"
    assert talk.olt.commands[-1] == "enable"


def test_long_echo_is_wrapped_at_column_80(lab, telnet):
    talk = telnet(lab.olt).setup(view="0/1")
    line = "ont add 0 sn-auth 48575443F2D53A8B omci ont-lineprofile-id 20 ont-srvprofile-id 20 desc TEST_20251222"
    assert echo(talk, line) == line.replace("ont-lineprofile-id", "ont-lineprof \x1b[1Dile-id")


# ---------------------------------------------------------------------- pages

ERASER = "\x1b[37D" + " " * 37 + "\x1b[37D"
MORE = r"---- More \( Press 'Q' to break \) ----"


def test_a_page_has_23_lines_and_any_key_goes_on(demo_lab, telnet):
    talk = telnet(demo_lab.olt).setup(paging=True)
    talk.send("display ont info 0 1 0 0\r")
    page = talk.until(MORE)
    assert page.count("\n") == 24  # the echo and 23 lines
    assert page.split("\n")[-2].startswith("  Last down time")
    for key in " \r":
        talk.send(key)
        assert talk.until(MORE).startswith(ERASER)
    talk.send("q")
    assert talk.until(talk.prompt) == f"{ERASER}\r\r\n\r\r\nMA5683T(config)#"


def test_the_pager_eats_the_first_letter_of_the_next_command(lab, telnet):
    talk = telnet(lab.olt).setup(view="0/1", paging=True)
    talk.do("ont port native-vlan 0 0 eth 1 vlan 1001 priority 0")
    talk.send("display ont optical-info 0 0\r")
    talk.until(MORE)
    talk.send("quit\r")
    answer = talk.until(r"uit\r\r\n +\^\r\r\n  % Unknown command.*\r\r\n\r\r\nMA5683T\(config-if-gpon-0/1\)#")
    assert "OLT Rx ONT" not in answer
    assert lab.olt.commands[-1] == "uit"
    talk.send("display ont optical-info 0 0\r")
    talk.until(MORE)
    talk.send("ont delete 0 9\r")
    rest = talk.until("OLT Rx ONT optical power")
    assert rest.startswith(ERASER)
    talk.until(r"nt ?delete(.|\n|\r)*Unknown command(.|\n|\r)*#")


def test_scroll_makes_pages_longer_and_mmi_mode_ends_them(demo_lab, telnet):
    talk = telnet(demo_lab.olt).setup(paging=True)
    talk.do("scroll 512")
    assert "More" not in talk.do("display ont info 0 1 0 0")
    talk.do("scroll")
    talk.send("display ont info 0 1 0 0\r")
    talk.until(MORE)
    talk.send("q")
    talk.until(talk.prompt)
    talk.do("mmi-mode original-output")
    assert "More" not in talk.do("display ont info 0 1 0 0")


def test_mmi_mode_is_for_the_config_view_only(demo_lab, telnet):
    talk = telnet(demo_lab.olt)
    talk.do("enable")
    assert "Unknown command" in talk.do("mmi-mode original-output")


def test_filters_are_of_the_new_one(demo_lab, ssh):
    talk = ssh(demo_lab.olts["ma5800"]).setup(view="0/1", paging=True)
    assert "More" not in talk.do("display ont optical-info 0 0 | include Rx")
    assert "OLT Rx ONT" in talk.do("display ont optical-info 0 0 | include OLT")
    old = ssh(demo_lab.olts["ma5683t"]).setup()
    assert "Too many parameters" in old.do("display ont autofind all | no-more")
