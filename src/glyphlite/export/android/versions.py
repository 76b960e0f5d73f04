"""The versions that an exported Android project asks Gradle for, each a release that exists and that its neighbours accept.

The Android Gradle plugin's release notes pair it with a Gradle, a JDK and an NDK; Google Play asks for the API level.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class AndroidVersions:
    """The versions that the project pins.

    Attributes:
        plugin: the Android Gradle plugin, which compiles Kotlin itself.
        gradle: the Gradle that this plugin needs.
        gradle_sha256: of its ``-bin.zip``.
        ndk: the plugin's own choice, written down.
        litert: of ``com.google.ai.edge.litert:litert``.
        api: compiled against and targeted.
        least_api: the lowest that this LiteRT takes.
    """

    plugin: str = "9.3.0"
    gradle: str = "9.5.0"
    gradle_sha256: str = "553c78f50dafcd54d65b9a444649057857469edf836431389695608536d6b746"
    ndk: str = "28.2.13676358"
    litert: str = "2.3.0"
    api: int = 36
    least_api: int = 24


VERSIONS = AndroidVersions()
