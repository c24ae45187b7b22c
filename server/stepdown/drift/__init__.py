"""Tells from counts alone whether what a tier sees or says has moved away from the reference in its bundle.

It keeps no observation and no score, reads no clock, and decides nothing about serving: it measures.
"""
