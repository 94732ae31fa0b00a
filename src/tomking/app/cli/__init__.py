"""The `tomking` command."""
