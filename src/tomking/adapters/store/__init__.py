"""The chain store: months of quotes in Parquet, a mapped cache for replay, and a catalogue."""
