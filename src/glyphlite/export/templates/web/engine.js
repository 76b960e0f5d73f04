/* The model: generated C as WebAssembly, the bytes a microcontroller gives. Knows pixels and scores, nothing of pictures. */

/* A function of one vector instruction: what validates it runs the SIMD build. */
const SIMD_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

/** The build for this browser: "simd" or "plain". */
export const bestBuild = () => (WebAssembly.validate(SIMD_PROBE) ? "simd" : "plain");

export class Engine {
  /** @param {BufferSource} module the bytes of engine-*.wasm. @param model the record of model.json. */
  static async load(module, model) {
    const { instance } = await WebAssembly.instantiate(module);
    return new Engine(instance.exports, model);
  }

  constructor(exports, model) {
    this.run = exports.glyphlite_classify;
    this.model = model;
    this.output = model.output;
    const { height, width, channels } = model.input;
    this.input = new Uint8Array(exports.memory.buffer, exports.glyphlite_pixels(), height * width * channels);
    this.stored = new Int8Array(exports.memory.buffer, exports.glyphlite_scores(), model.output.size ?? model.labels.length);
  }

  /** One inference. @param {Uint8Array} pixels grey, rows first. @returns {Int8Array} the stored scores. */
  scores(pixels) {
    const { channels } = this.model.input;
    for (let i = 0; i < this.input.length; i++) this.input[i] = pixels[Math.floor(i / channels)];
    this.run();
    return this.stored.slice();
  }

  /** Milliseconds of one inference of the last pixels: repeated, since browsers' clocks are coarse. */
  time(atLeast = 2) {
    const started = performance.now();
    let count = 0;
    let elapsed;
    do {
      for (let i = 0; i < 8; i++, count++) this.run();
      elapsed = performance.now() - started;
    } while (elapsed < atLeast);
    return elapsed / count;
  }
}

/* What one score above it means: the second of two classes. */
const THRESHOLDS = { sigmoid: 0.5, logit: 0 };

const toReal = (scores, { scale, zeroPoint }) => Array.from(scores, (score) => scale * (score - zeroPoint));

/** Stored scores as probabilities, as OutputKind of src/glyphlite/models/interface/output_kind.py: a softmax only where they are logits. */
export function probabilities(scores, output) {
  const real = toReal(scores, output);
  if (output.kind === "sigmoids") return real;
  if (output.kind in THRESHOLDS) {
    const second = output.kind === "sigmoid" ? real[0] : 1 / (1 + Math.exp(-real[0]));
    return [1 - second, second];
  }
  const total = real.reduce((a, b) => a + b, 0);
  if (real.every((value) => value >= 0) && Math.abs(total - 1) <= 0.1) return real;
  const most = Math.max(...real);
  const powers = real.map((value) => Math.exp(value - most));
  const all = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / all);
}

/** The model's class: the index of the first largest score, or what a single one says. */
export function classOf(scores, output) {
  if (output.kind in THRESHOLDS) return toReal(scores, output)[0] > THRESHOLDS[output.kind] ? 1 : 0;
  return scores.indexOf(scores.reduce((a, b) => Math.max(a, b)));
}
