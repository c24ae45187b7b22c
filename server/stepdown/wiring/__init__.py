"""The composition root: the one room that names concrete classes and puts them together. Decides nothing itself."""

from stepdown.wiring.server import Server

__all__ = ["Server"]
