"""What every folder of tests shares."""

from hypothesis import settings

# A slow machine is no failure; `make properties` takes the second one.
settings.register_profile("house", deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=20_000)
settings.load_profile("house")

pytest_plugins = ["tests.fixtures", "tests.servers.fixtures"]
