"""Published clinical rules as data: checked and compiled once, scored in microseconds, with bounds for what is missing.

The chain's last rung: it answers every set of observations, however sparse, and says what the missing ones could make
of the score. Refuses to read files, clocks or units, to impute a value, to let a missing value count as normal, and to
turn a score into a probability.
"""
