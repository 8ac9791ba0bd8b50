"""The store on both databases: how it comes to be, what it refuses, what several processes may do to it at once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from site_plan import NOW, POOL, PROJECT

from ponprobe.errors import ConfigError, LeaseConflict
from ponprobe.models.addressing import PonPort
from ponprobe.models.engineering import Actor, OltRecord, PonPortRecord, Project, Splitter
from ponprobe.store import migrate, schema
from ponprobe.store.database import Store
from ponprobe.store.leases import CvlanPool, CvlanPoolExhausted, held, lease_cvlan, lease_onu, put_pool, release_cvlan
from ponprobe.store.projects import (
    StoredSplitter,
    add_project,
    add_splitter,
    delete_splitter,
    put_olt,
    put_port,
    splitters_of,
)
from ponprobe.store.refusals import StoreError

Start = Callable[..., "subprocess.Popen[str]"]
WHO = Actor(name="某人", role="builder")


def plant(store: Store, count: int, pool: CvlanPool = POOL) -> list[StoredSplitter]:
    """A project with splitters on one PON port."""
    with store.change(WHO) as change:
        add_project(change, Project(id=PROJECT, name="x", created_at=NOW))
        put_olt(change, OltRecord(name="olt", host="192.0.2.1"))
        put_port(change, PonPortRecord(olt="olt", port=PonPort.parse("0/1/0"), svlan=2000))
        put_pool(change, pool)
        return [
            add_splitter(change, Splitter(project=PROJECT, name=f"POS-{n}", olt="olt", port=PonPort.parse("0/1/0")))
            for n in range(count)
        ]


# ---------------------------------------------------------------------- how it comes to be


def test_the_migrations_make_exactly_the_tables_of_the_code(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": migrate.VERSION_TABLE}
        )
        assert compare_metadata(context, schema.metadata) == []


def test_a_key_is_free_again_when_its_splitter_is_gone(store: Store) -> None:
    (row,) = plant(store, 1)
    with store.change(WHO) as change:
        delete_splitter(change, row)
        again = add_splitter(change, row.splitter)
    assert again.id != row.id
    # comparing metadata does not look at an index's condition: this one lets the living alone be unique
    columns = {"project": PROJECT, "olt": "olt", "port": "0/1/0", "name": row.splitter.name, "body": "{}"}
    numbers = {"revision": 1, "rounds_void": 0, "services_void": 0, "evidence_void": 0}
    with pytest.raises(StoreError, match=r"(?i)unique"), store.change(WHO) as change:
        change.insert(schema.splitters, **columns, **numbers)


def test_the_code_knows_its_own_version() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).with_name("migrations")))
    assert ScriptDirectory.from_config(config).get_current_head() == migrate.HEAD


def test_a_store_of_a_newer_version_is_left_alone(place: str) -> None:
    with Store(place) as store, store.change(WHO) as change:
        change.connection.execute(sa.text(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'"))
        change.event("test.changed")
    with pytest.raises(ConfigError, match=r"9999.*newer ponprobe"):
        Store(place)


def test_many_processes_open_a_new_store_at_once(place: str, run_python: Start) -> None:
    starting = [run_python("store_process.py", "open", place) for _ in range(4)]
    for process in starting:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in starting:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in starting:
        output, errors = process.communicate()
        assert (process.returncode, errors) == (0, ""), errors
        assert output == "opened\n"


def test_what_cannot_be_a_store_is_said(tmp_path: Path) -> None:
    for place, words in (
        ("mysql://x/y", "mysql"),
        ("sqlite://", "memory"),
        (str(tmp_path / "file"), "cannot be opened"),
        ("postgresql://nobody@/none?host=/nowhere", "cannot be opened"),
    ):
        (tmp_path / "file").write_bytes(b"this is no database, and long enough to be seen as none" * 20)
        with pytest.raises(ConfigError, match=words):
            Store(place)


# ---------------------------------------------------------------------- changes and events


def test_events_cannot_be_altered(store: Store) -> None:
    with store.change(WHO) as change:
        change.event("test.happened")

    def alter(statement: sa.Executable) -> None:
        with store.change(WHO) as change:
            change.event("test.again")
            change.connection.execute(statement)

    for statement in (schema.events.delete(), schema.events.update().values(name="x")):
        with pytest.raises(StoreError, match="only appended"):
            alter(statement)
    with store.read() as connection:
        assert connection.scalars(sa.select(schema.events.c.name)).all() == ["test.happened"]


def test_a_change_without_an_event_is_not_kept(store: Store) -> None:
    with pytest.raises(AssertionError, match="event"), store.change(WHO) as change:
        change.insert(schema.facts, name="x", value="y")
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(schema.facts)) == 1


def test_a_change_that_fails_leaves_nothing(store: Store) -> None:
    def half_done() -> None:
        with store.change(WHO) as change:
            add_project(change, Project(id=PROJECT, name="x", created_at=NOW))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(schema.projects)) == 0
        assert connection.scalar(sa.select(sa.func.count()).select_from(schema.events)) == 0


@pytest.mark.parametrize("name", ["=1+1", "分光器 '; DROP TABLE splitters; --", "😀 \N{ZERO WIDTH SPACE}x", "a" * 200])
def test_free_text_stays_as_it_was_written(store: Store, name: str) -> None:
    plant(store, 0)
    with store.change(WHO) as change:
        add_splitter(change, Splitter(project=PROJECT, name=name, olt="olt", port=PonPort.parse("0/1/0")))
    with store.read() as connection:
        assert splitters_of(connection, PROJECT)[0].splitter.name == name


def test_a_splitter_is_in_one_project_only(store: Store) -> None:
    (row,) = plant(store, 1)
    with store.change(WHO) as change:
        add_project(change, Project(id="other", name="x", created_at=NOW))
    with pytest.raises(ConfigError, match=PROJECT), store.change(WHO) as change:
        add_splitter(change, row.splitter.model_copy(update={"project": "other"}))


# ---------------------------------------------------------------------- leases


def test_the_constraint_decides_and_not_the_look(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = plant(store, 3)
    with store.change(WHO) as change:
        assert lease_cvlan(change, POOL, first, 2000).cvlan == 3001
        # somebody whose look shows the VLAN as free all the same
        monkeypatch.setattr(CvlanPool, "__iter__", lambda _: iter([3001, 3002]))
        monkeypatch.setattr("ponprobe.store.leases.set", lambda _: frozenset(), raising=False)
        assert lease_cvlan(change, POOL, second, 2000).cvlan == 3002
        with pytest.raises(CvlanPoolExhausted):
            lease_cvlan(change, POOL, third, 2000)


@pytest.mark.parametrize(
    ("scope", "same_vlan"),
    [("olt+port", {("0/1/1", 2000), ("0/1/0", 2001)}), ("olt+svlan", {("0/1/0", 2001)}), ("olt", set())],
)
def test_the_scope_says_where_a_cvlan_may_be_used_again(
    store: Store, scope: str, same_vlan: set[tuple[str, int]]
) -> None:
    pool = CvlanPool(name="p", ranges=((3001, 3009),), scope=scope)
    (first,) = plant(store, 1, pool)
    again = set()
    with store.change(WHO) as change:
        put_port(change, PonPortRecord(olt="olt", port=PonPort.parse("0/1/1"), svlan=2000))
        lease_cvlan(change, pool, first, 2000)
        for number, (port, svlan) in enumerate((("0/1/1", 2000), ("0/1/0", 2001))):
            other = Splitter(project=PROJECT, name=f"more-{number}", olt="olt", port=PonPort.parse(port))
            row = add_splitter(change, other)
            if lease_cvlan(change, pool, row, svlan).cvlan == 3001:
                again.add((port, svlan))
            release_cvlan(change, row)
    assert again == same_vlan


def test_an_exhausted_pool_names_itself_its_size_and_its_holders(store: Store) -> None:
    rows = plant(store, 3)
    with store.change(WHO) as change:
        for row in rows[:2]:
            lease_cvlan(change, POOL, row, 2000)
        with pytest.raises(CvlanPoolExhausted, match=r"'test' has 2 CVLANs.*POS-0.*POS-1") as full:
            lease_cvlan(change, POOL, rows[2], 2000)
        assert (full.value.pool, full.value.size, len(full.value.holders)) == ("test", 2, 2)
        release_cvlan(change, rows[0])
        assert lease_cvlan(change, POOL, rows[2], 2000).cvlan == 3001


def test_a_pools_scope_stays_while_its_vlans_are_in_use(store: Store) -> None:
    (row,) = plant(store, 1)
    with store.change(WHO) as change:
        lease_cvlan(change, POOL, row, 2000)
    with pytest.raises(LeaseConflict, match="POS-0"), store.change(WHO) as change:
        put_pool(change, POOL.model_copy(update={"scope": "olt"}))


@pytest.mark.parametrize("ranges", [(), ((3002, 3001),), ((3001, 3005), (3005, 3009)), ((0, 5),), ((4000, 4095),)])
def test_a_pool_that_makes_no_sense_is_refused(ranges: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match=r"pool|range|4094|greater"):
        CvlanPool(name="p", ranges=ranges)


def test_processes_that_want_the_same_vlans_never_get_the_same(place: str, store: Store, run_python: Start) -> None:
    """Six processes take and give back from a pool of four, while one is killed in the middle of it."""
    pool = CvlanPool(name="narrow", ranges=((3001, 3004),))
    plant(store, 6, pool)
    workers = [run_python("store_process.py", "lease", place, str(number), "25") for number in range(6)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    assert workers[0].stdout is not None
    workers[0].stdout.readline()  # it has taken one
    workers[0].kill()
    for worker in workers[1:]:
        _, errors = worker.communicate()
        assert (worker.returncode, errors) == (0, ""), errors
    seen: dict[int, str] = {}
    with store.read() as connection:
        table = schema.events
        rows = connection.execute(sa.select(table.c.name, table.c.data, table.c.item).order_by(table.c.id))
        for name, data, item in rows:
            cvlan = json.loads(data).get("cvlan")
            if name == "lease.taken":
                assert cvlan not in seen, f"{cvlan} was taken by {item} while {seen.get(cvlan)} had it"
                seen[cvlan] = item
            elif name == "lease.released":
                assert seen.pop(cvlan) == item
        assert len(held(connection)) == len(seen) <= 1


def test_a_test_onu_is_leased_once(store: Store) -> None:
    first, second = plant(store, 2)
    with store.change(WHO) as change:
        lease_onu(change, "serial HWTC00000001", first)
        with pytest.raises(LeaseConflict, match="POS-0"):
            lease_onu(change, "serial HWTC00000001", second)
        change.event("test.leased")


# ---------------------------------------------------------------------- locks


def test_a_lock_ends_with_its_holder(place: str, store: Store, run_python: Start) -> None:
    holder = run_python("store_process.py", "lock", place)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(LeaseConflict, match="OLT x is busy"), store.locks.hold("olt x", busy="OLT x is busy"):
        pass
    with pytest.raises(LeaseConflict, match="waited"), store.locks.hold("olt x", timeout_s=0.05):
        pass
    with store.locks.hold("olt y"):
        pass
    for _ in range(50):  # given back, it is free at once
        with store.locks.hold("olt y"):
            pass
    holder.kill()
    with store.locks.hold("olt x", timeout_s=20):
        pass


def test_times_are_of_one_length_and_in_utc(store: Store) -> None:
    moment = datetime(2026, 1, 1, tzinfo=timezone.utc)
    with Store(store.url.render_as_string(hide_password=False), clock=lambda: moment) as other:
        with other.change(WHO) as change:
            change.event("test.timed")
        with other.read() as connection:
            assert connection.scalar(sa.select(schema.events.c.at)) == "2026-01-01T00:00:00.000000+00:00"
