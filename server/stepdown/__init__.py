"""Stepdown: a clinical inference server that keeps answering while the things under it fail, and says how it did."""

__version__ = "0.1.0"
