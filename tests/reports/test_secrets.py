"""No secret in any format, package or notebook display of a project that used all of them."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

sys.path.append(str(Path(__file__).parents[1] / "workflow"))  # the example project

import site_plan

from ponprobe.display import html_of, olt_html, table_of
from ponprobe.models.acceptance import ActivationOrder
from ponprobe.models.addressing import Loid, OnuAuth, Password, PonPort, Serial
from ponprobe.models.engineering import ActivationItem, ServiceTest, Splitter
from ponprobe.models.run import Plan
from ponprobe.models.service import ProfileRef, VlanStack
from ponprobe.reports import ReportData, report_data, write_csv, write_html, write_json, write_package, write_xlsx
from ponprobe.reports.tables import TABLES
from ponprobe.workflow.evidence import EvidenceStore

OLT_PASSWORD, ENABLE = "CNRYcli7Pa55word", "CNRYenable22"
ONU_PASSWORD = "CNRYpw4711"
LOID, CHECKCODE = "CNRYloid5570111433", "CNRYchk4321"
COMMUNITY = "CNRYcommunity88"
PPPOE = "CNRYpppoe0815"
CANARIES = (OLT_PASSWORD, ENABLE, ONU_PASSWORD, LOID, CHECKCODE, COMMUNITY, PPPOE)
FORMS = {form for each in CANARIES for form in (each, each.encode().hex(), each.encode().hex().upper())}
BY_PASSWORD, BY_LOID = site_plan.GOOD, site_plan.WEAK
AUTHS = {
    BY_PASSWORD: OnuAuth(serial=Serial("HWTC0CAFE001"), password=Password(value=SecretStr(ONU_PASSWORD))),
    BY_LOID: OnuAuth(loid=Loid(value=SecretStr(LOID), checkcode=SecretStr(CHECKCODE))),
}


class Dialler:
    """A probe of the user's own that knows the PPPoE password."""

    name = "dialler"

    def __init__(self, password: SecretStr) -> None:
        self.password = password

    def run(self, splitter: Splitter, item: ActivationItem) -> ServiceTest:
        assert self.password.get_secret_value() == PPPOE
        return site_plan.dialled(account="test01@example", dial_ok=False, error="691")


@dataclass
class Seen:
    """What came out of the run."""

    data: ReportData
    shown: dict[str, str]
    transcript: str
    plan: Plan
    commands: list[str]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("secrets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site_plan, "scenario_of", lambda original=site_plan.scenario_of: with_canaries(original()))
        with site_plan.open_site(str(folder / "store.sqlite3"), folder, patch.setenv) as site:
            patch.setenv("PONPROBE_TEST_COMMUNITY", COMMUNITY)
            inventory = folder / "ponprobe.toml"
            snmp = f'[olts.ma5683t.snmp]\ncommunity = "env:PONPROBE_TEST_COMMUNITY"\nport = {lab_snmp_port(site)}\n'
            inventory.write_text(inventory.read_text("utf-8") + snmp, "utf-8")
            yield run_of(site)


def with_canaries(scenario: Any) -> Any:
    for spec in scenario.olts:
        spec.password, spec.enable_password, spec.snmp.community = OLT_PASSWORD, ENABLE, COMMUNITY
    return scenario


def lab_snmp_port(site: site_plan.Site) -> int:
    return int(site.lab.olts["ma5683t"].snmp_port)


def run_of(site: site_plan.Site) -> Seen:
    olt = site.lab.olts["ma5683t"]
    port = PonPort.parse(BY_PASSWORD.port)
    splitter = next(ont.splitter for ont in olt.world.onts.values() if ont.port == port)
    olt.world.plug_in("HWTC0CAFE001", port, splitter, password=ONU_PASSWORD)
    olt.world.plug_in("HWTC0CAFE002", port, splitter, loid=LOID, checkcode=CHECKCODE)
    workflow = site.workflow()
    site_plan.enter(workflow)
    outcome = workflow.dispatch(site_plan.PROJECT, list(AUTHS), onus=AUTHS, actor=site_plan.ENGINEER)
    assert {outcome.of(key).line for key in AUTHS} <= {"pass", "fail"}, outcome
    for key in AUTHS:
        workflow.service_test(site_plan.PROJECT, key, Dialler(SecretStr(PPPOE)), actor=site_plan.ENGINEER)
    with site.connect(site_plan.OLTS[0]) as session:
        order = workflow_order()
        plan = session.plan(order)
        result = session.measure(order)
        shown = {
            "the OLT": olt_html(session) + repr(session),
            "the plan": f"{html_of(plan)}{plan!r}",
            "the order": f"{html_of(order)}{order!r}{order}",
            "the result": f"{html_of(result)}{result!r}",
            "what waits": f"{table_of(session.discovered())}{session.discovered()!r}",
            "a table of results": str(table_of([result, result])),
        }
        transcript = session.transcript.text()
    data = report_data(workflow, site_plan.PROJECT)
    return Seen(data=data, shown=shown, transcript=transcript, plan=plan, commands=list(olt.commands))


def workflow_order() -> ActivationOrder:
    return ActivationOrder(
        port=PonPort.parse(BY_LOID.port),
        auth=AUTHS[BY_LOID],
        vlans=VlanStack(svlan=2000, cvlan=3001),
        line_profile=ProfileRef(id=20),
        service_profile=ProfileRef(id=20),
    )


def assert_no_canary(content: bytes, where: str) -> None:
    for form in FORMS:
        assert form.encode() not in content, f"{form} stands in {where}"


def test_the_run_used_its_secrets(seen: Seen) -> None:
    """Without this the tests below could not fail."""
    sent = "\n".join(seen.commands)
    for secret in (ONU_PASSWORD, LOID, CHECKCODE):
        assert secret in sent or secret.encode().hex() in sent.lower(), f"{secret} was never sent to the OLT"
    assert "***" in seen.transcript
    reports = {each.key: each for each in seen.data.opened()}
    assert reports[BY_PASSWORD].item.password == "HWTC0CAFE001 + password ***"
    assert all(reports[key].clean for key in AUTHS)
    assert reports[BY_LOID].service is not None
    assert "snmp" in "".join(table["source"] for table in powers(reports[BY_LOID])), "the community was used"


def powers(report: Any) -> list[dict[str, Any]]:
    return [each.model_dump() for each in report.rounds[-1].readings[0].powers.values()]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_secret_is_in_any_format(seen: Seen, lang: Any) -> None:
    assert_no_canary(seen.data.model_dump_json().encode(), "the facts")
    for write in (write_xlsx, write_html, write_json):
        target = io.BytesIO()
        write(seen.data, target, lang=lang)
        assert_no_canary(target.getvalue(), write.__name__)
    for table in TABLES:
        target = io.BytesIO()
        write_csv(seen.data, target, table=table, lang=lang)
        assert_no_canary(target.getvalue(), f"the CSV of {table.name}")


def test_no_secret_is_in_the_package(seen: Seen, tmp_path: Path) -> None:
    packed = io.BytesIO()
    write_package(
        seen.data,
        packed,
        originals=EvidenceStore(tmp_path / "evidence"),
        transcripts={"a run": seen.transcript},
        complete=False,
    )
    with zipfile.ZipFile(packed) as read:
        names = read.namelist()
        assert any(name.startswith("transcripts/") for name in names)
        for name in names:
            assert_no_canary(name.encode() + read.read(name), name)
            if name.endswith(".xlsx"):
                with zipfile.ZipFile(io.BytesIO(read.read(name))) as book:
                    for part in book.namelist():
                        assert_no_canary(book.read(part), part)


def test_no_secret_is_in_a_notebook_display(seen: Seen) -> None:
    for where, text in seen.shown.items():
        assert text
        assert_no_canary(text.encode(), where)
