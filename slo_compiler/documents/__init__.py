"""What people write: one pydantic model per kind of document."""
