"""Reads the configuration once into frozen types. Every problem is listed at once: file, key, why, and what is allowed.

Paths in the file are relative to the file's own folder, and what they name must be there. Refuses unknown keys: a
misspelt safety setting must not be a setting that silently keeps its default.
"""

from stepdown.settings.reading import load, parse
from stepdown.settings.schema import (
    DriftSettings,
    EngineSettings,
    LedgerSettings,
    PathwaySettings,
    Settings,
    TierSettings,
    TlsSettings,
)

__all__ = [
    "DriftSettings",
    "EngineSettings",
    "LedgerSettings",
    "PathwaySettings",
    "Settings",
    "TierSettings",
    "TlsSettings",
    "load",
    "parse",
]
