"""The words strategies are written in: when to enter, what to pick, when to leave."""
