"""A report is what the store says: built from a Workflow, with and without emulated OLTs, and without any secret."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from report_samples import ENGINEER, optical

sys.path.append(str(Path(__file__).parents[1] / "workflow"))  # the example project

import site_plan

from ponprobe.errors import ConfigError
from ponprobe.models.addressing import OnuAuth, Password, Serial
from ponprobe.models.engineering import FaultKind, SplitterKey
from ponprobe.reports import report_data, write_csv, write_html, write_json, write_package, write_xlsx
from ponprobe.store.database import Store
from ponprobe.workflow.evidence import EvidenceStore
from ponprobe.workflow.process import Workflow

GOOD, WEAK = site_plan.GOOD, site_plan.WEAK
ONU_PASSWORD = "CNRYpw4711"


@pytest.fixture
def workflow(tmp_path: Path) -> Any:
    with Store(tmp_path / "store.sqlite3") as store:
        workflow = Workflow(store)
        site_plan.enter(workflow)
        yield workflow


def test_the_data_are_what_the_workflow_says(workflow: Workflow) -> None:
    project = site_plan.PROJECT
    workflow.enter_round(project, GOOD, [optical(-15.2)], actor=ENGINEER)
    workflow.enter_round(project, WEAK, [optical(-25.2)], actor=ENGINEER)
    workflow.add_evidence(project, WEAK, site_plan.photo("position"), actor=ENGINEER)
    workflow.rectified(project, WEAK, actor=ENGINEER)
    workflow.enter_round(project, WEAK, [optical(-16.2)], actor=ENGINEER)
    workflow.add_evidence(project, WEAK, site_plan.photo("result", 2), actor=ENGINEER)
    data = report_data(workflow, project)
    reports = {each.key: each for each in data.opened()}
    status = workflow.status(project)
    assert tuple(reports) == tuple(each.splitter for each in status.splitters) == tuple(site_plan.SERIALS)
    assert (data.to_test, data.tested, data.passed, data.live) == (6, 0, 0, 0)
    assert {key: each.item for key, each in reports.items()} == {
        SplitterKey(next(key for key in reports if key.name == item.splitter).olt, str(item.port), item.splitter): item
        for item in workflow.activation_list(project)
    }
    for key, each in reports.items():
        assert each.status == next(one for one in status.splitters if one.splitter == key)
        assert each.rounds == workflow.rounds(project, key)
        assert each.evidence == workflow.evidence(project, key)
        assert each.splitter in workflow.splitters(project)
    weak = reports[WEAK]
    assert [each.round for each in weak.rounds] == [1, 2]
    assert weak.round is not None
    assert weak.round.round == 2
    # what was handed in for the earlier build is kept, shown, and not counted
    assert [each.kind for each in weak.evidence] == ["position", "result"]
    assert [each.kind for each in weak.current_evidence] == ["result"]
    assert reports[GOOD].not_compared == "not_recorded: stages, distance_km"
    with pytest.raises(ConfigError, match="no project"):
        report_data(workflow, "nothing")


def test_a_splitter_that_was_sent_back_says_so(workflow: Workflow) -> None:
    workflow.send_back(site_plan.PROJECT, GOOD, FaultKind.DATA, actor=ENGINEER)
    target = io.StringIO()
    page = io.BytesIO()
    write_html(report_data(workflow, site_plan.PROJECT), page)
    assert "退回工程资料录入，修改资源资料" in page.getvalue().decode()
    assert not target.getvalue()


def test_no_secret_is_in_any_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = GOOD
    auth = OnuAuth(serial=Serial("HWTC0CAFE001"), password=Password(value=SecretStr(ONU_PASSWORD)))
    with site_plan.open_site(str(tmp_path / "store.sqlite3"), tmp_path, monkeypatch.setenv) as site:
        world = site.lab.olts["ma5683t"].world
        port = next(ont.port for ont in world.onts.values() if str(ont.port) == key.port)
        splitter = next(ont.splitter for ont in world.onts.values() if ont.port == port)
        world.plug_in("HWTC0CAFE001", port, splitter, password=ONU_PASSWORD)
        workflow = site.workflow()
        site_plan.enter(workflow)
        outcome = workflow.dispatch(site_plan.PROJECT, [key], onus={key: auth}, actor=site_plan.ENGINEER)
        assert outcome.of(key).line == "pass", outcome
        data = report_data(workflow, site_plan.PROJECT)
        secrets = [ONU_PASSWORD, *(olt.password for olt in site.lab.olts.values())]
    report = next(each for each in data.opened() if each.key == key)
    assert report.clean
    assert report.item.password == "HWTC0CAFE001 + password ***"
    written = [data.model_dump_json().encode()]
    for write in (write_xlsx, write_html, write_json, write_csv):
        target = io.BytesIO()
        write(data, target)
        written.append(target.getvalue())
    packed = io.BytesIO()
    write_package(data, packed, originals=EvidenceStore(tmp_path / "evidence"))
    for content in (packed.getvalue(), written[1]):
        with zipfile.ZipFile(io.BytesIO(content)) as read:
            written += [read.read(name) for name in read.namelist()]
    assert any(b"HWTC0CAFE001" in each for each in written)
    for secret in secrets:
        for form in (secret.encode(), secret.encode().hex().encode(), secret.encode().hex().upper().encode()):
            assert not [each for each in written if form in each], form
