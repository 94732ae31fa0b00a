"""What every test shares: a fixed profile for generated cases, and no state between tests."""

import os

from hypothesis import settings

# What the developer has set for the program is nothing to its tests.
for name in [n for n in os.environ if n.startswith("TOMKING")]:
    del os.environ[name]

# The first case may compile a kernel, which takes seconds and says nothing about the code.
settings.register_profile("tomking", deadline=None, print_blob=True)
settings.load_profile("tomking")
