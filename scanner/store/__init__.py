"""DuckDB: staging, normalisation, matching, row versions and the `audit` schema. Nothing else knows the file."""
