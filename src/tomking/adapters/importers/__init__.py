"""Option data in the shapes that users own, buy or record, read into one raw form (``raw``)."""
