"""orphanscan: a self-hosted compliance audit and orphaned-account scanner."""

__version__ = "0.1.0"
