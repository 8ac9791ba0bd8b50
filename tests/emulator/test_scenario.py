"""Scenario files: what is wrong is named; and the lab ends without a trace."""

from __future__ import annotations

import gc
import json
import socket
import threading
import warnings

import pytest

from ponprobe.emulator import Scenario, ScenarioError, builtin_names, builtin_scenario, serve

SMALL = """
olts:
  - name: one
    personality: ma5683t_r015
    hostname: ONE
    boards: {1: {name: H805GPFD, ports: 2}}
    line_profiles: {10: {name: L, gems: {1: {vlans: [100]}}}}
    service_profiles: {10: {name: S}}
    ports:
      0/1/0:
        splitters: [{name: A, ratio: 8, km: 1.0}]
        onts: [{serial: HWTC00000001, splitter: A}]
"""


def test_a_file_and_a_path(tmp_path):
    path = tmp_path / "scenario.yaml"
    path.write_text(SMALL, encoding="utf-8")
    for source in (path, str(path)):
        with serve(source) as lab:
            assert lab.olt is lab.olts["one"]
            assert json.dumps(lab.olt.snapshot())


STRAY = "{id: 0, serial: HWTC00000002, line_profile: 1, service_profile: 10}"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("ratio: 8", "ratio: 9", "olts.0.ports.0/1/0.splitters.0.ratio"),
        ("personality: ma5683t_r015", "personality: other", "olts.0.personality"),
        ("hostname: ONE", "host: ONE", "olts.0.hostname"),
        ("splitter: A", "splitter: B", "splitter 'B', which this port does not have"),
        ("serial: HWTC00000001", "serial: HWTC1", "olts.0.ports.0/1/0.onts.0.serial"),
        ("0/1/0:", "0/2/0:", "port 0/2/0 is on no board"),
        ("km: 1.0", "km: 1.0, fed_by: Z", "fed by 'Z'"),
        ("olts:", "olts: {", "not YAML"),
        ("0/1/0:", "nowhere:", "is not a PON port"),
        ("        onts:", "        optics: Z\n        onts:", "optics class 'Z'"),
        ("        onts:", f"        onus: [{STRAY}]\n        onts:", "no_line_profile"),
    ],
)
def test_errors_name_the_field(old, new, says):
    text = SMALL.replace(old, new)
    assert text != SMALL
    with pytest.raises(ScenarioError, match=r"scenario|one") as error, serve(Scenario.parse(text)):
        pass
    assert says in str(error.value)


def test_unknown_names():
    with pytest.raises(ScenarioError, match="demo_huawei"):
        builtin_scenario("nothing")
    with pytest.raises(ScenarioError, match="no such file"):
        serve("nothing")


@pytest.mark.parametrize("name", builtin_names())
def test_packaged_scenarios_come_up(name):
    with serve(name) as lab:
        assert all(olt.snapshot()["onus"] for olt in lab.olts.values())


def test_close_leaves_no_thread_and_no_socket(ssh, telnet):
    threads = set(threading.enumerate())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with serve("demo_huawei") as lab:
            ports = [(olt.host, port) for olt in lab.olts.values() for port in (olt.ssh_port, olt.telnet_port)]
            telnet(lab.olt)
            silent = socket.create_connection(ports[0])  # a client that never says who it is
            half = socket.create_connection(ports[1])
            transports = {thread for thread in threading.enumerate() if "emulator" in repr(thread)}
            assert lab.olt.sessions_open == 1
        silent.close()
        half.close()
        gc.collect()
    assert lab.olt.sessions_open == 0
    assert set(threading.enumerate()) - threads == transports == set()
    for address in ports:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(address)
    lab.close()


def test_servers_listen_on_loopback_only():
    with serve("demo_huawei") as lab:
        assert {olt.host for olt in lab.olts.values()} == {"127.0.0.1"}


def test_a_custom_command_log_is_a_copy():
    with serve("demo_huawei") as lab:
        lab.olt.commands.append("x")
        assert lab.olt.commands == []
