"""Decides whether bytes may be loaded: signatures, signers, exact contents, names and versions, by a written policy.

Takes bytes and the time, returns a `VerifiedBundle` that holds those bytes, or raises `TrustError` naming the rule.
Refuses to open a file, read a clock, honour a wish of whoever signed, or accept anything it does not fully understand.
"""
