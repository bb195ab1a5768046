"""The ledger's tables. Times are ISO 8601 text in UTC, of type `TIME`, which sorts alike on SQLite and PostgreSQL."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

from tasks.clients.ledger.texts import TIME, FreeText, KeyText, LineText

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("delivery_id", String(128), primary_key=True),
    Column("source", String(32), nullable=False),
    Column("event_name", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", TIME, nullable=False),
    Column("status", String(16), nullable=False),
    Column("incident_id", String(32)),
    Column("note", FreeText, nullable=False, default=""),
    Index("events_by_status", "status", "received_at"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("status", String(16), nullable=False),
    Column("opened_at", TIME, nullable=False),
    Column("flow_run_id", String(64)),
    Column("dispatches", Integer, nullable=False, default=0),
    Column("joined", String(32)),
    Column("document", Text, nullable=False),
    Index("incidents_by_status", "status", "opened_at"),
)

journal = Table(
    "journal",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(32), ForeignKey("incidents.id"), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("at", TIME, nullable=False),
    Column("document", Text, nullable=False),
    Index("journal_by_incident", "incident_id", "sequence"),
)

actions = Table(
    "actions",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("incident_id", String(32), ForeignKey("incidents.id"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("failure_class", String(64), nullable=False),
    Column("repository", KeyText(256), nullable=False),
    Column("commit", String(64), nullable=False),
    Column("pre_image", Text, nullable=False),
    Column("intended_at", TIME, nullable=False),
    Column("result", Text),
    Column("completed_at", TIME),
    Index("actions_by_commit", "repository", "commit", "failure_class", "name"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("incident_id", String(32), ForeignKey("incidents.id"), nullable=False),
    Column("plan_digest", String(64), nullable=False),
    Column("deadline", TIME, nullable=False),
    Column("request", Text, nullable=False),
    Column("answer", Text),
    Column("answered_at", TIME),
    Column("resumed", Boolean, nullable=False, default=False),
    Column("used_at", TIME),
    Index("approvals_by_incident", "incident_id"),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("incident_id", String(32), ForeignKey("incidents.id"), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("failure_class", String(64), nullable=False),
    Column("repository", KeyText(256), nullable=False),
    Column("environment", String(32), nullable=False),
    Column("action_names", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("ended_at", TIME, nullable=False),
    Column("document", Text, nullable=False),
    Column("plan", Text),
    Index("outcomes_by_fingerprint", "fingerprint", "ended_at"),
)

votes = Table(
    "votes",
    metadata,
    Column("request_id", String(64), ForeignKey("approvals.request_id"), primary_key=True),
    Column("person", KeyText(128), primary_key=True),
    Column("document", Text, nullable=False),
    Column("at", TIME, nullable=False),
)

snoozes = Table(
    "snoozes",
    metadata,
    Column("request_id", String(64), ForeignKey("approvals.request_id"), primary_key=True),
    Column("person", LineText(128), nullable=False),
    Column("until", TIME, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("at", TIME, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("incident_id", String(32), nullable=False),
    Column("actor", String(128), nullable=False),
    Column("document", Text, nullable=False),
    Column("hash", String(64), nullable=False),
    Index("audit_by_incident", "incident_id", "sequence"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("count", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("name", KeyText(256), primary_key=True),
    Column("holder", String(32), nullable=False),
    Column("until", TIME, nullable=False),
)

revisions = Table(
    "revisions",
    metadata,
    Column("context", KeyText(256), primary_key=True),
    Column("replica_set_uid", String(64), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("namespace", String(64), nullable=False),
    Column("name", String(256), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("replica_set", String(256), nullable=False),
    Column("commit", LineText(64), nullable=False),
    Column("deployed_at", TIME, nullable=False),
    Column("verified_at", TIME, nullable=False),
    Index("revisions_by_workload", "context", "namespace", "kind", "name", "verified_at"),
)

heals = Table(
    "heals",
    metadata,
    Column("incident_id", String(32), ForeignKey("incidents.id"), primary_key=True),
    Column("kept", Text),
    Column("delays", Integer, nullable=False),
    Column("delayed_since", TIME),
    Column("delayed_until", TIME),
    Column("delay_reason", FreeText),
)

members = Table(
    "members",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("incident_id", String(32), ForeignKey("incidents.id"), nullable=False),
    Column("source", String(32), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("joined_by", KeyText(400), nullable=False),
    Column("joined_at", TIME, nullable=False),
    Column("said_well_at", TIME),
    Column("resolved_at", TIME),
    Column("document", Text, nullable=False),
    Index("members_by_incident", "incident_id", "joined_at"),
    Index("members_by_fingerprint", "source", "fingerprint"),
)

group_keys = Table(
    "group_keys",
    metadata,
    Column("incident_id", String(32), ForeignKey("incidents.id"), primary_key=True),
    Column("grouped_by", String(16), primary_key=True),
    Column("value", KeyText(400), primary_key=True),
    Column("newest_at", TIME, nullable=False),
    Index("group_keys_by_value", "grouped_by", "value", "newest_at"),
)

cards = Table(
    "cards",
    metadata,
    Column("request_id", String(64), ForeignKey("approvals.request_id"), primary_key=True),
    Column("incident_id", String(32), ForeignKey("incidents.id"), nullable=False),
    Column("channel", String(16), nullable=False, default=""),
    Column("reference", Text),
    Column("shown", String(64), nullable=False, default=""),
    Column("state", String(16), nullable=False, default=""),
    Column("said", Integer, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_at", TIME, nullable=False),
    Column("done", Boolean, nullable=False, default=False),
    Column("problem", FreeText, nullable=False, default=""),
    Index("cards_by_next", "done", "next_at"),
)

bookmarks = Table(
    "bookmarks",
    metadata,
    Column("name", KeyText(320), primary_key=True),
    Column("at", TIME, nullable=False),
)
