"""The heart: a state machine with events in and effects out.

Time is an argument; no thread, socket, clock or randomness inside.
"""
