"""`stepdown trust`: trust policies and version floors, offline."""
