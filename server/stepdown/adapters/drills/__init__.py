"""Faults around the workers: the machine's clock, processors and files, made to fail for a drill and whole again."""
