package android.graphics;

public final class Bitmap {
    public enum Config { ALPHA_8, RGB_565, ARGB_4444, ARGB_8888 }
    public static Bitmap createBitmap(int width, int height, Config config) { return null; }
    public void getPixels(int[] pixels, int offset, int stride, int x, int y, int width, int height) {}
    public void recycle() {}
}
