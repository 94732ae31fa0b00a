"""What every test shares: a fixed profile for generated cases, and no state between tests."""

from hypothesis import settings

# The first case may compile a kernel, which takes seconds and says nothing about the code.
settings.register_profile("tomking", deadline=None, print_blob=True)
settings.load_profile("tomking")
