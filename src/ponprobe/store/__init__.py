"""What must survive a crash: the journal. SQLAlchemy Core, SQLite by default, another database by URL."""
