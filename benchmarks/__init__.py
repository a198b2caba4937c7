"""Matching and rules against the same logic in pandas and Polars. Run as `python -m benchmarks`."""
