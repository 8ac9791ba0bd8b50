"""The emulated server with a client that others wrote: ncclient as it comes, in each of its ways to say hello."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from netconf_raw import GET_DATA, HW, IF, inner, no_onu, onu, small
from parts import missing
from ponprobe.emulator import EmulatedOlt, serve

HANDLERS = ("default", "huawei", "huaweiyang")


@pytest.fixture
def manager() -> Callable[..., Any]:
    """Connects to an OLT; the answer is a context manager."""
    if importlib.util.find_spec("ncclient") is None:
        missing("ncclient is not installed")
    module = importlib.import_module("ncclient.manager")

    def connect(olt: EmulatedOlt, handler: str = "default") -> Any:
        return module.connect(
            host=olt.host,
            port=olt.netconf_port,
            username=olt.username,
            password=olt.password,
            hostkey_verify=False,
            allow_agent=False,
            look_for_keys=False,
            timeout=20,
            device_params={"name": handler},
        )

    return connect


def element(text: str) -> Any:
    return etree.fromstring(text.encode())


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_test_onu_from_lock_to_unlock(manager, handler, version):
    with serve(small(versions=[version])) as lab, manager(lab.olt, handler) as client:
        before = lab.olt.snapshot()
        assert client.session_id == "1"
        assert ":candidate" in client.server_capabilities
        assert ":confirmed-commit" in client.server_capabilities
        assert (":base:1.1" in client.server_capabilities) is (version == "1.1")
        with client.locked("candidate"):
            client.discard_changes()
            client.edit_config(target="candidate", config=element(onu()))
            client.validate("candidate")
            client.commit(confirmed=True, timeout="600", persist="p")
        wanted = element(f'<hardware xmlns="{HW}"/>')
        read = client.get(filter=("subtree", wanted)).data_xml
        assert "HWTC1A2B3C4D" in read
        operational = client.dispatch(element(GET_DATA.format(f'<hardware xmlns="{HW}"/>')))
        assert "ONU.T.anilink" in operational.xml
        client.commit(persist_id="p")
        assert not lab.olt.netconf.expire()
        with client.locked("candidate"):
            client.edit_config(target="candidate", config=element(no_onu()))
            client.commit()
        assert lab.olt.snapshot() == before


def test_errors_and_filters(manager):
    with serve(small()) as lab, manager(lab.olt) as client:
        client.edit_config(target="running", config=element(onu()))
        errors = importlib.import_module("ncclient.operations.rpc")
        with pytest.raises(errors.RPCError) as refused:
            client.edit_config(target="candidate", config=element(onu()))
        # as many errors as nodes that exist: what ncclient makes one error of has no tag of its own
        assert len(refused.value.errors) > 30
        assert {each.tag for each in refused.value.errors} == {"data-exists"}
        client.discard_changes()
        with pytest.raises(errors.RPCError) as refused:
            client.commit(persist_id="nobody")
        assert refused.value.tag == "invalid-value"
        found = client.get_config(
            "running", filter=("xpath", f"/*[namespace-uri()='{IF}']/*[*[local-name()='name']='VANI.T']")
        )
        assert "VANI.T" in found.data_xml
        assert "VENET.T" not in found.data_xml
        found = client.get_config("running", filter=("subtree", element(f'<interfaces xmlns="{IF}"/>')))
        assert "VENET.T" in found.data_xml
        assert inner(no_onu()).startswith("<interfaces")


def test_the_configuration_that_is_read_can_be_written_back(manager):
    with serve("demo_netconf") as lab, manager(lab.olt) as client:
        before = lab.olt.snapshot()
        data = client.get_config("running").data_ele
        config = etree.Element("{urn:ietf:params:xml:ns:netconf:base:1.0}config")
        config.extend(list(data))
        client.edit_config(target="candidate", config=config, default_operation="replace")
        client.validate("candidate")
        client.commit()
        assert lab.olt.snapshot() == before
