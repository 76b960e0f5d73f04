package com.example.glyphreader

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.Path
import android.util.AttributeSet
import android.view.MotionEvent
import android.view.View

/** A square to draw on with a finger or a pen. */
class DrawingView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    /** Called when a stroke ends, and when the drawing is cleared. */
    var changed: () -> Unit = {}

    private val strokes = mutableListOf<Path>()
    private val pen = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeCap = Paint.Cap.ROUND
        strokeJoin = Paint.Join.ROUND
        strokeWidth = STROKE
    }
    private var lastX = 0f
    private var lastY = 0f

    /** The ink of the drawing, 0 to 1; null where nothing was drawn. */
    fun ink(): Image2D? {
        if (strokes.isEmpty()) return null
        val bitmap = Bitmap.createBitmap(SIDE, SIDE, Bitmap.Config.ARGB_8888)
        Canvas(bitmap).apply {
            drawColor(Color.BLACK)
            scale(SIDE.toFloat(), SIDE.toFloat())
            paint(this, Color.WHITE)
        }
        val colors = IntArray(SIDE * SIDE)
        bitmap.getPixels(colors, 0, SIDE, 0, 0, SIDE, SIDE)
        bitmap.recycle()
        return Image2D(SIDE, SIDE, DoubleArray(colors.size) { (colors[it] and 0xff) / 255.0 })
    }

    fun undo() {
        strokes.removeLastOrNull()
        redraw()
    }

    fun clear() {
        strokes.clear()
        redraw()
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val side = minOf(MeasureSpec.getSize(widthMeasureSpec), MeasureSpec.getSize(heightMeasureSpec))
        setMeasuredDimension(side, side)
    }

    override fun onDraw(canvas: Canvas) {
        canvas.drawColor(Color.WHITE)
        canvas.scale(width.toFloat(), height.toFloat())
        paint(canvas, Color.BLACK)
    }

    override fun onTouchEvent(event: MotionEvent): Boolean {
        when (event.actionMasked) {
            MotionEvent.ACTION_DOWN -> {
                parent.requestDisallowInterceptTouchEvent(true)
                begin(event.x / width, event.y / height)
            }
            MotionEvent.ACTION_MOVE -> {
                for (i in 0 until event.historySize) extend(event.getHistoricalX(i) / width, event.getHistoricalY(i) / height)
                extend(event.x / width, event.y / height)
            }
            MotionEvent.ACTION_UP -> {
                performClick()
                changed()
            }
            MotionEvent.ACTION_CANCEL -> changed()
            else -> return false
        }
        invalidate()
        return true
    }

    private fun begin(x: Float, y: Float) {
        strokes += Path().apply {
            moveTo(x, y)
            lineTo(x, y) // a tap is a dot
        }
        lastX = x
        lastY = y
    }

    private fun extend(x: Float, y: Float) {
        // A curve through the middles between points has no corners.
        strokes.lastOrNull()?.quadTo(lastX, lastY, (lastX + x) / 2, (lastY + y) / 2)
        lastX = x
        lastY = y
    }

    private fun paint(canvas: Canvas, color: Int) {
        pen.color = color
        strokes.forEach { canvas.drawPath(it, pen) }
    }

    private fun redraw() {
        invalidate()
        changed()
    }

    private companion object {
        /** Pixels of the copy that is read; a glyph of 28 needs no more. */
        const val SIDE = 224

        /** Width of the pen, of a side of 1. */
        const val STROKE = 0.07f
    }
}
