"""What must survive a crash: the journal, and the acceptance process. SQLAlchemy Core, SQLite or PostgreSQL by URL."""
