"""Decides when to stop asking something that fails, and when to ask again.

Time is an argument and so is chance: nothing in this room reads a clock, sleeps, or draws a random number.
"""
