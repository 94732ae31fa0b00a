"""The scenario suite: scripted and real tapes against the whole program, each with its expected row."""
