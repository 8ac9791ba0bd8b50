"""How the store's tables came to be, for Alembic."""
