"""The toolchains' own validators of manifests, in a virtual environment in the user's cache, installed if need be."""

from pathlib import Path

from support.environments import NoEnvironmentError, environment

PACKAGES = (
    *("platformio==6.1.18", "idf-component-manager==2.4.2", "kconfiglib==14.1.0"),
    *("lxml==6.1.3", "jsonschema==4.26.0"),
)

NoValidatorsError = NoEnvironmentError


def validators() -> Path:
    """The Python that has them.

    Raises:
        NoValidatorsError: the package index does not give them.
    """
    return environment("validators", PACKAGES)
