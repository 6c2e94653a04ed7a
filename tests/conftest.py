"""What holds for every test."""

from hypothesis import settings

# Machines that run tests are busy: a slow example is no failure.
settings.register_profile("product", deadline=None)
settings.load_profile("product")
