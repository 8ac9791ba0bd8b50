"""Where a project stands: derived from what is recorded, never kept beside it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from ponprobe.models._base import Value
from ponprobe.models.engineering import (
    ActivationState,
    FaultKind,
    HangTest,
    Project,
    SplitterKey,
    Stage,
    TestState,
)
from ponprobe.models.service import VlanStack
from ponprobe.store import schema
from ponprobe.store.activations import Activation, activations_of
from ponprobe.store.projects import StoredSplitter, find_project, splitters_of
from ponprobe.store.results import NOT_MEASURED, LatestTests, Standing, latest_tests, standing_decision
from ponprobe.workflow.base import AcceptanceRules

_S = ActivationState
_LINE_WORDS = {
    "fail": "the line test failed (不达标)",
    "undetermined": "the line test is undetermined (无法判定)",
    NOT_MEASURED: "the last line test ended without a reading",
}


class SplitterStatus(Value):
    """Where one splitter stands. ``reasons`` are all that speak against its acceptance; none: it can be accepted.

    ``line`` is the outcome of the newest round that counts (``pass``, ``fail``, ``undetermined``, ``not_measured``),
    ``rounds`` counts all there ever were. ``exported`` and ``flag`` are the activation state in the specification's
    words and what they do not tell.
    """

    splitter: SplitterKey
    to_be_tested: bool
    state: ActivationState
    exported: str
    flag: str | None = None
    test_state: TestState
    line: str | None = None
    rounds: int = 0
    service: bool | None = None
    evidence: tuple[str, ...] = ()
    fault: FaultKind | None = None
    vlans: VlanStack | None = None
    reasons: tuple[str, ...] = ()

    @property
    def not_clean(self) -> str | None:
        """The reason that a test ONU of ours is there, or may be; ``None`` if it is proven that there is none."""
        if not self.state.live:
            return None
        return f"not proven clean: its test ONU is {self.state.label} ({self.state})"

    @property
    def passed(self) -> bool:
        """Whether line and service passed: the specification's 总体测试结果."""
        return self.line == "pass" and self.service is True


class ProjectStatus(Value):
    """Where a project stands: its stage, how much of it is tested, and everything that speaks against the next step.

    ``tested`` and ``passed`` count splitters of ``to_test`` whose line and service test have a result, or passed.
    """

    project: Project
    stage: Stage
    hang_test: HangTest
    splitters: tuple[SplitterStatus, ...] = ()
    to_test: int = 0
    tested: int = 0
    passed: int = 0
    live: int = 0
    reasons: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether no test ONU of the project is on an OLT, or may be."""
        return self.live == 0


def project_status(connection: sa.Connection, project_id: str, rules: AcceptanceRules) -> ProjectStatus:
    """Work out where a project stands, with a fixed number of questions however many splitters it has."""
    project = find_project(connection, project_id)
    rows = splitters_of(connection, project_id)
    hang_test = project.hang_test_of(row.splitter for row in rows)
    states = activations_of(connection, [row.id for row in rows])
    tests = latest_tests(connection, project_id)
    found = tuple(
        _status(
            row, states.get(row.id, Activation()), tests.get(row.id, LatestTests()), rules, required=hang_test.required
        )
        for row in rows
    )
    wanted = [each for each in found if each.to_be_tested and hang_test.required]
    standing = standing_decision(connection, project_id)
    return ProjectStatus(
        project=project,
        stage=_stage(project, found, wanted, standing, pushed=_pushed(connection, project_id, standing)),
        hang_test=hang_test,
        splitters=found,
        to_test=len(wanted),
        tested=sum(each.test_state is TestState.DONE for each in wanted),
        passed=sum(each.passed for each in wanted),
        live=sum(each.state.live for each in found),
        reasons=tuple(f"{each.splitter}: {reason}" for each in found for reason in each.reasons),
    )


def _pushed(connection: sa.Connection, project: str, standing: Standing | None) -> bool:
    """Whether the front office has taken what the standing review let through."""
    table = schema.outbox
    arrived = sa.and_(table.c.project == project, table.c.delivered_at.is_not(None))
    query = sa.select(table.c.id).where(arrived, table.c.event > (0 if standing is None else standing.event))
    return connection.scalar(query.limit(1)) is not None


def _status(
    row: StoredSplitter, now: Activation, tests: LatestTests, rules: AcceptanceRules, *, required: bool
) -> SplitterStatus:
    tested = required and row.splitter.to_be_tested
    reasons = _against_tests(tests, rules) if tested else []
    if tested and row.fault is not None:
        reasons.append(f"it is back in engineering data: {row.fault.label} ({row.fault})")
    done = tests.line is not None and tests.service is not None
    status = SplitterStatus(
        splitter=row.key,
        to_be_tested=row.splitter.to_be_tested,
        state=now.state,
        exported=now.state.exported,
        flag=now.state.flag,
        test_state=TestState.DONE if done else TestState.NOT_DONE,
        line=tests.line,
        rounds=tests.rounds,
        service=tests.service,
        evidence=tuple(sorted(tests.evidence)),
        fault=row.fault,
        vlans=now.vlans if now.state.live else None,
    )
    reasons += [status.not_clean] if status.not_clean is not None else []
    return status.model_copy(update={"reasons": tuple(reasons)})


def _against_tests(tests: LatestTests, rules: AcceptanceRules) -> list[str]:
    reasons = []
    if tests.line is None:
        reasons.append("the line has not been tested")
    elif tests.line != "pass":
        reasons.append(_LINE_WORDS[tests.line])
    if rules.service_test and tests.service is not True:
        reasons.append("there is no service test" if tests.service is None else "the service test failed")
    missing = [kind for kind in rules.evidence if kind not in tests.evidence]
    if missing:
        reasons.append(f"there is no photo of the {' and none of the '.join(missing)}")
    return reasons


def _stage(
    project: Project,
    found: Sequence[SplitterStatus],
    wanted: Sequence[SplitterStatus],
    standing: Standing | None,
    *,
    pushed: bool,
) -> Stage:
    """The stage, by section 5 of the specification. The standing decision counts; any fault sends the project back."""
    if standing is not None and not standing.overtaken:
        if not standing.decision.accepted:
            return Stage.ENGINEERING
        decided = {"confirmation": Stage.REVOKE, "review": Stage.PUSHED if pushed else Stage.REVIEW}
        return decided.get(standing.kind, Stage.REVIEW)
    if not found:
        # nothing was entered yet, unless somebody said that there is nothing to be tested
        return Stage.ACCEPTANCE if project.hang_test is False else Stage.ENGINEERING
    if any(each.fault is not None for each in found):
        return Stage.ENGINEERING
    if all(each.state is _S.NOT_ACTIVATED and each.rounds == 0 for each in wanted):
        return Stage.ENGINEERING if wanted else Stage.ACCEPTANCE
    if any(not each.state.live and each.line is None for each in wanted):
        return Stage.ACTIVATION
    if any(each.test_state is TestState.NOT_DONE or not each.passed for each in wanted):
        return Stage.FIELD_TEST
    return Stage.ACCEPTANCE
