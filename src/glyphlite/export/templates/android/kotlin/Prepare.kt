package com.example.glyphreader

import kotlin.math.floor

/* A drawing to the pixels that MNIST's makers would have made of it. The same computation as glyphlite/preprocessing/images.py,
 * by the same names, for ink that is known: a canvas has no light, no shadow, no paper of its own. A photo does; it needs
 * find_ink, which is not here. */

private const val WIDEST_STROKE = 0.3
private const val THINNEST_STROKE = 0.03
private const val MOST_PARTS = 12
private const val BAR = 0.4
private const val SIDE_BAND = 0.08
private const val SIDE_INKED = 0.9
private const val EDGE = 0.03
private const val FAINT = 0.1

/**
 * A glyph as the model sees it: [pixels], rows first, light on dark; [doubt] says why it may be no glyph at all; [others] counts
 * the further glyphs of the drawing.
 */
class PreparedGlyph(val pixels: ByteArray, val box: Glyph, val doubt: String?, val others: Int)

/**
 * Finds the glyph of a drawing and prepares it; null for a blank one.
 *
 * [ink] is 0 where nothing was drawn and 1 where the pen went.
 */
fun prepareGlyph(ink: Image2D, height: Int, width: Int): PreparedGlyph? {
    val found = inkParts(ink)
    val glyph = mainGlyph(ink, found) ?: return null
    val cut = cutOut(ink, found, glyph)
    val field = setIntoField(fitToBox(cut, nearest(minOf(height, width) * BOX_PART)), height, width)
    val pixels = ByteArray(height * width) { floor(field.data[it] * 255 + 0.5).toInt().toByte() }
    val spots = found.parts.size
    val many = if (spots > MOST_PARTS) "the drawing has $spots spots, where a glyph has one or a few" else null
    return PreparedGlyph(pixels, glyph, doubtOf(glyph, cut) ?: many, otherGlyphs(glyph, ink, found))
}

/** A glyph's ink alone, in its rectangle: its parts with their soft edges, nothing of its neighbours. */
private fun cutOut(ink: Image2D, found: Components, glyph: Glyph): Image2D {
    val reach = maxOf(1, nearest(EDGE * glyph.side))
    val (top, left) = maxOf(0, glyph.top - reach) to maxOf(0, glyph.left - reach)
    val cut = ink.cut(top, left, minOf(glyph.bottom + reach, ink.rows), minOf(glyph.right + reach, ink.columns))
    val own = glyph.parts.toSet()
    val mask = Image2D(cut.rows, cut.columns)
    val free = BooleanArray(cut.data.size)
    for (i in cut.data.indices) {
        val label = found.labels[(top + i / cut.columns) * ink.columns + left + i % cut.columns]
        if (label in own) mask.data[i] = 1.0
        free[i] = label in own || label == 0
    }
    val around = largestAround(mask, reach)
    for (i in cut.data.indices) if (around.data[i] == 0.0 || !free[i]) cut.data[i] = 0.0
    return trim(cut, FAINT)
}

/** Each pixel the largest of those within [reach] rows and columns. */
private fun largestAround(image: Image2D, reach: Int): Image2D {
    val (rows, columns) = image.rows to image.columns
    val down = Image2D(rows, columns)
    for (row in 0 until rows) for (column in 0 until columns) {
        val near = maxOf(0, row - reach)..minOf(rows - 1, row + reach)
        down.data[row * columns + column] = near.maxOf { image.data[it * columns + column] }
    }
    val result = Image2D(rows, columns)
    for (row in 0 until rows) for (column in 0 until columns) {
        val near = maxOf(0, column - reach)..minOf(columns - 1, column + reach)
        result.data[row * columns + column] = near.maxOf { down.data[row * columns + it] }
    }
    return result
}

/** Why a glyph's ink looks like no glyph, or null. */
private fun doubtOf(glyph: Glyph, cut: Image2D): String? {
    val width = strokeWidth(cut) / cut.side
    return when {
        width > WIDEST_STROKE -> "it is a blot, not strokes"
        isBoxed(cut) -> "it fills a rectangle on all four sides"
        width < THINNEST_STROKE && glyph.parts.size > 3 -> "it is texture, not strokes"
        else -> null
    }
}

/** Whether ink runs along all four sides of a glyph's rectangle; a bar, which is all stroke, does not count. */
private fun isBoxed(cut: Image2D): Boolean {
    val (rows, columns) = cut.rows to cut.columns
    if (minOf(rows, columns) < BAR * maxOf(rows, columns)) return false
    val (down, across) = maxOf(1, nearest(SIDE_BAND * rows)) to maxOf(1, nearest(SIDE_BAND * columns))

    fun inked(row: Int, column: Int) = cut.data[row * columns + column] >= WEAK

    fun share(length: Int, isInked: (Int) -> Boolean) = (0 until length).count(isInked).toDouble() / length
    return share(columns) { column -> (0 until down).any { inked(it, column) } } >= SIDE_INKED &&
        share(columns) { column -> (rows - down until rows).any { inked(it, column) } } >= SIDE_INKED &&
        share(rows) { row -> (0 until across).any { inked(row, it) } } >= SIDE_INKED &&
        share(rows) { row -> (columns - across until columns).any { inked(row, it) } } >= SIDE_INKED
}
