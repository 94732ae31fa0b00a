"""The simulated world: a market on real history and a broker that fills in it."""
