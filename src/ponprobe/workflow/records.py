"""Engineering data: projects, OLTs, PON ports, splitters, CVLAN pools; what they are, and what they were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ponprobe.errors import ConfigError
from ponprobe.models._base import Value
from ponprobe.models.addressing import PonPort
from ponprobe.models.engineering import Actor, OltRecord, PonPortRecord, Project, Splitter, SplitterKey
from ponprobe.store import leases, projects
from ponprobe.store.database import Change
from ponprobe.store.leases import CvlanLease, CvlanPool, Scope
from ponprobe.store.projects import SplitterRevision
from ponprobe.workflow.base import Process
from ponprobe.workflow.importing import Imported
from ponprobe.workflow.vlans import CvlanRange


class Recorded(Value):
    """How much engineering data came in: added, changed, and there already as it is."""

    olts: int = 0
    pon_ports: int = 0
    added: tuple[SplitterKey, ...] = ()
    changed: tuple[SplitterKey, ...] = ()
    unchanged: int = 0


class Engineering(Process):
    """The first stage: 工程资料录入."""

    # ------------------------------------------------------------------ projects

    def create_project(self, project: Project, *, actor: Actor, request_id: str | None = None) -> Project:
        """Create a project; ``ConfigError`` if its id is taken."""

        def work(change: Change) -> Project:
            projects.add_project(change, project)
            return project

        body = project.model_dump(mode="json")
        found: Project = self._once(actor, request_id, "project.create", body, answer=Project, work=work)
        return found

    def change_project(self, project: Project, *, actor: Actor, request_id: str | None = None) -> Project:
        """Change a project's own data, such as whether it is tested; ``ConfigError`` if "no" has no reason."""

        def work(change: Change) -> Project:
            rows = projects.splitters_of(change.connection, project.id)
            project.hang_test_of(row.splitter for row in rows)
            projects.change_project(change, project)
            return project

        body = project.model_dump(mode="json")
        found: Project = self._once(actor, request_id, "project.change", body, answer=Project, work=work)
        return found

    def projects(self) -> tuple[Project, ...]:
        """All projects, oldest first."""
        with self.store.read() as connection:
            return projects.all_projects(connection)

    def project(self, project: str) -> Project:
        """One project; ``ConfigError`` if there is none of this id."""
        with self.store.read() as connection:
            return projects.find_project(connection, project)

    # ------------------------------------------------------------------ plant

    def record(
        self,
        project: str,
        *,
        olts: Iterable[OltRecord] = (),
        pon_ports: Iterable[PonPortRecord] = (),
        splitters: Iterable[Splitter] = (),
        actor: Actor,
        request_id: str | None = None,
    ) -> Recorded:
        """Take engineering data into a project, all of it or nothing: what is new is added, what differs is changed.

        Nothing is deleted by leaving it out. Raises ``ConfigError`` for what does not fit together and ``NotReady`` for
        a change under a live test ONU.
        """
        given = (tuple(olts), tuple(pon_ports), tuple(splitters))
        body = [project, *([each.model_dump(mode="json") for each in some] for some in given)]

        def work(change: Change) -> Recorded:
            projects.find_project(change.connection, project)
            new_olts = sum(projects.put_olt(change, olt) for olt in given[0])
            new_ports = sum(projects.put_port(change, port) for port in given[1])
            known = {row.key: row for row in projects.splitters_of(change.connection, project)}
            added, changed, same = [], [], 0
            for splitter in given[2]:
                placed = splitter.model_copy(update={"project": project})
                old = known.get(placed.key)
                if old is None:
                    known[placed.key] = projects.add_splitter(change, placed)
                    added.append(placed.key)
                elif old.splitter == placed:
                    same += 1
                else:
                    known[placed.key] = projects.change_splitter(change, old, placed)
                    changed.append(placed.key)
            # "not to be tested" needs a reason as soon as there are splitters
            project_now = projects.find_project(change.connection, project)
            project_now.hang_test_of(row.splitter for row in known.values())
            result = Recorded(
                olts=new_olts, pon_ports=new_ports, added=tuple(added), changed=tuple(changed), unchanged=same
            )
            data = {"added": len(added), "changed": len(changed), "unchanged": same}
            change.event("engineering.recorded", {**data, "olts": new_olts, "pon_ports": new_ports}, project=project)
            return result

        found: Recorded = self._once(actor, request_id, "engineering.record", body, answer=Recorded, work=work)
        return found

    def import_engineering(
        self, project: str, imported: Imported, *, actor: Actor, request_id: str | None = None
    ) -> Recorded:
        """Take what ``read_engineering`` has read, all or nothing; ``ImportProblem`` with every problem it has."""
        good = imported.checked()
        return self.record(
            project,
            olts=good.olts,
            pon_ports=good.ports,
            splitters=good.splitters,
            actor=actor,
            request_id=request_id,
        )

    def change_splitter(
        self, project: str, key: SplitterKey, new: Splitter, *, actor: Actor, request_id: str | None = None
    ) -> Splitter:
        """Correct a splitter's record, its key included. Refused with ``NotReady`` while a test ONU is live on it.

        If the path changes, earlier tests stay in the history and no longer count.
        """

        def work(change: Change) -> Splitter:
            row = self._row(change.connection, project, key)
            return projects.change_splitter(change, row, new).splitter

        body = [project, list(key), new.model_dump(mode="json")]
        found: Splitter = self._once(actor, request_id, "splitter.change", body, answer=Splitter, work=work)
        return found

    def delete_splitter(
        self, project: str, key: SplitterKey, *, actor: Actor, request_id: str | None = None
    ) -> SplitterKey:
        """Take a splitter out of its project; its history stays. Refused with ``NotReady`` while it is live."""

        def work(change: Change) -> SplitterKey:
            projects.delete_splitter(change, self._row(change.connection, project, key))
            return SplitterKey(*key)

        found: SplitterKey = self._once(
            actor, request_id, "splitter.delete", [project, list(key)], answer=SplitterKey, work=work
        )
        return found

    def splitters(self, project: str) -> tuple[Splitter, ...]:
        """The splitters of a project, in the order in which they came in."""
        return tuple(row.splitter for row in self._rows(project))

    def history(self, project: str, key: SplitterKey) -> tuple[SplitterRevision, ...]:
        """Every revision of a splitter that has this key now, or had it when it was deleted."""
        with self.store.read() as connection:
            rows = projects.splitters_of(connection, project, deleted=True)
            numbers = [row.id for row in rows if row.key == SplitterKey(*key)]
            return tuple(each for number in numbers for each in projects.history_of(connection, number))

    # ------------------------------------------------------------------ CVLANs

    def put_pool(self, pool: CvlanPool, *, actor: Actor, request_id: str | None = None) -> CvlanPool:
        """Add or change a pool of test CVLANs. ``LeaseConflict`` if its scope would change while some are in use."""

        def work(change: Change) -> CvlanPool:
            leases.put_pool(change, pool)
            return pool

        body: Any = pool.model_dump(mode="json")
        found: CvlanPool = self._once(actor, request_id, "pool.put", body, answer=CvlanPool, work=work)
        return found

    def take_ranges(
        self, ranges: Iterable[CvlanRange], *, scope: Scope = "olt+port", actor: Actor, request_id: str | None = None
    ) -> tuple[CvlanPool, ...]:
        """Make pools of the ranges of a sheet, one for each OLT, PON port and SVLAN that the sheet tells apart.

        A range that names no OLT, port or SVLAN is for any; a splitter draws from the pool that is meant for it most
        closely. A sheet that is taken again replaces the pools of the same places. Raises ``ConfigError`` for an OLT
        that is not in the store.
        """
        given = tuple(ranges)

        def work(change: Change) -> tuple[CvlanPool, ...]:
            found = pools_of(given, projects.all_olts(change.connection), scope)
            for pool in found:
                leases.put_pool(change, pool)
            change.idle = not found
            return found

        body = [scope, [each.model_dump(mode="json") for each in given]]
        made: tuple[CvlanPool, ...] = self._once(
            actor, request_id, "pool.take_ranges", body, answer=tuple[CvlanPool, ...], work=work
        )
        return made

    def pools(self) -> tuple[CvlanPool, ...]:
        """Every pool."""
        with self.store.read() as connection:
            return tuple(leases.pools(connection).values())

    def leases(self) -> tuple[CvlanLease, ...]:
        """The CVLANs in use, and by whom."""
        with self.store.read() as connection:
            return leases.held(connection)


def pools_of(ranges: Iterable[CvlanRange], olts: Mapping[str, OltRecord], scope: Scope) -> tuple[CvlanPool, ...]:
    """Group the ranges of a sheet into pools; an OLT may be named by its name or by its management address."""
    by_host = {olt.host: olt.name for olt in olts.values()}
    groups: dict[tuple[str | None, PonPort | None, int | None], list[tuple[int, int]]] = {}
    for each in ranges:
        olt = each.olt if each.olt is None or each.olt in olts else by_host.get(each.olt)
        if each.olt is not None and olt is None:
            raise ConfigError(
                f"row {each.row} of the CVLAN sheet is for OLT {each.olt!r}, which is not in the store",
                hint="import the engineering data first, or correct the sheet",
            )
        groups.setdefault((olt, each.port, each.svlan), []).append((each.vlans.first, each.vlans.last))
    found = []
    for (olt, port, svlan), some in groups.items():
        place = [olt or "", "" if port is None else str(port), "" if svlan is None else f"S{svlan}"]
        name = " ".join(["test", *filter(None, place)])
        found.append(CvlanPool(name=name, ranges=tuple(some), scope=scope, olt=olt, port=port, svlan=svlan))
    return tuple(found)
