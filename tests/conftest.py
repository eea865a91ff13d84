"""What holds for all tests: random input is the same in every run, and its pace on a busy machine is no failure.

`scripts/test --hypothesis-profile=random ...` looks for something new.
"""

from hypothesis import HealthCheck, settings

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("random", PATIENT)
settings.register_profile("repeatable", PATIENT, derandomize=True)
settings.load_profile("repeatable")
