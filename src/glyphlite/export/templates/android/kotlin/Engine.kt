package com.example.glyphreader

/** What runs the model. */
interface Engine : AutoCloseable {
    val title: String

    /** The model's outputs as they are stored, for a picture of Model.HEIGHT x Model.WIDTH bytes, rows first. */
    fun outputs(pixels: ByteArray): ByteArray
}
