"""Carry a project from engineering data to the second review, from your own program.

What ``ponprobe project`` does is a few calls on one object, which keeps nothing itself: stop after any line and go on
from another process. Run it with a ``ponprobe.toml`` that knows the OLTs::

    python examples/02_accept.py STORE PROJECT DATA.xlsx CVLANS.csv PHOTO SPLITTER=SERIAL...
    python examples/02_accept.py lab.sqlite3 XM-1 pos.xlsx cvlan.csv photo.jpg FAT-01-1=HWTC0B086EA9
"""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path

from ponprobe import OnuAuth, Serial
from ponprobe.models.engineering import Actor, EvidenceKind, Project, ServiceTest
from ponprobe.store.database import Store
from ponprobe.workflow.evidence import EvidenceStore
from ponprobe.workflow.importing import read_engineering
from ponprobe.workflow.process import Workflow
from ponprobe.workflow.vlans import read_cvlan_ranges

BUILDER = Actor(name="施工甲", role="builder")
ENGINEER = Actor(name="验收乙", role="acceptance_engineer")
REVIEWER = Actor(name="资管丙", role="resource_admin")
PHOTOS: tuple[EvidenceKind, ...] = ("position", "result")


def main(store: str, project: str, data: str, cvlans: str, photo: str, *onus: str) -> int:
    """Go the whole way; the exit code is 3 if a line fails."""
    now = datetime.now(timezone.utc)
    with Store(store) as opened:
        process = Workflow(opened)

        # 1. engineering data: every problem of a file at once, or all of it
        process.create_project(Project(id=project, name=project, created_at=now), actor=BUILDER)
        process.import_engineering(project, read_engineering(data, project=project).checked(), actor=BUILDER)
        process.take_ranges(read_cvlan_ranges(cvlans).checked().ranges, actor=BUILDER)

        # 2. activation: which test ONU goes behind which splitter
        serials = dict(each.rsplit("=", 1) for each in onus)
        keys = [splitter.key for splitter in process.splitters(project) if splitter.name in serials]
        auths = {key: OnuAuth(serial=Serial(serials[key.name])) for key in keys}
        process.dispatch(project, keys, onus=auths, mode="activate", actor=ENGINEER, request_id=f"{project} activate")
        for item in process.activation_list(project, keys):
            print(item.to_row())

        # 3. field test: the line is read from here, the service by hand; both photos are kept byte for byte
        tested = process.test(project, actor=ENGINEER, request_id=f"{project} test")
        for outcome in tested.items:
            print(outcome.splitter, outcome.line, outcome.failure or "")
        if any(outcome.line != "pass" for outcome in tested.items):
            process.revoke(project, actor=ENGINEER)
            return 3
        originals = EvidenceStore(f"{store}.evidence")
        for key in keys:
            dialled = ServiceTest.model_validate({"dial_ok": True, "reach_ok": True, "started_at": now})
            process.service_test(project, key, dialled, actor=ENGINEER, corroborate=True)
            for kind in PHOTOS:
                taken = originals.add(Path(photo), kind, splitter=key, actor=ENGINEER)
                process.add_evidence(project, key, taken, actor=ENGINEER)

        # 4. decisions: the acceptance revokes what is live and proves it; the review is another person's
        for reason in process.status(project).reasons:
            print("before acceptance:", reason)
        process.accept(project, actor=ENGINEER)
        process.review(project, accepted=True, actor=REVIEWER)
        process.push(project, actor=REVIEWER)
        process.deliver(lambda message: print("to the front office:", message.event_id, message.topic))
        status = process.status(project)
        print(f"{status.stage.label}: {status.passed} of {status.to_test} passed, clean {status.clean}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
