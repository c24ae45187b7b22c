"""Generated from proto/stepdown/api/v1: the clinical, catalogue and operations services."""
