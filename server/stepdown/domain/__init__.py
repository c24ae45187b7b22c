"""Frozen values, events and the one error tree. Refuses to do anything: no I/O, no clock, no policy."""
