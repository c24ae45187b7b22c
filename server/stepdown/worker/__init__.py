"""The child process that runs one model on one execution provider, and the frames both sides of its mailbox read.

Refuses to decide anything about tiers, to read a bundle from disk, and to trust what it is sent without checking it.
The modules that open a model import ONNX Runtime; those the server shares with its children never do.
"""
