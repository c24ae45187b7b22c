"""How good a score is: discrimination, calibration, alerts, utility, and what a switch of tiers costs.

Pure numpy. Every figure that is printed comes with an interval from a bootstrap over stays, because hours of one stay
are not independent.
"""
