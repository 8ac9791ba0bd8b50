"""Settings and inventory: who wins, who is named, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from ponprobe import config
from ponprobe.connect import connect
from ponprobe.errors import ConfigError, DriverNotFound, SecretMissing

CANARY = "CANARY-cli-password"
INVENTORY = """
[settings]
samples = 5
reply_timeout_s = 12.5

[olts.lab]
host = "192.0.2.10"
platform = "huawei_smartax"
username = "acceptance"
password = "env:LAB_PASSWORD"
"""


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in config.Settings.model_fields:
        monkeypatch.delenv(f"PONPROBE_{name.upper()}", raising=False)
    monkeypatch.delenv("PONPROBE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def written(folder: Path, text: str) -> Path:
    file = folder / "ponprobe.toml"
    file.write_text(text, "utf-8")
    return file


def test_keyword_beats_environment_beats_file_beats_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, INVENTORY)
    monkeypatch.setenv("PONPROBE_SAMPLES", "7")
    monkeypatch.setenv("PONPROBE_BUSY_WAIT_S", "9")
    loaded = config.load(samples=9, online_timeout_s=None)
    assert (loaded.settings.samples, loaded.origins["samples"]) == (9, "keyword")
    assert (loaded.settings.busy_wait_s, loaded.origins["busy_wait_s"]) == (9.0, "environment PONPROBE_BUSY_WAIT_S")
    assert loaded.settings.reply_timeout_s == 12.5
    assert Path(loaded.origins["reply_timeout_s"]).resolve() == file.resolve()
    assert loaded.origins["online_timeout_s"] == "default"
    assert loaded.settings.journal == str(tmp_path / "state" / "ponprobe" / "journal.sqlite3")


def test_without_any_file_the_defaults_hold() -> None:
    loaded = config.load()
    assert loaded.file is None
    assert set(loaded.origins.values()) == {"default"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[settings]\nsample = 3", "sample .*is not a known name"),
        ("[settings]\nsamples = 0", "samples .*greater than or equal to 1"),
        ('[settings]\nhost_keys = "ignore"', "host_keys"),
        ("[setting]\nsamples = 3", r"unknown section \[setting\]"),
        ("settings = 3", r"write \[settings\]"),
        ("olts = 3", r"write \[olts.NAME\]"),
        ("[olts]\nlab = 3", r"write \[olts.lab\]"),
        ("samples = ", "cannot be read"),
        ('[olts.lab]\nhost = "192.0.2.10"', "olts.lab.platform"),
        ('[olts.lab]\nhost = "a b"\nplatform="p"\nusername="u"\npassword="ask:"', "olts.lab.host"),
        (INVENTORY + 'access = "ftp"', "olts.lab.access"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ConfigError, match=words) as refused:
        config.load(file)
    assert "ponprobe.toml" in str(refused.value)


def test_a_password_in_plain_text_is_refused_and_not_repeated(tmp_path: Path) -> None:
    file = written(tmp_path, INVENTORY.replace("env:LAB_PASSWORD", CANARY))
    with pytest.raises(ConfigError, match="plain text") as refused:
        config.load(file)
    assert CANARY not in str(refused.value)
    assert CANARY not in repr(refused.value.__cause__)


def test_a_file_that_is_named_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        config.load("nowhere.toml")
    monkeypatch.setenv("PONPROBE_CONFIG", "elsewhere.toml")
    with pytest.raises(ConfigError, match=r"elsewhere\.toml"):
        config.load()


def test_an_olt_is_found_by_name_or_host_and_the_unknown_gets_the_list(tmp_path: Path) -> None:
    loaded = config.load(written(tmp_path, INVENTORY))
    assert loaded.olt("lab") is loaded.olt("192.0.2.10")
    with pytest.raises(ConfigError, match="known: lab"):
        loaded.olt("prod")


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_references_are_read_when_they_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = config.load(written(tmp_path, INVENTORY)).olt("lab")
    with pytest.raises(SecretMissing, match="LAB_PASSWORD"):
        _ = entry.secret
    monkeypatch.setenv("LAB_PASSWORD", CANARY)
    assert entry.secret.get_secret_value() == CANARY
    assert CANARY not in repr(entry)
    place = tmp_path / "secret"
    place.write_text(f"{CANARY}\n", "utf-8")
    assert config.resolve(f"file:{place}", "x").get_secret_value() == CANARY
    assert config.resolve(SecretStr(CANARY), "x").get_secret_value() == CANARY


@pytest.mark.parametrize("reference", ["env:NOT_SET_ANYWHERE", "file:/nowhere/at/all", "ask:"])
def test_a_reference_that_leads_nowhere_says_so(reference: str) -> None:
    with pytest.raises(SecretMissing, match="the password of u"):
        config.resolve(reference, "the password of u")


def test_plain_text_is_no_secret() -> None:
    with pytest.raises(ConfigError, match="SecretStr") as refused:
        config.resolve(CANARY, "the password of u")
    assert CANARY not in str(refused.value)


# -- connecting without sending anything --------------------------------------------------------------------------


def test_an_unknown_platform_names_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(DriverNotFound, match="huawei_smartax"):
        connect("192.0.2.1", platform="acme", username="u", password=SecretStr("p"))


def test_a_host_without_credentials_says_what_is_missing() -> None:
    with pytest.raises(ConfigError, match="--username"):
        connect("192.0.2.1", platform="huawei_smartax")


def test_a_wrong_port_or_access_is_named() -> None:
    with pytest.raises(ConfigError, match="port"):
        connect("192.0.2.1", platform="huawei_smartax", username="u", password=SecretStr("p"), port=70000)


def test_an_olt_without_any_road_for_questions_is_refused() -> None:
    how = {"platform": "huawei_smartax", "username": "u", "password": SecretStr("p")}
    with pytest.raises(ConfigError, match=r"by SNMP alone, and SNMP is not configured.*put cli into routes"):
        connect("192.0.2.1", **how, routes="snmp")
    connect("192.0.2.1", **how, routes="snmp, cli").close()
