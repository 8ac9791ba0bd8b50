"""The tables of the acceptance process, as SQLAlchemy Core.

A typed value is kept whole, as JSON, in ``body``; beside it stand only the columns that are searched, ordered or held
unique. Times are UTC in ISO 8601 with microseconds, so that text order is time order on every database. What holds
true between rows is a constraint here, not a check in the code: two processes may race, a constraint does not.

The migrations create these tables; a test compares both. The journal's own tables (``runs``, ``writes``) are not among
them: it may stand in the same database or in another.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _time(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(32), nullable=nullable)


facts = sa.Table(
    "facts",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
"""What the store knows of itself: the salt of its digests."""

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("uid", sa.String(32), nullable=False, unique=True),
    _time("at"),
    sa.Column("actor_name", sa.Text, nullable=False),
    sa.Column("actor_role", sa.Text, nullable=False),
    sa.Column("request_id", sa.Text),
    sa.Column("project", sa.Text),
    sa.Column("splitter", sa.Integer),
    sa.Column("item", sa.Text),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Index("ix_events_project_id", "project", "id"),
    sa.Index("ix_events_splitter_id", "splitter", "id"),
    # an id is never given twice: a reader that remembers the last one would miss what got its number again
    sqlite_autoincrement=True,
)
"""Everything that ever changed; triggers refuse to alter it. No foreign keys: an event outlives its subject."""

projects = sa.Table(
    "projects",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    _time("created_at"),
    sa.Column("body", sa.Text, nullable=False),
)

olts = sa.Table(
    "olts",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)

pon_ports = sa.Table(
    "pon_ports",
    metadata,
    sa.Column("olt", sa.ForeignKey("olts.name"), primary_key=True),
    sa.Column("port", sa.String(16), primary_key=True),
    sa.Column("svlan", sa.Integer, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)

splitters = sa.Table(
    "splitters",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("project", sa.ForeignKey("projects.id"), nullable=False),
    sa.Column("olt", sa.Text, nullable=False),
    sa.Column("port", sa.String(16), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    # tests up to these numbers were made on other records or another line: kept, shown, not counted
    sa.Column("rounds_void", sa.Integer, nullable=False),
    sa.Column("services_void", sa.Integer, nullable=False),
    sa.Column("evidence_void", sa.Integer, nullable=False),
    sa.Column("fault", sa.String(16)),
    _time("deleted_at", nullable=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["olt", "port"], ["pon_ports.olt", "pon_ports.port"]),
    sa.Index("ix_splitters_project_id", "project", "id"),
    sa.Index(
        "uq_splitters_olt_port_name",
        "olt",
        "port",
        "name",
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

splitter_history = sa.Table(
    "splitter_history",
    metadata,
    sa.Column("splitter", sa.ForeignKey("splitters.id"), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("event", sa.ForeignKey("events.id"), nullable=False),
    sa.Column("change", sa.String(16), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)

cvlan_pools = sa.Table(
    "cvlan_pools",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("scope", sa.String(16), nullable=False),
    # where it is to be used; empty: anywhere
    sa.Column("olt", sa.Text),
    sa.Column("port", sa.String(16)),
    sa.Column("svlan", sa.Integer),
    sa.Column("revision", sa.Integer, nullable=False),
)

cvlan_ranges = sa.Table(
    "cvlan_ranges",
    metadata,
    sa.Column("pool", sa.ForeignKey("cvlan_pools.name"), primary_key=True),
    sa.Column("first", sa.Integer, primary_key=True),
    sa.Column("last", sa.Integer, nullable=False),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("splitter", sa.ForeignKey("splitters.id"), primary_key=True),
    sa.Column("pool", sa.ForeignKey("cvlan_pools.name"), nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("svlan", sa.Integer, nullable=False),
    sa.Column("cvlan", sa.Integer, nullable=False),
    _time("taken_at"),
    sa.UniqueConstraint("scope", "cvlan"),
)
"""The CVLANs that are held; ``scope`` names OLT, port and SVLAN, as far as the pool's rule tells them apart.

A row leaves only together with the proof that its ONU is off the OLT."""

onu_leases = sa.Table(
    "onu_leases",
    metadata,
    sa.Column("identity", sa.Text, primary_key=True),
    sa.Column("splitter", sa.ForeignKey("splitters.id"), nullable=False, unique=True),
    _time("taken_at"),
)
"""The test ONUs that are registered somewhere: one device, one place."""

activations = sa.Table(
    "activations",
    metadata,
    sa.Column("splitter", sa.ForeignKey("splitters.id"), primary_key=True),
    sa.Column("state", sa.String(24), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("run_id", sa.String(32)),
    _time("hold_until", nullable=True),
    _time("updated_at"),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("ix_activations_state_hold_until", "state", "hold_until"),
)

line_rounds = sa.Table(
    "line_rounds",
    metadata,
    sa.Column("splitter", sa.ForeignKey("splitters.id"), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True),
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("actor_name", sa.Text, nullable=False),
    sa.Column("run_id", sa.String(32)),
    _time("at"),
    sa.Column("body", sa.Text, nullable=False),
)

service_tests = sa.Table(
    "service_tests",
    metadata,
    sa.Column("splitter", sa.ForeignKey("splitters.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("passed", sa.Boolean, nullable=False),
    sa.Column("actor_name", sa.Text, nullable=False),
    _time("at"),
    sa.Column("body", sa.Text, nullable=False),
)

evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("splitter", sa.ForeignKey("splitters.id"), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    _time("at"),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("ix_evidence_splitter_sha256", "splitter", "sha256"),
)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("project", sa.ForeignKey("projects.id"), nullable=False),
    sa.Column("event", sa.ForeignKey("events.id"), nullable=False),
    sa.Column("kind", sa.String(24), nullable=False),
    sa.Column("accepted", sa.Boolean, nullable=False),
    _time("at"),
    sa.Column("body", sa.Text, nullable=False),
    sa.Index("ix_decisions_project_id", "project", "id"),
)

requests = sa.Table(
    "requests",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("answer", sa.Text),
    _time("started_at"),
    _time("finished_at", nullable=True),
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("event", sa.ForeignKey("events.id"), nullable=False, unique=True),
    sa.Column("project", sa.ForeignKey("projects.id"), nullable=False),
    sa.Column("topic", sa.String(64), nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    _time("next_at"),
    _time("delivered_at", nullable=True),
    sa.Column("last_error", sa.Text),
    sa.Index("ix_outbox_delivered_at_next_at", "delivered_at", "next_at"),
)
