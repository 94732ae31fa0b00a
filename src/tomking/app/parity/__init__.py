"""One market traded twice, through the backtest driver and through the live stack, and compared."""
