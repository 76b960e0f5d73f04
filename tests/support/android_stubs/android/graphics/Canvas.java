package android.graphics;

public class Canvas {
    public Canvas(Bitmap bitmap) {}
    public void drawColor(int color) {}
    public void drawPath(Path path, Paint paint) {}
    public void scale(float sx, float sy) {}
    public final void scale(float sx, float sy, float px, float py) {}
}
