package com.example.glyphreader

/** An image as a flat array of doubles, rows first, and the whole-array operations that the preprocessing needs. */
class Image2D(val rows: Int, val columns: Int, val data: DoubleArray = DoubleArray(rows * columns)) {
    val side get() = maxOf(rows, columns)

    inline fun map(change: (Double) -> Double) = Image2D(rows, columns, DoubleArray(data.size) { change(data[it]) })

    fun cut(top: Int, left: Int, bottom: Int, right: Int): Image2D {
        val result = Image2D(bottom - top, right - left)
        for (row in top until bottom) {
            data.copyInto(result.data, (row - top) * result.columns, row * columns + left, row * columns + right)
        }
        return result
    }

    fun pad(by: Int): Image2D {
        val result = Image2D(rows + 2 * by, columns + 2 * by)
        for (row in 0 until rows) {
            data.copyInto(result.data, (row + by) * result.columns + by, row * columns, (row + 1) * columns)
        }
        return result
    }
}

/** The middle of some values, the mean of the two middle ones where they are even. */
fun median(values: List<Int>): Double {
    val sorted = values.sorted()
    return (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2.0
}
