/* The second engine: the .tflite file itself on LiteRT.js. Fetched when it is chosen. Knows pixels and scores, nothing of pictures. */

import { Tensor, loadAndCompile, loadLiteRt } from "./litert-core.js";
import { wasm } from "./litert-loader.js";

/** Start it, once. @param {ArrayBuffer} bytes of litert.wasm. @param record the second engine in model.json. */
export async function start(bytes, record) {
  wasm.module = await WebAssembly.compile(bytes);
  await loadLiteRt(record.script);
}

/** One .tflite file, with the methods of the first engine. */
export class LiteRtModel {
  /** @param {ArrayBuffer} file the bytes of litert-*.tflite. @param taken the input in model.json: channels (1 or 3), mean, std. */
  static async load(file, taken) {
    const model = new LiteRtModel(await loadAndCompile(new Uint8Array(file), { accelerator: "wasm" }), taken);
    // Browsers compile what has run a few times: the first answer shall not wait for it.
    for (let i = 0; i < 8; i++) await model.run();
    return model;
  }

  constructor(compiled, taken) {
    this.compiled = compiled;
    this.taken = taken;
    this.shape = Array.from(compiled.getInputDetails()[0].shape);
    this.input = new Float32Array(this.shape.reduce((a, b) => a * b));
    /* What it answers is real already. */
    this.output = { scale: 1, zeroPoint: 0 };
  }

  /** One inference. @param {Uint8Array} pixels grey, rows first. @returns {Promise<Float32Array>} the scores. */
  async scores(pixels) {
    const { channels, mean, std } = this.taken;
    for (let i = 0; i < this.input.length; i++) {
      this.input[i] = (pixels[Math.floor(i / channels)] - mean[i % mean.length]) / std[i % std.length];
    }
    return this.run();
  }

  async run() {
    const input = new Tensor(this.input, this.shape);
    const [output] = await this.compiled.run([input]);
    const scores = output.toTypedArray().slice();
    input.delete();
    output.delete();
    return scores;
  }

  /** Milliseconds of one inference of the last pixels: repeated, since browsers' clocks are coarse. */
  async time(atLeast = 2) {
    const started = performance.now();
    let count = 0;
    let elapsed;
    do {
      for (let i = 0; i < 4; i++, count++) await this.run();
      elapsed = performance.now() - started;
    } while (elapsed < atLeast);
    return elapsed / count;
  }
}
