"""The one registry of tables and columns, and what is derived from it. No dataframes."""
