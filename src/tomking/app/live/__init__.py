"""Paper trading: the kernel on a broker's line, from five checked stages of start to an orderly end."""
