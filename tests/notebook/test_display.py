"""What a cell shows: well-formed, escaped, in words as well as colours, without a secret, without asking a device."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from importlib import import_module
from xml.etree import ElementTree as ET

import pytest
from pydantic import SecretStr
from shown_values import AT, HOSTILE, order, plan, reading, result, swept, verdict

from ponprobe.display import html_of, table_of
from ponprobe.display.parts import ROWS
from ponprobe.evaluate import CONSTRUCTION, link_loss
from ponprobe.flow import Cli
from ponprobe.models._base import Value
from ponprobe.models.acceptance import Registration, Residue
from ponprobe.models.addressing import Loid, OnuRef, Password, PonPort, Serial
from ponprobe.models.device import Board, Conflict, DiscoveredOnu, MacEntry, OltFacts, OnuState
from ponprobe.models.judgement import JudgeOptions, Outcome, Policy
from ponprobe.models.optical import Absence, Db, Dbm
from ponprobe.models.plant import MeasuredLoss, PlantRecord, SplitterReading
from ponprobe.models.run import PlannedLine, Recovery, Removal
from ponprobe.models.service import ServicePort
from ponprobe.optics.comparison import compare
from ponprobe.optics.plant import expected_loss
from ponprobe.optics.siblings import siblings

PLANT = PlantRecord(stages=(8, 8), record_km=2.5)


def parsed(html: str | None) -> ET.Element:
    """Every view is well-formed XML: no name can open or close anything."""
    assert html is not None
    assert html == html.strip()
    return ET.fromstring(html)


def words(html: str | None) -> str:
    """What a reader sees, without the style and the picture's description."""
    root = parsed(html)
    for parent in root.iter():
        for child in list(parent):
            if child.tag.rpartition("}")[2] in {"style", "desc"}:
                parent.remove(child)
    return " ".join(" ".join(root.itertext()).split())


def named(name: str) -> dict[str, Value]:
    """One value of each kind, with a name in every text that somebody else writes."""
    measured = MeasuredLoss(direction="down", loss_db=Db(28.0), u_db=Db(1.0), basis=name)
    at = {"port": PonPort.parse("0/1/0"), "test_onu": Serial("HWTC0B086EA9")}
    splitters = [
        SplitterReading(splitter=f"{name}{n}", onu_rx_dbm=Dbm(power), **at)
        for n, power in enumerate((-18.0, -18.1, -24.0))
    ]
    return {
        "facts": OltFacts(model=name, version=name, hostname=name),
        "board": Board(slot=1, board=name, status=name, ports=16),
        "state": OnuState(onu=OnuRef.parse("0/1/0:7"), description=name, run_state="online", distance_m=2500.0),
        "discovered": DiscoveredOnu(port=PonPort.parse("0/1/0"), model=name, password=SecretStr("CanaryPw9")),
        "mac": MacEntry(mac="00:e0:fc:12:34:56", kind=name),
        "conflict": Conflict(serial=Serial("HWTC0B086EA9"), registered_at=OnuRef.parse("0/1/0:3"), result=name),
        "service": ServicePort(index=3, svlan=2000, state=name),
        "order": order(name),
        "result": result(splitter=name),
        "removal": Removal(
            onu=OnuRef.parse("0/1/0:7"),
            removed=(name,),
            residue=(Residue(what=name, ours=True, where=name),),
            proof=((name, name),),
            note=name,
            at=AT,
        ),
        "recovery": Recovery(
            run_id="0123456789ab", onu=OnuRef.parse("0/1/0:7"), error=name, error_class="ConnectError"
        ),
        "plan": plan().model_copy(update={"lines": (PlannedLine(line=name, view=name, purpose="write", what=name),)}),
        "comparison": compare(PLANT, measured),
        "expected": expected_loss(PLANT, "down"),
        "siblings": siblings(splitters),
        "sweep": swept().model_copy(update={"last_down_cause": name, "run_state": name}),
        "limits": CONSTRUCTION.model_copy(update={"stage": name, "source": name}),
        "options": JudgeOptions(family=name or None),
        "record": PLANT,
        "reading": reading(),
        "verdict": verdict(),
        "loss": link_loss(reading()),
    }


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
@pytest.mark.parametrize("kind", named("x"))
def test_no_name_breaks_out_alone_or_in_a_table(kind: str, name: str) -> None:
    value = named(name)[kind]
    for html in (value._repr_html_(), table_of((value, value))):
        root = parsed(html)
        assert not [each for each in root.iter() if each.tag.rpartition("}")[2] in {"script", "img", "a", "iframe"}]
        assert not [each for each in root.iter() for attribute in each.attrib if attribute.startswith("on")]
        assert html is not None
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", html), "nothing is loaded from anywhere"
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b]", html)


def test_a_hostile_name_is_shown_as_it_was_written() -> None:
    for name in ("=1+1", "<script>alert(1)</script>", "x" * 200, "👩‍🔧 splitter 🔥", "ＦＡＴ－０１　分光器"):
        assert name in "".join(parsed(result(splitter=name)._repr_html_()).itertext())


def test_what_reverses_text_is_shown_as_a_replacement() -> None:
    assert "\ufffdevil\ufffd" in words(OltFacts(model="\u202eevil\u202c")._repr_html_())


@pytest.mark.parametrize("name", [name for name in import_module("ponprobe").__all__ if name != "__version__"])
def test_every_public_value_has_a_display_or_a_text_of_its_own(name: str) -> None:
    public = getattr(import_module("ponprobe"), name)
    if not (inspect.isclass(public) and issubclass(public, Value)):
        return
    shown = {type(each) for each in named("x").values()}
    inline = {"PonPort", "OnuRef", "OnuAuth", "Password", "Loid", "VlanStack", "ProfileRef"}
    others = {"Reading", "Calibration"}  # shown by the view of any value, below
    assert public in shown or name in inline | others


def test_any_value_is_shown_with_its_fields_and_units() -> None:
    text = words(reading().onu_rx_dbm._repr_html_())
    assert "value -18.40 dBm" in text
    assert "source cli: display ont optical-info 0 7" in text
    assert "at 2026-03-01 08:30:00 UTC" in text


def test_places_stay_on_their_line() -> None:
    for value in (PonPort.parse("0/1/0"), OnuRef.parse("0/1/0:7"), order().auth, order().vlans, order().line_profile):
        assert isinstance(value, Value)
        assert value._repr_html_() is None
    assert table_of((PonPort.parse("0/1/0"),)) is None


def test_a_reading_has_numbers_units_sources_and_reasons() -> None:
    text = words(reading(None)._repr_html_())
    assert "power [dBm]" in text
    assert "OLT Tx 3.40 cli: display ont optical-info 0 7 2026-03-01 08:30:00 UTC" in text
    assert "ONU Rx — the ONU is offline" in text
    assert "downstream: ONU Rx is missing: the ONU is offline" in text
    assert "upstream attenuation 22.30 dB" in text


@pytest.mark.parametrize(
    ("onu_rx", "says"),
    [
        (-10.0, "✔ pass 达标"),
        (-19.5, "◒ marginal pass 临界达标"),
        (-20.5, "◇ marginal fail 临界不达标"),
        (-26.0, "✘ fail 不达标"),
        (None, "? undetermined 无法判定"),
    ],
)
def test_a_verdict_says_in_words_and_signs_what_it_colours(onu_rx: float | None, says: str) -> None:
    html = verdict(onu_rx)._repr_html_()
    assert words(html).startswith(says)
    assert "ponprobe-levels" in str(html), "the level diagram stands inline"
    assert "at least -20.00 dBm is asked" in words(html)


def test_a_policy_that_turns_a_number_shows_both_words() -> None:
    turned = verdict(-19.5, policy=Policy.GUARD_ACCEPT)
    assert turned.outcome is Outcome.FAIL
    assert words(turned._repr_html_()).startswith("✘ fail 不达标 ◒ marginal pass 临界达标")


def test_the_numbers_of_a_judgement_never_hide_their_side_of_the_limit() -> None:
    # two decimals would show a miss as -20.00 against -20.00
    cells = [cell.text for cell in parsed(verdict(-20.001)._repr_html_()).iter("td")]
    assert cells[:3] == ["ONU Rx", "-20.001 dBm", "≥ -20.00 dBm"]


def test_a_result_says_whether_the_device_is_clean() -> None:
    assert "device clean" in words(result()._repr_html_())
    unknown = words(result(removed=False)._repr_html_())
    assert "device not proven clean" in unknown
    assert "✔ device clean" not in unknown
    left = Removal(
        onu=OnuRef.parse("0/1/0:7"), residue=(Residue(what="ONU", ours=True, where="x"),), proof=(("q", "a"),), at=AT
    )
    assert "something of ours may be left" in words(left._repr_html_())


def test_a_plan_says_which_lines_change_the_device() -> None:
    root = parsed(plan()._repr_html_())
    strong = [" ".join(row.itertext()) for row in root.iter("tr") if row.get("class") == "pp-act"]
    assert len(strong) == 1
    assert "ont add 0 7" in strong[0]
    assert "2 lines, 1 of them change the OLT" in words(plan()._repr_html_())


def test_a_comparison_shows_expected_worst_excess_and_explanations() -> None:
    text = words(named("x")["comparison"]._repr_html_())
    for part in (
        "plant as recorded 1:8 + 1:8 at 2.5 km",
        "measured [dB] 28.00",
        "worst value [dB]",
        "Explanations, best first",
        "of extra loss: a joint, a connector or a bend",
    ):
        assert part in text


def test_a_table_leaves_out_empty_columns_and_gives_reasons() -> None:
    rows = (
        OnuState(onu=OnuRef.parse("0/1/0:7"), run_state="online", distance_m=2500.0),
        OnuState(onu=OnuRef.parse("0/1/0:8"), run_state="offline", absent={"distance_m": Absence.OFFLINE}),
    )
    text = words(table_of(rows))
    assert "2 × ONU state" in text
    assert "distance [m]" in text
    assert "— the ONU is offline" in text
    assert "mac" not in text


def test_a_table_of_thousands_shows_a_part_and_says_so() -> None:
    html = table_of([swept(onu=f"0/1/0:{n}") for n in range(500)])
    assert len(list(parsed(html).iter("tr"))) == ROWS + 1
    assert f"{ROWS} of 500 rows are shown" in words(html)


def test_kinds_are_told_apart_and_what_is_no_value_is_no_table() -> None:
    assert len(list(parsed(table_of((swept(), reading(), swept()))).iter("table"))) == 2
    assert table_of(()) is None
    assert table_of((reading(), 3)) is None
    assert table_of("text") is None
    assert html_of(3) is None


def test_no_secret_is_shown() -> None:
    secrets = ("CanaryPw9", "CanaryLoid5570", "CanaryChk")
    loid = Loid(value=SecretStr(secrets[1]), checkcode=SecretStr(secrets[2]))
    ordered = order(loid=loid)
    line = str(Cli(f"ont add 0 7 loid-auth {secrets[1]}", secrets=(secrets[1],)))
    registration = Registration(order=ordered, onu=OnuRef.parse("0/1/0:7"), mark="PONPROBE_0123abcd")
    values = (
        ordered,
        order(password=Password(value=SecretStr(secrets[0]))),
        registration,
        plan().model_copy(
            update={"registration": registration, "lines": (PlannedLine(line=line, view="", purpose="write"),)}
        ),
        named("x")["discovered"],
        result().model_copy(update={"order": ordered}),
    )
    for value in values:
        for html in (html_of(value), table_of((value,))):
            assert not [secret for secret in secrets if secret in str(html)]
            assert "***" in str(html) or value is values[-1]


def test_the_style_follows_the_notebook_and_always_sets_paper_with_ink() -> None:
    style = str(parsed(OltFacts(model="x")._repr_html_()).findtext("style"))
    assert "--jp-layout-color0" in style
    assert "--jp-content-font-color1" in style
    assert "prefers-color-scheme:dark" in style
    assert "[data-jp-theme-light='false']" in style
    assert ".vscode-dark" in style
    for selector in re.findall(r"([^{}]*){", style):
        assert "ponprobe" in selector or selector.strip().startswith("@media"), "no rule touches the rest of the page"


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_models_do_not_load_the_display_and_the_display_loads_no_notebook_library() -> None:
    models = "import ponprobe, sys; ponprobe.MeasureResult, ponprobe.Olt; print('ponprobe.display' in sys.modules)"
    assert python(models) == "False"
    heavy = ("IPython", "matplotlib", "pandas", "numpy", "netmiko", "sqlalchemy")
    loaded = f"import sys, ponprobe.display; print([each for each in {heavy} if each in sys.modules])"
    assert python(loaded) == "[]"
    heavy = ("IPython", "matplotlib", "pandas", "numpy")
    loaded = f"import sys, ponprobe.notebook; print([each for each in {heavy} if each in sys.modules])"
    assert python(loaded) == "[]"
