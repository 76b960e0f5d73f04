/* Which engine answers, with which variant of the model: the two switches, what they load, and what they say meanwhile. */

import { bytes, confidence } from "./words.js";

const $ = (id) => document.getElementById(id);

/** Fetch a file. @param progress called with the number of bytes that have come. @returns {Promise<ArrayBuffer>} */
async function download(file, progress = () => {}) {
  const response = await fetch(file).catch(() => {
    throw new TypeError("no network, and not kept from before");
  });
  if (!response.ok) throw new TypeError(`${file}: ${response.status}`);
  const chunks = [];
  let come = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return new Blob(chunks).arrayBuffer();
    chunks.push(value);
    come += value.length;
    progress(come);
  }
}

export class Switches {
  /**
   * @param model the record of model.json. @param engine what answers from the start: the int8 file as generated C.
   * @param engineWords its description. @param watched waits until the service worker sees, and keeps, what is loaded.
   * @param changed called when another one answers.
   */
  constructor(model, engine, engineWords, watched, changed) {
    Object.assign(this, { model, watched, changed, litert: model.litert, started: null, asked: new Map() });
    this.first = {
      engine,
      key: "c int8",
      words: "int8 as generated C",
      variant: "int8",
      file: model.file,
      bytes: model.bytes,
      engineWords,
    };
    /* All that can answer by now, in the order they were asked for; the one that does; the one that shall. */
    this.loaded = new Map([[this.first.key, this.first]]);
    this.current = this.first;
    this.wanted = this.first.key;
    if (this.litert) this.listen();
  }

  /** What else has been loaded and can answer the same drawing. */
  get others() {
    return [...this.loaded.values()].filter((one) => one !== this.current);
  }

  listen() {
    for (const { variant } of this.litert.variants) {
      const choice = $("variant").content.cloneNode(true);
      Object.assign(choice.querySelector("input"), { value: variant, checked: variant === "int8" });
      choice.querySelector("span").textContent = variant;
      $("variants").append(choice);
    }
    $("variants").parentElement.hidden = this.litert.variants.length === 1;
    $("switches").hidden = false;
    $("switches").addEventListener("change", ({ target }) => {
      const variant = this.chosen("variant");
      // Generated C is integers: the other variants are LiteRT.js's, and generated C takes int8 along.
      if (target.name === "engine") this.choose(target.value, target.value === "c" ? "int8" : variant);
      else this.choose(variant === "int8" ? this.chosen("engine") : "litert", variant);
    });
    this.show();
  }

  chosen(name) {
    return document.querySelector(`input[name="${name}"]:checked`)?.value;
  }

  /** Let an engine answer with a variant, loading what is missing; until then, and if it fails, the present one goes on. */
  async choose(engine, variant) {
    const key = `${engine} ${variant}`;
    this.wanted = key;
    this.mark(key);
    try {
      if (!this.loaded.has(key)) {
        this.say(`Loading ${variant} on LiteRT.js …`, true);
        if (!this.asked.has(key)) this.asked.set(key, this.load(variant));
        this.loaded.set(key, await this.asked.get(key));
      }
      if (this.wanted === key) this.answerWith(this.loaded.get(key));
    } catch (error) {
      this.asked.delete(key); // may be tried again
      console.debug(error);
      if (this.wanted === key) this.answerWith(this.current, this.failure(error));
    }
  }

  answerWith(one, problem = "") {
    const another = one !== this.current;
    this.wanted = one.key;
    this.current = one;
    this.mark(one.key);
    this.show(problem);
    if (another) this.changed();
  }

  /** Set both switches. */
  mark(key) {
    const [engine, variant] = key.split(" ");
    for (const input of $("switches").elements) {
      if (input.type === "radio") input.checked = input.value === (input.name === "engine" ? engine : variant);
    }
  }

  async load(variant) {
    const entry = this.litert.variants.find((one) => one.variant === variant);
    await this.watched();
    this.started ??= this.start();
    await this.started.catch((error) => {
      this.started = null;
      throw error;
    });
    const { LiteRtModel } = await import("./litert.js");
    const engine = await LiteRtModel.load(await download(entry.file), this.model.input);
    return {
      engine,
      key: `litert ${variant}`,
      words: `${variant} on LiteRT.js`,
      variant,
      file: entry.name,
      bytes: entry.bytes,
      engineWords: `${this.litert.name}, ${bytes(this.litert.bytes)}`,
      converted: entry.ports === "float32" ? "" : entry.ports,
    };
  }

  async start() {
    const { file, bytes: size } = this.litert.wasm;
    const wasm = await download(file, (come) => ($("progress").value = come / size));
    const { start } = await import("./litert.js");
    await start(wasm, this.litert);
  }

  /** Why LiteRT.js does not answer, and what does. */
  failure(error) {
    const still = `${this.current.words} goes on answering.`;
    if (error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError) {
      return `This browser is too old for LiteRT.js; ${still}`;
    }
    if (error instanceof TypeError) return `LiteRT.js cannot be loaded (${error.message}); ${still}`;
    return `LiteRT.js does not run this file (${error.message}); ${still}`;
  }

  say(words, loading = false) {
    $("loading").textContent = words;
    $("progress").hidden = !loading;
    $("progress").value = 0;
  }

  show(problem = "") {
    this.say(problem);
    const { converted, engine } = this.current;
    const more = this.litert.variants.length > 1 ? " and the other variants" : "";
    const once = `LiteRT.js runs the .tflite file itself${more}; choosing it loads ${bytes(this.litert.bytes)}, once.`;
    const edges = `Its ${converted} edges were converted to float32, which LiteRT.js asks for; all within is as it was.`;
    $("note").textContent = converted ? edges : engine === this.first.engine && this.loaded.size === 1 ? once : "";
  }

  /** Whether the others see the same class in a drawing. @param results what they said: words, index and real. */
  agreement(index, results) {
    const differ = results.filter((one) => one.index !== index);
    if (differ.length === 0) return results.length === 1 ? `${results[0].words} agrees` : `${results.length} others agree`;
    return differ.map((one) => `${one.words}: ${this.model.labels[one.index]} (${confidence(one.real[one.index])})`).join("; ");
  }
}
