package android.graphics;

public class Paint {
    public static final int ANTI_ALIAS_FLAG = 1;
    public enum Style { FILL, STROKE, FILL_AND_STROKE }
    public enum Cap { BUTT, ROUND, SQUARE }
    public enum Join { MITER, ROUND, BEVEL }
    public Paint(int flags) {}
    public int getColor() { return 0; }
    public void setColor(int color) {}
    public void setColor(long color) {}
    public Cap getStrokeCap() { return null; }
    public void setStrokeCap(Cap cap) {}
    public Join getStrokeJoin() { return null; }
    public void setStrokeJoin(Join join) {}
    public float getStrokeWidth() { return 0; }
    public void setStrokeWidth(float width) {}
    public Style getStyle() { return null; }
    public void setStyle(Style style) {}
}
