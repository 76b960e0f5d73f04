"""Export as an Android app to draw on: Kotlin, a Gradle project, LiteRT, and the generated C through JNI as the second engine.

Nothing of Android is needed to write it; the versions that Gradle fetches are pinned in ``versions``.
"""
