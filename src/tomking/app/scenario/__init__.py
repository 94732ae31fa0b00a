"""The scenario suite: scripted and real tapes played against the whole program, each with its expected row."""
