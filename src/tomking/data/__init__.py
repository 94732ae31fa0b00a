"""Real market history as shipped: ``history.parquet`` and ``products.parquet``, by scripts/build_history.py.

What each series is, where it comes from and what is wrong with it: docs/data.md.
"""
