"""Between the wire's messages and the domain's values: pure functions, one file per subject and direction.

Refuses to judge: what a request says is carried over as it was said, for intake to believe or not. The only things
refused here are those that the domain cannot hold at all.
"""
