package com.example.glyphreader

/** Parts of a mask that hang together, also at corners: each pixel's part, from 1 in reading order, and the parts themselves. */
class Components(val labels: IntArray, val parts: List<Glyph>)

/**
 * Finds the connected parts of the weak ink that hold strong ink somewhere.
 *
 * The same computation as ink_parts of glyphlite/preprocessing/glyphs.py and as connected_components.py.
 */
fun inkParts(strength: Image2D): Components {
    val (labels, count) = connectedParts(strength)
    val strong = BooleanArray(count + 1)
    for (i in labels.indices) if (strength.data[i] >= STRONG) strong[labels[i]] = true
    val number = IntArray(count + 1)
    var kept = 0
    for (label in 1..count) if (strong[label]) number[label] = ++kept
    for (i in labels.indices) labels[i] = number[labels[i]]
    return Components(labels, partsOf(labels, kept, strength))
}

/** Labels the pixels of the weak ink by the part that they belong to; returns how many parts there are, too. */
private fun connectedParts(strength: Image2D): Pair<IntArray, Int> {
    val (rows, columns) = strength.rows to strength.columns
    val labels = IntArray(rows * columns)
    val parent = IntArray(rows * columns / 2 + 2)
    var made = 0

    fun root(label: Int): Int {
        var at = label
        while (parent[at] != at) {
            parent[at] = parent[parent[at]]
            at = parent[at]
        }
        return at
    }

    for (row in 0 until rows) for (column in 0 until columns) {
        val i = row * columns + column
        if (strength.data[i] < WEAK) continue
        var label = 0
        for ((up, left) in NEIGHBOURS) {
            if (row < up || column < left || column - left >= columns) continue
            val neighbour = labels[i - up * columns - left]
            if (neighbour == 0) continue
            val other = root(neighbour)
            if (label == 0) {
                label = other
            } else {
                parent[maxOf(label, other)] = minOf(label, other)
                label = minOf(label, other)
            }
        }
        if (label == 0) {
            label = ++made
            parent[label] = label
        }
        labels[i] = label
    }
    val number = IntArray(made + 1)
    var count = 0
    for (label in 1..made) if (root(label) == label) number[label] = ++count
    for (i in labels.indices) if (labels[i] != 0) labels[i] = number[root(labels[i])]
    return labels to count
}

/** Rows up and columns to the left of the neighbours that come first in reading order. */
private val NEIGHBOURS = listOf(0 to 1, 1 to 1, 1 to 0, 1 to -1)

private fun partsOf(labels: IntArray, count: Int, strength: Image2D): List<Glyph> {
    val columns = strength.columns
    val parts = MutableList(count) { Glyph(columns, strength.rows, 0, 0, listOf(it + 1), 0.0) }
    for (i in labels.indices) {
        if (labels[i] == 0) continue
        val (row, column) = i / columns to i % columns
        val part = parts[labels[i] - 1]
        part.left = minOf(part.left, column)
        part.right = maxOf(part.right, column + 1)
        part.top = minOf(part.top, row)
        part.bottom = maxOf(part.bottom, row + 1)
        part.mass += strength.data[i]
    }
    return parts
}
