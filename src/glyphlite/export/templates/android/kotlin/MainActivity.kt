package com.example.glyphreader

import android.app.Activity
import android.os.Bundle
import android.widget.Button
import android.widget.RadioButton
import android.widget.TextView
import kotlin.math.roundToInt

/** One screen: a square to draw on, the model's answer, and which of the two engines gives it. */
class MainActivity : Activity() {
    private lateinit var drawing: DrawingView
    private lateinit var labels: List<String>
    private val native = NativeEngine()
    private var liteRt: LiteRtEngine? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.main)
        labels = assets.open("labels.txt").bufferedReader().use { it.readLines() }
        drawing = findViewById(R.id.drawing)
        drawing.changed = ::answer
        findViewById<Button>(R.id.undo).setOnClickListener { drawing.undo() }
        findViewById<Button>(R.id.clear).setOnClickListener { drawing.clear() }
        findViewById<RadioButton>(R.id.native_engine).setOnCheckedChangeListener { _, _ -> answer() }
        findViewById<TextView>(R.id.model).text = getString(R.string.model, getString(R.string.app_name), native.check())
        answer()
    }

    override fun onDestroy() {
        liteRt?.close()
        super.onDestroy()
    }

    private fun engine(): Engine =
        if (findViewById<RadioButton>(R.id.native_engine).isChecked) native else liteRt ?: LiteRtEngine(assets).also { liteRt = it }

    /** Reads the drawing and shows what the model says of it. */
    private fun answer() {
        val glyph = drawing.ink()?.let { prepareGlyph(it, Model.HEIGHT, Model.WIDTH) }
        if (glyph == null) {
            show("?", getString(R.string.hint), "", "")
            return
        }
        val engine = engine()
        val start = System.nanoTime()
        val outputs = engine.outputs(glyph.pixels)
        val microseconds = (System.nanoTime() - start) / 1000.0
        val answer = answerOf(outputs)
        val best = answer.order.take(TOP).joinToString("   ") { "${labels[it]} ${inPercent(answer.confidence[it])}" }
        val time = getString(R.string.time, engine.title, microseconds.roundToInt())
        show(labels[answer.best], best, doubtOf(glyph, answer), time)
    }

    private fun doubtOf(glyph: PreparedGlyph, answer: Answer): String {
        val doubt = glyph.doubt?.let { getString(R.string.no_glyph, it) }
            ?: Model.CERTAINTY?.takeIf { answer.isRefused }?.let {
                getString(R.string.unsure, inPercent(answer.confidence[answer.best]), inPercent(it.least))
            }
        val several = if (glyph.others > 0) getString(R.string.several, glyph.others + 1) else null
        return listOfNotNull(doubt, several).joinToString(" ")
    }

    private fun show(label: String, confidence: String, doubt: String, time: String) {
        findViewById<TextView>(R.id.label).text = label
        findViewById<TextView>(R.id.confidence).text = confidence
        findViewById<TextView>(R.id.doubt).text = doubt
        findViewById<TextView>(R.id.time).text = time
    }

    private companion object {
        const val TOP = 3
    }
}
