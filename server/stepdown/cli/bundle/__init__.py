"""`stepdown bundle`: make, sign, verify and inspect bundles. Speaks to no server."""
