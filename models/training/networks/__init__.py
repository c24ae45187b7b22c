"""The graphs that are served, written in PyTorch: preparation, input checks, the transformer, the additive model.

Every module here exports to ONNX as it stands, so what was trained is what is served. Needs the `train` extra.
"""
