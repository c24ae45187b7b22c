"""Judge the committed bundles on the untouched test split and write it down.

What is written: `models/EVALUATION.md`, its plots, and every number in `evaluation.json`.
"""
