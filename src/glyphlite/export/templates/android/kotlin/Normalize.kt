package com.example.glyphreader

import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.sqrt

/* A glyph's ink into a field the way MNIST was made. The same computation as glyphlite/preprocessing/normalize.py, by the same
 * names; the words are there. */

const val BOX_PART = 20.0 / 28
private const val THINNEST = 2.0
private const val THICKEST = 3.1
private const val FINE = 4
private const val LEAST_CHANGE = 0.25
private const val STEPS = 64
private const val WIDTH_STEPS = 65536
private const val FAINT = 0.02
private const val BACK_PROJECTIONS = 4

/** Added to what is rounded, so that halves go upwards even where they come out a little less. */
private const val LITTLE = 1e-9

/** The nearest of 256 steps, halves upwards: what a microcontroller keeps of a value. */
private fun inSteps(value: Double) = floor(value * 255 + 0.5 + LITTLE) / 255

fun nearest(value: Double): Int = floor(value + 0.5).toInt()

/** A glyph at the size where its longer side is [side], with strokes no thinner and no thicker than MNIST's. */
fun fitToBox(glyph: Image2D, side: Int): Image2D {
    val byArea = glyph.side < side
    val width = strokeWidth(withLongerSide(glyph, FINE * side, byArea))
    val (thinnest, thickest) = listOf(THINNEST, THICKEST).map { floor(it * side / 20 * FINE * WIDTH_STEPS + 0.5) / WIDTH_STEPS }
    val radius = nearest((width.coerceIn(thinnest, thickest) - width) / 2 * STEPS) / STEPS.toDouble()
    if (abs(radius) < LEAST_CHANGE) return withLongerSide(glyph, side, byArea)
    // Room for what is added, or for what is taken away, so that in the end the longer side is right.
    val fine = withLongerSide(glyph, maxOf(side, nearest(FINE * side - 2 * radius)), byArea)
    val changed = widen(fine.pad(maxOf(0, ceil(radius).toInt())), radius)
    val most = changed.data.max()
    return withLongerSide(trim(changed.map { it / most }, FAINT), side, byArea)
}

/** A glyph in a field of zeros, its centre of mass on the field's middle, to a whole pixel. */
fun setIntoField(glyph: Image2D, height: Int, width: Int): Image2D {
    val (row, column) = centreOfMass(glyph)
    val top = minOf(maxOf(nearest(height / 2.0 - row + LITTLE), 0), height - glyph.rows)
    val left = minOf(maxOf(nearest(width / 2.0 - column + LITTLE), 0), width - glyph.columns)
    val field = Image2D(height, width)
    for (each in 0 until glyph.rows) {
        val from = each * glyph.columns
        glyph.data.copyInto(field.data, (top + each) * width + left, from, from + glyph.columns)
    }
    return field
}

/** The image without the rows and columns at its rim that hold nothing above [faintest]. */
fun trim(image: Image2D, faintest: Double): Image2D {
    val rows = (0 until image.rows).filter { row -> (0 until image.columns).any { image.data[row * image.columns + it] > faintest } }
    val columns =
        (0 until image.columns).filter { column -> (0 until image.rows).any { image.data[it * image.columns + column] > faintest } }
    return image.cut(rows.first(), columns.first(), rows.last() + 1, columns.last() + 1)
}

/** The mean width of the strokes in pixels: twice the ink by the length of its outline. */
fun strokeWidth(image: Image2D): Double {
    val padded = image.map { floor(it * 255 + 0.5) }.pad(1)
    var outline = 0.0
    for (row in 0 until padded.rows - 1) for (column in 0 until padded.columns - 1) {
        val i = row * padded.columns + column
        val down = padded.data[i + padded.columns] - padded.data[i]
        val right = padded.data[i + 1] - padded.data[i]
        outline += floor(sqrt((down * down + right * right) * 16384) + 0.5)
    }
    return if (outline > 0) floor(padded.data.sum() * 16777216 / outline) / WIDTH_STEPS else 0.0
}

private fun withLongerSide(image: Image2D, side: Int, byArea: Boolean): Image2D {
    fun scaled(size: Int) = maxOf(1, nearest(size.toDouble() * side / image.side))
    return resample(image, scaled(image.rows), scaled(image.columns), byArea)
}

private fun resample(image: Image2D, rows: Int, columns: Int, byArea: Boolean): Image2D {
    val result = resize(image, rows, columns).map(::inSteps)
    if (!byArea || rows <= image.rows || columns <= image.columns) return result
    repeat(BACK_PROJECTIONS) {
        val back = resize(result, image.rows, image.columns).map(::inSteps)
        val missed = Image2D(image.rows, image.columns, DoubleArray(image.data.size) { image.data[it] - back.data[it] })
        val added = resize(missed, rows, columns)
        for (i in result.data.indices) result.data[i] = inSteps(result.data[i] + added.data[i]).coerceIn(0.0, 1.0)
    }
    return result
}

private fun resize(image: Image2D, rows: Int, columns: Int): Image2D {
    val down = Image2D(rows, image.columns)
    for ((row, weights) in weights(image.rows, rows).withIndex()) for ((from, part) in weights) {
        for (column in 0 until image.columns) {
            down.data[row * image.columns + column] += part * image.data[from * image.columns + column]
        }
    }
    val result = Image2D(rows, columns)
    for ((column, weights) in weights(image.columns, columns).withIndex()) for (row in 0 until rows) {
        result.data[row * columns + column] = weights.sumOf { (from, part) -> part * down.data[row * image.columns + from] }
    }
    return result
}

/** For each pixel of the result the source pixels under it and their parts; when growing, linear interpolation. */
private fun weights(size: Int, target: Int): List<List<Pair<Int, Double>>> {
    val scale = size.toDouble() / target
    return List(target) { at ->
        if (scale >= 1) {
            val (start, end) = at * scale to (at + 1) * scale
            (floor(start).toInt() until minOf(ceil(end).toInt(), size)).map {
                it to maxOf(minOf(end, it + 1.0) - maxOf(start, it.toDouble()), 0.0) / scale
            }
        } else {
            val place = ((at + 0.5) * scale - 0.5).coerceIn(0.0, size - 1.0)
            val first = floor(place).toInt()
            (first..minOf(first + 1, size - 1)).map { it to maxOf(0.0, 1 - abs(it - place)) }
        }
    }
}

/** Strokes widened by [radius] pixels on each side, thinned where it is negative. */
private fun widen(image: Image2D, radius: Double): Image2D {
    if (radius < 0) return widen(image.map { 1 - it }, -radius).map { 1 - it }
    val whole = floor(radius).toInt()
    val part = radius - whole
    val lower = largestInDisc(image, whole)
    if (part == 0.0) return lower
    val upper = largestInDisc(image, whole + 1)
    return Image2D(image.rows, image.columns, DoubleArray(image.data.size) { lower.data[it] * (1 - part) + upper.data[it] * part })
}

private fun largestInDisc(image: Image2D, radius: Int): Image2D {
    if (radius == 0) return image
    val padded = image.pad(radius)
    val result = image.map { it }
    for (down in -radius..radius) for (right in -radius..radius) {
        if (down * down + right * right > radius * (radius + 1)) continue
        for (row in 0 until image.rows) for (column in 0 until image.columns) {
            val value = padded.data[(row + radius + down) * padded.columns + column + radius + right]
            val i = row * image.columns + column
            if (value > result.data[i]) result.data[i] = value
        }
    }
    return result
}

private fun centreOfMass(image: Image2D): Pair<Double, Double> {
    var (mass, row, column) = Triple(0.0, 0.0, 0.0)
    for (i in image.data.indices) {
        mass += image.data[i]
        row += image.data[i] * (i / image.columns)
        column += image.data[i] * (i % image.columns)
    }
    return row / mass to column / mass
}
