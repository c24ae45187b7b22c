"""How good a score is: discrimination, calibration, alerts, the challenge's utility, and what a switch between tiers costs.

Pure numpy. Every figure that is printed comes with an interval from a bootstrap over stays, because hours of one stay are not independent.
"""
