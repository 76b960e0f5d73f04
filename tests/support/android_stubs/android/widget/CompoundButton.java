package android.widget;

public abstract class CompoundButton extends Button {
    public interface OnCheckedChangeListener { void onCheckedChanged(CompoundButton buttonView, boolean isChecked); }
    public CompoundButton(android.content.Context context, android.util.AttributeSet attrs) { super(context, attrs); }
    public boolean isChecked() { return false; }
    public void setOnCheckedChangeListener(OnCheckedChangeListener listener) {}
}
