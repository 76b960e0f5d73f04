// Runs what of the exported app needs no Android: java -cp ... HarnessKt FOLDER reads FOLDER/ink.bin (drawings of 224x224 bytes)
// and writes FOLDER/found.txt, a line a drawing.
import com.example.glyphreader.Image2D
import com.example.glyphreader.Model
import com.example.glyphreader.NativeEngine
import com.example.glyphreader.answerOf
import com.example.glyphreader.inPercent
import com.example.glyphreader.prepareGlyph
import java.io.File

const val SIDE = 224

fun hex(bytes: ByteArray) = bytes.joinToString("") { "%02x".format(it) }

fun main(arguments: Array<String>) {
    val folder = File(arguments[0])
    val engine = NativeEngine()
    val drawings = File(folder, "ink.bin").readBytes().asList().chunked(SIDE * SIDE)
    File(folder, "found.txt").printWriter().use { out ->
        out.println("check ${engine.check()}")
        for (drawing in drawings) {
            val ink = Image2D(SIDE, SIDE, DoubleArray(drawing.size) { (drawing[it].toInt() and 0xff) / 255.0 })
            val glyph = prepareGlyph(ink, Model.HEIGHT, Model.WIDTH)
            if (glyph == null) {
                out.println("blank")
                continue
            }
            val outputs = engine.outputs(glyph.pixels)
            val answer = answerOf(outputs)
            val box = listOf(glyph.box.left, glyph.box.top, glyph.box.right, glyph.box.bottom).joinToString(",")
            val words = listOf(
                hex(glyph.pixels), box, glyph.others, glyph.doubt != null, hex(outputs), answer.best, answer.isRefused,
                answer.confidence.joinToString(","), inPercent(answer.confidence[answer.best]).replace(" ", ""),
                hex(Model.inputOf(glyph.pixels)),
            )
            out.println(words.joinToString(" "))
        }
    }
    try {
        engine.outputs(ByteArray(3))
        error("three pixels were taken for a picture")
    } catch (expected: ArrayIndexOutOfBoundsException) {
        println("refused: ${expected.javaClass.simpleName}")
    }
}
