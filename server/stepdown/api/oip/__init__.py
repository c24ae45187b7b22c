"""Generated from `proto/stepdown/api/oip`: the Open Inference Protocol. Nothing here is written by hand but this line."""
