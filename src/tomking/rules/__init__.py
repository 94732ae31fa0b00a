"""The words strategies are written in."""
