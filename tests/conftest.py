"""What every test shares: generated cases that are the same each time, and nobody's settings."""

import os

from hypothesis import settings

from tomking.app.kernels import keep_compiled_kernels

keep_compiled_kernels()

# What the developer has set for the program is nothing to its tests.
for name in [n for n in os.environ if n.startswith("TOMKING")]:
    del os.environ[name]

# The first case may compile a kernel, which takes seconds and says nothing about the code.
# A gate must not depend on the draw; look for new cases with `make explore`.
settings.register_profile("tomking", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("tomking")
