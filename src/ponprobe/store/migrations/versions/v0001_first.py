"""The first tables: engineering data, leases, activations, tests, decisions, events, requests, outbox."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go one step forward."""
    op.create_table(
        "cvlan_pools",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("olt", sa.Text(), nullable=True),
        sa.Column("port", sa.String(length=16), nullable=True),
        sa.Column("svlan", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cvlan_pools")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("splitter", sa.Integer(), nullable=True),
        sa.Column("item", sa.Text(), nullable=True),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("uid", name=op.f("uq_events_uid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_project_id", "events", ["project", "id"], unique=False)
    op.create_index("ix_events_splitter_id", "events", ["splitter", "id"], unique=False)
    op.create_table(
        "facts",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_facts")),
    )
    op.create_table(
        "olts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_olts")),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("started_at", sa.String(length=32), nullable=False),
        sa.Column("finished_at", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    op.create_table(
        "cvlan_ranges",
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["pool"], ["cvlan_pools.name"], name=op.f("fk_cvlan_ranges_pool")),
        sa.PrimaryKeyConstraint("pool", "first", name=op.f("pk_cvlan_ranges")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event", sa.Integer(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.String(length=32), nullable=False),
        sa.Column("delivered_at", sa.String(length=32), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["event"], ["events.id"], name=op.f("fk_outbox_event")),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_outbox_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("event", name=op.f("uq_outbox_event")),
    )
    op.create_index("ix_outbox_delivered_at_next_at", "outbox", ["delivered_at", "next_at"], unique=False)
    op.create_table(
        "pon_ports",
        sa.Column("olt", sa.Text(), nullable=False),
        sa.Column("port", sa.String(length=16), nullable=False),
        sa.Column("svlan", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["olt"], ["olts.name"], name=op.f("fk_pon_ports_olt")),
        sa.PrimaryKeyConstraint("olt", "port", name=op.f("pk_pon_ports")),
    )
    op.create_table(
        "splitters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("olt", sa.Text(), nullable=False),
        sa.Column("port", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("rounds_void", sa.Integer(), nullable=False),
        sa.Column("services_void", sa.Integer(), nullable=False),
        sa.Column("evidence_void", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(length=16), nullable=True),
        sa.Column("deleted_at", sa.String(length=32), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["olt", "port"], ["pon_ports.olt", "pon_ports.port"], name=op.f("fk_splitters_olt_port")
        ),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_splitters_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_splitters")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_splitters_project_id", "splitters", ["project", "id"], unique=False)
    op.create_index(
        "uq_splitters_olt_port_name",
        "splitters",
        ["olt", "port", "name"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "activations",
        sa.Column("splitter", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=True),
        sa.Column("hold_until", sa.String(length=32), nullable=True),
        sa.Column("updated_at", sa.String(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["splitter"], ["splitters.id"], name=op.f("fk_activations_splitter")),
        sa.PrimaryKeyConstraint("splitter", name=op.f("pk_activations")),
    )
    op.create_index("ix_activations_state_hold_until", "activations", ["state", "hold_until"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("event", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_decisions_project")),
        sa.ForeignKeyConstraint(["event"], ["events.id"], name=op.f("fk_decisions_event")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_project_id", "decisions", ["project", "id"], unique=False)
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("splitter", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["splitter"], ["splitters.id"], name=op.f("fk_evidence_splitter")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    op.create_index("ix_evidence_splitter_sha256", "evidence", ["splitter", "sha256"], unique=False)
    op.create_table(
        "leases",
        sa.Column("splitter", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("svlan", sa.Integer(), nullable=False),
        sa.Column("cvlan", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["pool"], ["cvlan_pools.name"], name=op.f("fk_leases_pool")),
        sa.ForeignKeyConstraint(["splitter"], ["splitters.id"], name=op.f("fk_leases_splitter")),
        sa.PrimaryKeyConstraint("splitter", name=op.f("pk_leases")),
        sa.UniqueConstraint("scope", "cvlan", name=op.f("uq_leases_scope_cvlan")),
    )
    op.create_table(
        "line_rounds",
        sa.Column("splitter", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=True),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["splitter"], ["splitters.id"], name=op.f("fk_line_rounds_splitter")),
        sa.PrimaryKeyConstraint("splitter", "round", name=op.f("pk_line_rounds")),
    )
    op.create_table(
        "onu_leases",
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("splitter", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["splitter"], ["splitters.id"], name=op.f("fk_onu_leases_splitter")),
        sa.PrimaryKeyConstraint("identity", name=op.f("pk_onu_leases")),
        sa.UniqueConstraint("splitter", name=op.f("uq_onu_leases_splitter")),
    )
    op.create_table(
        "service_tests",
        sa.Column("splitter", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["splitter"], ["splitters.id"], name=op.f("fk_service_tests_splitter")),
        sa.PrimaryKeyConstraint("splitter", "number", name=op.f("pk_service_tests")),
    )
    op.create_table(
        "splitter_history",
        sa.Column("splitter", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("event", sa.Integer(), nullable=False),
        sa.Column("change", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["event"], ["events.id"], name=op.f("fk_splitter_history_event")),
        sa.ForeignKeyConstraint(["splitter"], ["splitters.id"], name=op.f("fk_splitter_history_splitter")),
        sa.PrimaryKeyConstraint("splitter", "revision", name=op.f("pk_splitter_history")),
    )
    op.bulk_insert(
        sa.table("facts", sa.column("name", sa.String), sa.column("value", sa.Text)),
        [{"name": "digest_salt", "value": secrets.token_hex(16)}],
    )
    _events_are_only_appended()


def _events_are_only_appended() -> None:
    """Let the database itself refuse to change or to take back what has happened."""
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER events_no_{what.lower()} BEFORE {what} ON events "
                "BEGIN SELECT RAISE(ABORT, 'events are only appended'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION ponprobe_events_only_appended() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'events are only appended'; END $$"
    )
    op.execute(
        "CREATE TRIGGER events_only_appended BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
        "FOR EACH STATEMENT EXECUTE FUNCTION ponprobe_events_only_appended()"
    )
