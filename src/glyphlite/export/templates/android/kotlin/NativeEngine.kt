package com.example.glyphreader

/** The generated C, in a library that Gradle builds from app/src/main/cpp: TensorFlow Lite Micro's bytes, and no other runtime. */
class NativeEngine : Engine {
    override val title = "Generated C"

    override fun outputs(pixels: ByteArray): ByteArray = ByteArray(Model.OUTPUTS).also {
        classify(ByteArray(pixels.size * Model.CHANNELS) { i -> pixels[i / Model.CHANNELS] }, it)
    }

    /** Runs the sample that was exported with the model; returns how many bytes differ from TensorFlow Lite Micro's. */
    external fun check(): Int

    override fun close() = Unit

    private external fun classify(pixels: ByteArray, outputs: ByteArray): Int

    private companion object {
        init {
            System.loadLibrary("glyphreader")
        }
    }
}
