"""The chain store: months of quotes in Parquet, a mapped cache for replay, and a catalogue."""

from tomking.adapters.store.store import Damage, Overview, Store

__all__ = ["Damage", "Overview", "Store"]
