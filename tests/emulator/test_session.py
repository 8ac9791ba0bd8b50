"""Login, banner, prompts, line ends, logout, limits: both servers, both personalities."""

from __future__ import annotations

import socket

import paramiko
import pytest

IAC, DO, WILL, WONT = 255, 253, 251, 252


@pytest.mark.parametrize("name", ["ma5683t", "ma5800"])
@pytest.mark.parametrize("access", ["ssh", "telnet"])
def test_first_view_is_user_and_every_view_has_its_prompt(demo_lab, request, name, access):
    talk = request.getfixturevalue(access)(demo_lab.olts[name])
    host = demo_lab.olts[name].world.name
    talk.do("undo smart")
    seen = [talk.do(line).split("\n")[-1] for line in ("enable", "config", "interface gpon 0/1", "quit")]
    assert seen == [f"{host}#", f"{host}(config)#", f"{host}(config-if-gpon-0/1)#", f"{host}(config)#"]
    assert talk.do("interface gpon 0/1").endswith("(config-if-gpon-0/1)#")
    assert talk.do("return").endswith(f"{host}#")
    assert talk.do("disable").endswith(f"{host}>")


def test_profile_views(lab, telnet):
    talk = telnet(lab.olt).setup()
    assert talk.do("ont-lineprofile gpon profile-id 77").endswith("(config-gpon-lineprofile-77)#")
    talk.do("tcont 1 dba-profile-id 8")
    talk.do("gem add 5 eth tcont 1")
    talk.do("gem mapping 5 0 vlan 3009")
    talk.do("quit")
    assert 77 not in lab.olt.world.line_profiles  # nothing is kept without commit
    talk.do("ont-lineprofile gpon profile-id 77 profile-name MINE")
    for line in ("tcont 1 dba-profile-id 8", "gem add 5 eth tcont 1", "gem mapping 5 0 vlan 3009", "commit", "quit"):
        talk.do(line)
    assert lab.olt.world.line_profiles[77].gems == {5: (1, (3009,))}
    assert talk.do("ont-srvprofile gpon profile-id 78").endswith("(config-gpon-srvprofile-78)#")
    for line in ("ont-port eth adaptive pots adaptive", "commit", "quit"):
        talk.do(line)
    assert lab.olt.world.service_profiles[78].eth is None


def test_telnet_line_ends_differ_with_the_family(demo_lab, telnet):
    assert telnet(demo_lab.olts["ma5683t"]).do("enable") == "\r\r\nMA5683T#"
    assert telnet(demo_lab.olts["ma5800"]).do("enable") == "\r\nMA5800-X7#"


def test_ssh_line_ends_are_crlf(demo_lab, ssh):
    assert ssh(demo_lab.olts["ma5683t"]).do("enable") == "\r\nMA5683T#"


def test_newer_banner_tells_of_logins_and_warns_after_the_first_prompt(demo_lab, ssh):
    text = ssh(demo_lab.olts["ma5800"], first_prompt=False).until("recommended to change the password.\r\n")
    assert "Huawei Integrated Access Software (MA5800)." in text
    assert "User last login information:" in text
    assert "Access Type : SSH" in text
    assert text.index("MA5800-X7>") < text.index("  Warning: The user password is set by other")
    older = ssh(demo_lab.olts["ma5683t"], first_prompt=False).until("MA5683T>")
    assert "last login" not in older
    assert "2002-2014" in older


def test_the_notice_can_be_switched(lab, ssh):
    lab.olts["ma5683t"].faults.password_notice = True
    ssh(lab.olts["ma5683t"], first_prompt=False).until(r"MA5683T>\r\n  Warning: (.|\n|\r)*MA5683T>")


@pytest.mark.parametrize("lines", [[], ["enable"]])
def test_logout_asks_and_takes_no_for_no(demo_lab, telnet, lines):
    talk = telnet(demo_lab.olt)
    for line in lines:
        talk.do(line)
    talk.send("quit\r")
    talk.until(r"Please save data before logout\.\s+Are you sure to log out\? \(y/n\)\[n\]:")
    talk.send("n\r")
    talk.until(talk.prompt)
    talk.send("quit\r")
    talk.until(r"\(y/n\)\[n\]:")
    talk.send("y\r")
    assert "  Configuration console exit, please retry to log on" in talk.to_the_end()


def test_mmi_mode_enable_leaves_without_a_question(demo_lab, ssh):
    talk = ssh(demo_lab.olts["ma5800"]).setup()
    talk.do("mmi-mode enable")
    talk.do("quit")
    talk.send("quit\r")
    end = talk.to_the_end()
    assert "log out?" not in end
    assert "console exit" in end


def test_telnet_login_wrong_then_right(demo_lab, telnet):
    talk = telnet(demo_lab.olt, login=False)
    talk.until(">>User name:")
    talk.send("probe\r\n")
    talk.until(">>User password:")
    talk.send("wrong\r\n")
    answer = talk.until(">>User name:")
    assert "Username or password invalid." in answer
    assert "wrong" not in answer
    talk.send("probe\r\0")
    talk.until(">>User password:")
    talk.send("emulated\r\0")
    talk.until("MA5683T>")


def test_telnet_gives_up_after_three_tries(demo_lab, telnet):
    talk = telnet(demo_lab.olt, login=False)
    for _ in range(3):
        talk.until(">>User name:")
        talk.send("probe\r")
        talk.until(">>User password:")
        talk.send("no\r")
    assert talk.to_the_end().count("invalid") == 1


def test_locked_user(lab, telnet):
    lab.olt.faults.locked_users.add("probe")
    talk = telnet(lab.olt, login=False)
    talk.until(">>User name:")
    talk.send("probe\r")
    talk.until(">>User password:")
    talk.send("emulated\r")
    assert "This user has been locked" in talk.to_the_end()


def test_ssh_refuses_a_wrong_password(demo_lab):
    olt = demo_lab.olts["ma5800"]
    with paramiko.Transport(socket.create_connection((olt.host, olt.ssh_port), timeout=20)) as transport:
        transport.start_client(timeout=20)
        with pytest.raises(paramiko.AuthenticationException):
            transport.auth_password("probe", "wrong")


def test_reenter_limit_is_per_user_and_a_logout_frees_a_place(lab, telnet, ssh):
    olt = lab.olt
    olt.faults.reenter_limit = 2
    first, _second = telnet(olt), ssh(olt)
    assert olt.sessions_open == 2
    third = ssh(olt, first_prompt=False)
    assert "Reenter times have reached the upper limit" in third.to_the_end()
    assert "Reenter\r\r\n" not in first.do("enable")
    assert any("probe" in line and line.split()[3] == "2" for line in first.lines("display terminal user all"))
    first.send("quit\r")
    first.until(r"\[n\]:")
    first.send("y\r")
    first.to_the_end()
    telnet(olt)


def test_telnet_negotiation(demo_lab):
    olt = demo_lab.olt
    with socket.create_connection((olt.host, olt.telnet_port), timeout=20) as connection:
        data = b""
        while b">>User name:" not in data:
            data += connection.recv(64)
        for offer in ([WILL, 1], [WILL, 3], [DO, 31], [DO, 24], [DO, 34]):
            assert bytes([IAC, *offer]) in data
        connection.sendall(bytes([IAC, WONT, 34, IAC, DO, 99, IAC, WILL, 88]) + b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0")
        answer = b""
        while len(answer) < 6:
            answer += connection.recv(64)
        assert answer == bytes([IAC, WONT, 99, IAC, 254, 88])
        connection.sendall(b"probe\r\n")
        while b"probe" not in data:
            data += connection.recv(64)


def test_old_crypto_is_all_that_the_old_one_speaks(demo_lab):
    olt = demo_lab.olts["ma5683t"]
    with paramiko.Transport(socket.create_connection((olt.host, olt.ssh_port), timeout=20)) as transport:
        transport.start_client(timeout=20)
        assert transport.host_key_type == "ssh-rsa"
        assert transport.remote_cipher in {"aes128-cbc", "3des-cbc"}
        assert transport.remote_mac == "hmac-sha1"
    with paramiko.Transport(socket.create_connection((olt.host, olt.ssh_port), timeout=20)) as transport:
        transport.set_log_channel("quiet")
        transport.get_security_options().kex = ("curve25519-sha256@libssh.org",)
        with pytest.raises(paramiko.SSHException):
            transport.start_client(timeout=20)


def test_host_key_fingerprint_and_a_new_key(lab):
    olt = lab.olts["ma5800"]

    def seen() -> str:
        with paramiko.Transport(socket.create_connection((olt.host, olt.ssh_port), timeout=20)) as transport:
            transport.start_client(timeout=20)
            return transport.get_remote_server_key().fingerprint

    before = olt.host_key_fingerprint
    assert seen() == before
    olt.regenerate_host_key()
    assert olt.host_key_fingerprint != before
    assert seen() == olt.host_key_fingerprint
