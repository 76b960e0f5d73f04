// The part of LiteRT 2.3.0's Kotlin interface that the exported app uses: signatures, no code.
package com.google.ai.edge.litert

import android.content.res.AssetManager

enum class Accelerator { NONE, CPU, GPU, NPU }

class Environment

class TensorBuffer internal constructor() : AutoCloseable {
    fun writeInt8(data: ByteArray): Unit = TODO("not here: ${data.size}")

    fun readInt8(): ByteArray = TODO()

    override fun close() = Unit
}

class CompiledModel private constructor() : AutoCloseable {
    class Options(val accelerators: Set<Accelerator>) {
        constructor(vararg accelerators: Accelerator) : this(setOf(*accelerators))

        companion object {
            @JvmStatic val CPU = Options(Accelerator.CPU)
        }
    }

    @JvmOverloads
    fun createInputBuffers(signatureIndex: Int = 0): List<TensorBuffer> = TODO("not here: $signatureIndex")

    @JvmOverloads
    fun createOutputBuffers(signatureIndex: Int = 0): List<TensorBuffer> = TODO("not here: $signatureIndex")

    @JvmOverloads
    fun run(inputs: List<TensorBuffer>, signatureIndex: Int = 0): List<TensorBuffer> = TODO("not here: $inputs $signatureIndex")

    @JvmOverloads
    fun run(inputs: List<TensorBuffer>, outputs: List<TensorBuffer>, signatureIndex: Int = 0): Unit =
        TODO("not here: $inputs $outputs $signatureIndex")

    override fun close() = Unit

    companion object {
        @JvmOverloads
        @JvmStatic
        fun create(
            assetManager: AssetManager,
            assetName: String,
            options: Options = Options.CPU,
            optionalEnv: Environment? = null,
        ): CompiledModel = TODO("not here: $assetManager $assetName $options $optionalEnv")
    }
}
