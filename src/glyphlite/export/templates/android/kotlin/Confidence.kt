package com.example.glyphreader

import java.util.Locale
import kotlin.math.abs
import kotlin.math.exp
import kotlin.math.ln

/* What to believe of a model's outputs: probabilities, calibrated where a calibration is known, as `glyphlite predict` does. */

/** The fit on validation images: a temperature, and the confidence that 99 of 100 of them reach. */
class Certainty(val temperature: Double, val least: Double, val floor: Double, val independent: Boolean)

/** The answer to one glyph: the class numbers from the most probable on, and the confidence in each class. */
class Answer(val order: List<Int>, val confidence: DoubleArray, val isRefused: Boolean) {
    val best get() = order[0]
}

/** The answer from the model's outputs, as they are stored. */
fun answerOf(stored: ByteArray): Answer {
    val scores = probabilities(stored)
    val order = scores.indices.sortedByDescending { scores[it] }
    val certainty = Model.CERTAINTY ?: return Answer(order, scores, false)
    val believed = calibrated(scores, certainty)
    return Answer(order, believed, believed.max() < certainty.least)
}

/** A probability of each class. */
private fun probabilities(stored: ByteArray): DoubleArray {
    val real = DoubleArray(stored.size) { (Model.OUTPUT_SCALE * (stored[it] - Model.OUTPUT_ZERO_POINT)).toDouble() }
    return when (Model.OUTPUT_KIND) {
        "sigmoid" -> doubleArrayOf(1 - real[0], real[0])
        "logit" -> sigmoid(real[0]).let { doubleArrayOf(1 - it, it) }
        "logits" -> if (areProbabilities(real)) real else softmax(real)
        else -> real
    }
}

/** Whether a model whose last op tells of no probabilities gives some all the same. */
private fun areProbabilities(real: DoubleArray): Boolean {
    val sumToOne = real.all { it >= 0 } && abs(real.sum() - 1) <= SUM_TOLERANCE
    return sumToOne || real.size >= FEWEST_VALUES && real.all { it in 0.0..1.0 }
}

private const val SUM_TOLERANCE = 0.1
private const val FEWEST_VALUES = 20

private fun calibrated(scores: DoubleArray, certainty: Certainty): DoubleArray {
    fun logarithm(value: Double) = ln(maxOf(value, certainty.floor))
    if (certainty.independent) {
        return DoubleArray(scores.size) { sigmoid((logarithm(scores[it]) - logarithm(1 - scores[it])) / certainty.temperature) }
    }
    return softmax(DoubleArray(scores.size) { logarithm(scores[it]) / certainty.temperature })
}

private fun sigmoid(logit: Double) = 1 / (1 + exp(-logit.coerceIn(-60.0, 60.0)))

private fun softmax(logits: DoubleArray): DoubleArray {
    val most = logits.max()
    val powers = DoubleArray(logits.size) { exp(logits[it] - most) }
    val sum = powers.sum()
    return DoubleArray(logits.size) { powers[it] / sum }
}

/** A confidence as people read it: never 100 %, of which no model can be sure. */
fun inPercent(probability: Double): String {
    val written = String.format(Locale.ROOT, "%.1f", 100 * probability)
    return when (written) {
        "0.0" -> "< 0.1 %"
        "100.0" -> "> 99.9 %"
        else -> "$written %"
    }
}
