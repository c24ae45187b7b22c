"""Judge the committed bundles on the untouched test split and write it down: `models/EVALUATION.md`, its plots, `evaluation.json`."""
