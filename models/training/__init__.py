"""Simulate stays, train the full and the distilled sepsis model, judge them, and write their bundles.

The room never serves a request and is never imported by the server. Everything but `networks/` and `fitting/` runs
without PyTorch, so the committed models can be judged again on any machine with ONNX Runtime and numpy.
"""
