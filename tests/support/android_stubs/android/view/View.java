package android.view;

public class View {
    public interface OnClickListener { void onClick(View v); }
    public static class MeasureSpec {
        public static int getSize(int measureSpec) { return 0; }
    }
    public View(android.content.Context context, android.util.AttributeSet attrs) {}
    public final int getHeight() { return 0; }
    public final ViewParent getParent() { return null; }
    public final int getWidth() { return 0; }
    public void invalidate() {}
    protected void onDraw(android.graphics.Canvas canvas) {}
    protected void onMeasure(int widthMeasureSpec, int heightMeasureSpec) {}
    public boolean onTouchEvent(MotionEvent event) { return false; }
    public boolean performClick() { return false; }
    protected final void setMeasuredDimension(int measuredWidth, int measuredHeight) {}
    public void setOnClickListener(OnClickListener l) {}
}
