"""`stepdown drill`: rehearse a failure on a running server and judge it against its objectives."""
