"""A report is what the store says: built from a Workflow."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from report_samples import ENGINEER, optical

sys.path.append(str(Path(__file__).parents[1] / "workflow"))  # the example project

import site_plan

from ponprobe.errors import ConfigError
from ponprobe.models.engineering import FaultKind, SplitterKey
from ponprobe.reports import report_data, write_html
from ponprobe.store.database import Store
from ponprobe.workflow.process import Workflow

GOOD, WEAK = site_plan.GOOD, site_plan.WEAK


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
