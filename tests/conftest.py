"""What holds for every test."""

from hypothesis import HealthCheck, settings

# Shared machines stand still for seconds at a time. How long an example took says nothing about the code, so no
# property test may fail for it; what an example found is judged as everywhere.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")
