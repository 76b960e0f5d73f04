package android.widget;

public class RadioButton extends CompoundButton {
    public RadioButton(android.content.Context context, android.util.AttributeSet attrs) { super(context, attrs); }
}
