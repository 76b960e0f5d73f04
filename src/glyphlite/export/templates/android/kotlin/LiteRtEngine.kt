package com.example.glyphreader

import android.content.res.AssetManager
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel

/** LiteRT on the phone's processor, with the .tflite file of the assets. */
class LiteRtEngine(assets: AssetManager) : Engine {
    override val title = "LiteRT"
    private val model = CompiledModel.create(assets, "model.tflite", CompiledModel.Options(Accelerator.CPU))
    private val inputs = model.createInputBuffers()
    private val outputs = model.createOutputBuffers()

    override fun outputs(pixels: ByteArray): ByteArray {
        inputs[0].writeInt8(Model.inputOf(pixels))
        model.run(inputs, outputs)
        return outputs[0].readInt8().copyOf(Model.OUTPUTS)
    }

    override fun close() {
        (inputs + outputs).forEach { it.close() }
        model.close()
    }
}
