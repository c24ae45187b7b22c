"""What the server decides: intake to answer, which tier, when to step down and when to come back.

Refuses all I/O and every clock.
"""
