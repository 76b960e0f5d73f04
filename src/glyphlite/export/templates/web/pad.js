/* Paper to draw on: strokes of pointers and of the keyboard, kept as lines, drawn on the screen and on a copy for the model.
 * Knows canvases and events, nothing of glyphs. */

/* The model's copy, in pixels: eight for each of MNIST's. */
const COPY_SIDE = 224;
const COPY_COLOURS = ["#fff", "#000"];
/* Widths as parts of the paper's side. */
const PEN = 0.07;
const ERASER = 0.16;
const STEP = 0.05;
const SMALL_STEP = 0.0125;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pad {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{changed: (finished: boolean) => void}} options called after every piece of a stroke, and at its end.
   */
  constructor(canvas, { changed }) {
    this.canvas = canvas;
    this.changed = changed;
    this.strokes = [];
    this.picture = null;
    this.box = null;
    /* What was on the paper before each stroke, picture and clearing, the latest last. */
    this.past = [];
    this.erasing = false;
    this.cursor = null;
    this.copy = Object.assign(document.createElement("canvas"), { width: COPY_SIDE, height: COPY_SIDE });
    this.copyContext = this.copy.getContext("2d", { willReadFrequently: true });
    this.context = canvas.getContext("2d");
    this.lines = new Map();
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.extend(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.end(event));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.leave());
    // Without this a finger would scroll the page on browsers that do not know touch-action.
    canvas.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    this.draw();
  }

  get empty() {
    return !this.strokes.length && !this.picture;
  }

  /** Put a picture on the paper instead of everything on it. @param {CanvasImageSource} picture with width and height. */
  show(picture) {
    this.remember();
    this.put([], picture, null);
  }

  /** Mark the glyph that was found on the picture, in its pixels. */
  mark(box) {
    this.box = box;
    this.draw();
  }

  clear() {
    if (!this.empty) this.remember();
    this.put([], null, null);
  }

  /** Take back the last stroke, picture or clearing. */
  undo() {
    if (!this.past.length) return;
    this.put(...this.past.pop());
    this.changed(true);
  }

  remember() {
    this.past.push([[...this.strokes], this.picture, this.box]);
  }

  put(strokes, picture, box) {
    Object.assign(this, { strokes, picture, box });
    this.lines.clear();
    this.draw();
  }

  begin(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.cursor = null;
    // The other end of a pen erases.
    this.lines.set(event.pointerId, this.start(this.place(event), this.erasing || (event.buttons & 32) !== 0));
    this.changed(false);
  }

  extend(event) {
    const stroke = this.lines.get(event.pointerId);
    if (!stroke) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) stroke.points.push(this.place(each));
    this.draw();
    this.changed(false);
  }

  end(event) {
    if (this.lines.delete(event.pointerId)) this.changed(true);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) this.move(ARROWS[event.key], event.shiftKey ? SMALL_STEP : STEP);
    else if (event.key === " ") this.toggle();
    else return;
    event.preventDefault();
  }

  move([right, down], step) {
    const [x, y] = this.cursor ?? [0.5, 0.5];
    const within = (value) => Math.min(Math.max(value, 0), 1);
    this.cursor = [within(x + right * step), within(y + down * step)];
    const stroke = this.lines.get("keyboard");
    stroke?.points.push(this.cursor);
    this.draw();
    if (stroke) this.changed(false);
  }

  toggle() {
    this.cursor ??= [0.5, 0.5];
    const lifted = this.lines.delete("keyboard");
    if (!lifted) this.lines.set("keyboard", this.start(this.cursor, this.erasing));
    this.draw();
    this.changed(lifted);
  }

  leave() {
    this.cursor = null;
    if (this.lines.delete("keyboard")) this.changed(true);
    this.draw();
  }

  start(point, erase) {
    const stroke = { points: [point], erase };
    this.remember();
    this.strokes.push(stroke);
    this.draw();
    return stroke;
  }

  place(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  }

  draw() {
    const side = Math.round(this.canvas.clientWidth * devicePixelRatio) || COPY_SIDE;
    if (this.canvas.width !== side) this.canvas.width = this.canvas.height = side;
    const style = getComputedStyle(this.canvas);
    // On a photo the person sees the colours that the model gets; on blank paper those of the day or night.
    const colours = this.picture ? COPY_COLOURS : [style.getPropertyValue("--paper"), style.getPropertyValue("--ink")];
    this.paint(this.context, side, ...colours);
    this.paint(this.copyContext, COPY_SIDE, ...COPY_COLOURS);
    this.decorate(side, style.getPropertyValue("--accent"));
  }

  /** Picture and strokes; the same lines at any size. */
  paint(context, side, paper, ink) {
    context.fillStyle = paper;
    context.fillRect(0, 0, side, side);
    if (this.picture) context.drawImage(this.picture, ...this.frame(side));
    context.lineCap = context.lineJoin = "round";
    for (const { points, erase } of this.strokes) {
      context.strokeStyle = erase ? paper : ink;
      context.lineWidth = side * (erase ? ERASER : PEN);
      context.beginPath();
      const [[x, y]] = points;
      context.moveTo(x * side, y * side);
      // Curves through the middles between points: round even when the pointer was faster than its events.
      for (let i = 1; i < points.length - 1; i++) {
        const [here, next] = [points[i], points[i + 1]];
        context.quadraticCurveTo(here[0] * side, here[1] * side, ((here[0] + next[0]) * side) / 2, ((here[1] + next[1]) * side) / 2);
      }
      const last = points.at(-1);
      context.lineTo(last[0] * side, last[1] * side);
      context.stroke();
    }
  }

  /** Where the picture lies on a paper of that side: left, top, width, height. */
  frame(side) {
    const { width, height } = this.picture;
    const scale = side / Math.max(width, height);
    return [(side - width * scale) / 2, (side - height * scale) / 2, width * scale, height * scale];
  }

  /** What only a person sees: the glyph's box on a picture, and the keyboard's pen. */
  decorate(side, accent) {
    this.context.strokeStyle = accent;
    this.context.lineWidth = side / 140;
    if (this.picture && this.box) {
      const [left, top, width] = this.frame(side);
      const scale = width / this.picture.width;
      const { box } = this;
      this.context.strokeRect(left + box.left * scale, top + box.top * scale, (box.right - box.left) * scale, (box.bottom - box.top) * scale);
    }
    if (this.cursor) {
      const [x, y] = this.cursor;
      this.context.beginPath();
      this.context.arc(x * side, y * side, (side * (this.erasing ? ERASER : PEN)) / 2, 0, 2 * Math.PI);
      this.context.stroke();
    }
  }
}
