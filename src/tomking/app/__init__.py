"""The shell: command line, configuration, reports and the wiring of it all."""
