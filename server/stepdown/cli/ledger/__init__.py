"""`stepdown ledger`: check a ledger, show a record, prove one. Everything but the asking works without a server."""
