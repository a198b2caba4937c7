"""The demo: an invented company on real SCIM servers, scanned as a user would, compared with what was planted."""

from scanner.demo.run import run_demo

__all__ = ["run_demo"]
