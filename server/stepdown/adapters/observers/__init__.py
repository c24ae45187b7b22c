"""Told of what happens: metrics, statistics and the log. Each is quick, never raises, answers nothing, names nobody."""
