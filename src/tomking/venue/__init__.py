"""A tastytrade-compatible venue on loopback, built on the one model of order life in ``sim``."""
