package com.example.glyphreader

/* The glyphs of a drawing among its strokes. The same computation as glyphlite/preprocessing/glyphs.py, by the same names. */

const val WEAK = 89.5 / 255
const val STRONG = 152.5 / 255
private const val DUST = 0.02
private const val NEAR = 0.15
private const val FRAGMENT = 0.4
private const val CLEAR = 0.1
private const val CONTENT = 0.25
private const val FRAME_RIM = 0.14
private const val WITHIN_FRAME = 0.1
private const val OTHER = 0.5
private const val MOST_PARTS = 64
private const val MOST_ON_A_PAGE = 500

/** A glyph: its rectangle ([right] and [bottom] are outside), the numbers of its parts, its amount of ink. */
class Glyph(var left: Int, var top: Int, var right: Int, var bottom: Int, val parts: List<Int>, var mass: Double) {
    val width get() = right - left
    val height get() = bottom - top
    val side get() = maxOf(width, height)

    fun together(other: Glyph) = Glyph(
        minOf(left, other.left),
        minOf(top, other.top),
        maxOf(right, other.right),
        maxOf(bottom, other.bottom),
        parts + other.parts,
        mass + other.mass,
    )

    /** The larger of the horizontal and the vertical distance, 0 where the rectangles overlap. */
    fun gap(other: Glyph): Int {
        val across = maxOf(left, other.left) - minOf(right, other.right)
        val down = maxOf(top, other.top) - minOf(bottom, other.bottom)
        return maxOf(across, down, 0)
    }

    fun isInside(outer: Glyph) =
        outer.left < left && right < outer.right && outer.top < top && bottom < outer.bottom

    /** The common columns, as a fraction of the narrower one's. */
    fun sharedColumns(other: Glyph): Double {
        val common = minOf(right, other.right) - maxOf(left, other.left)
        return common.toDouble() / minOf(width, other.width)
    }

    /** How many of the picture's four rims the glyph touches. */
    fun atRim(picture: Image2D) =
        listOf(left == 0, top == 0, right == picture.columns, bottom == picture.rows).count { it }
}

/** The part with the most ink and what stands near it; null where there is no ink. */
fun mainGlyph(strength: Image2D, found: Components): Glyph? {
    val singles = withoutFrames(singlesOf(found, MOST_PARTS), found.labels, strength.columns)
    if (singles.isEmpty()) return null
    val rims = singles.associateWith { it.atRim(strength) }
    var best = firstLargest(singles) { if (rims.getValue(it) > 0) it.mass / 2 else it.mass }
    if (rims.getValue(best) > 0) {
        val largest = best
        val clear = singles.filter {
            rims.getValue(it) == 0 && it.mass >= CLEAR * largest.mass && largest.gap(it) > NEAR * it.side
        }
        if (clear.isNotEmpty()) best = firstLargest(clear) { it.mass }
    }
    var glyph = best
    var rest = singles.filter { it !== best && it.mass >= DUST * best.mass && rims.getValue(it) <= rims.getValue(best) }
    while (true) {
        val near = rest.filter { glyph.gap(it) <= NEAR * glyph.side }
        if (near.isEmpty()) return glyph
        glyph = near.fold(glyph, Glyph::together)
        rest = rest - near.toSet()
    }
}

/** How many further glyphs of about its size stand beside a glyph. */
fun otherGlyphs(glyph: Glyph, strength: Image2D, found: Components): Int =
    glyphsOf(strength, found).count { it.height >= OTHER * glyph.height && it.parts.none(glyph.parts::contains) }

/** All glyphs, as on a page. */
private fun glyphsOf(strength: Image2D, found: Components): List<Glyph> {
    val singles = withoutFrames(singlesOf(found, MOST_ON_A_PAGE), found.labels, strength.columns)
    if (singles.isEmpty()) return emptyList()
    val most = singles.maxOf { it.mass }
    val usual = median(singles.filter { it.mass >= most / 10 }.map { it.height })
    val pieces = singles.filter { mayBeGlyph(it, usual, strength) }
    val glyphs = pieces.filter { it.height >= FRAGMENT * usual }.toMutableList()
    for (fragment in pieces.filter { it.height < FRAGMENT * usual && it.mass >= DUST * most }) {
        joinFragment(glyphs, fragment, usual)
    }
    return joinStacked(glyphs, usual)
}

/** Of more parts than so many those with the most ink. */
private fun singlesOf(found: Components, most: Int): List<Glyph> {
    val chosen = found.parts.sortedByDescending { it.mass }.take(most).toSet()
    return found.parts.filter(chosen::contains)
}

/** Without the boxes that have a glyph inside. */
private fun withoutFrames(singles: List<Glyph>, labels: IntArray, columns: Int) =
    singles.filterNot { isFrame(it, singles, labels, columns) }

private fun isFrame(outer: Glyph, singles: List<Glyph>, labels: IntArray, columns: Int): Boolean {
    if (singles.none { it.isInside(outer) && it.side >= CONTENT * outer.side }) return false
    val (down, right) = nearest(FRAME_RIM * outer.height) to nearest(FRAME_RIM * outer.width)
    val (innerRows, innerColumns) = outer.top + down until outer.bottom - down to (outer.left + right until outer.right - right)
    var (all, within) = 0 to 0
    for (row in outer.top until outer.bottom) for (column in outer.left until outer.right) {
        if (labels[row * columns + column] != outer.parts[0]) continue
        all++
        if (row in innerRows && column in innerColumns) within++
    }
    return within <= WITHIN_FRAME * all
}

private fun mayBeGlyph(piece: Glyph, usual: Double, strength: Image2D): Boolean {
    val ruled = piece.width > 2 * usual && piece.width > 4 * piece.height
    return !ruled && piece.atRim(strength) < 2 && piece.side < 4 * usual
}

private fun joinFragment(glyphs: MutableList<Glyph>, fragment: Glyph, usual: Double) {
    val near = glyphs.indices.filter { glyphs[it].sharedColumns(fragment) > 0.3 && glyphs[it].gap(fragment) < usual / 3 }
    val place = near.minByOrNull { glyphs[it].gap(fragment) } ?: return
    glyphs[place] = glyphs[place].together(fragment)
}

private fun joinStacked(glyphs: List<Glyph>, usual: Double): List<Glyph> {
    val joined = mutableListOf<Glyph>()
    for (glyph in glyphs.sortedWith(compareBy({ it.left }, { it.top }))) {
        val place = joined.indexOfFirst { it.sharedColumns(glyph) > 0.5 && it.together(glyph).height < 1.5 * usual }
        if (place < 0) joined += glyph else joined[place] = joined[place].together(glyph)
    }
    return joined
}

private inline fun firstLargest(glyphs: List<Glyph>, weight: (Glyph) -> Double): Glyph =
    glyphs.reduce { best, each -> if (weight(each) > weight(best)) each else best }
