"""Simulated ICU stays: who lies in the bed, what goes wrong, what the body shows, what gets charted.

The order of the modules is the order of cause: `patients` -> `courses` -> `physiology` -> `charting`; `simulator` runs
them. They exist to exercise software. A score on simulated stays says nothing about a score on patients.
"""
