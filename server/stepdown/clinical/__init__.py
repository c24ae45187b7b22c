"""Turns what a client says about an encounter into what the rules and the models may believe.

Knows codes, units, limits, freshness and scope; rejects, drops, flags or abstains, and says which. Refuses to read a
clock, to guess a unit, to fill in a missing value, to score anything, and to repeat a value or a token in any text.
"""
