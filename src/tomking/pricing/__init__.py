"""Numbers about options: arrays in, arrays out."""
