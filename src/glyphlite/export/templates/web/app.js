/* The page: what was drawn goes through preprocessing and engine, and every stroke is answered at once. */

import { Image2D } from "./preprocessing/arrays.js";
import { calibrated, refusalOf } from "./confidence.js";
import { Engine, bestBuild, classOf, probabilities } from "./engine.js";
import { prepareGlyph } from "./preprocessing/images.js";
import { Pad } from "./pad.js";
import { greyOf, onCanvas, readPicture } from "./preprocessing/pictures.js";
import { Switches } from "./switches.js";
import { bytes, confidence, milliseconds, thousands } from "./words.js";

const $ = (id) => document.getElementById(id);
/* While a stroke is drawn, an answer at most this often; its end is answered at once. */
const BETWEEN_ANSWERS_MS = 80;
/* More classes than this, or longer names, make a list of the best ten instead of columns. */
const COLUMNS = 12;
const SHOWN = 10;
/* Left out where columns are narrow. */
const UNIT = " %";

const model = await fetchOf("model.json", (response) => response.json());
const build = bestBuild();
const engineFile = model.engines[build].file;
const engine = await Engine.load(await fetchOf(engineFile, (response) => response.arrayBuffer()), model);
const engineWords = `generated C as WebAssembly${build === "simd" ? " with SIMD" : ""}, ${bytes(model.engines[build].bytes)}`;
const switches = new Switches(model, engine, engineWords, watched, () => {
  showModel();
  answer(true);
});
export const pad = new Pad($("pad"), { changed: (finished) => (finished ? answer(true) : answerSoon()) });
const asColumns = model.labels.length <= COLUMNS && model.labels.every((label) => label.length <= 2);
let lastAnswer = 0;
let waiting = 0;
let worker = null;

async function fetchOf(file, read) {
  try {
    const response = await fetch(file);
    if (!response.ok) throw new Error(`${response.status}`);
    return await read(response);
  } catch (error) {
    $("doubt").textContent = `${file} cannot be loaded (${error.message}). Reload the page.`;
    throw error;
  }
}

/** Wait for the service worker, on the page's first visit, to see what is loaded from then on; in vain not long. */
async function watched() {
  const registration = await worker;
  const workers = navigator.serviceWorker;
  if (!registration || workers.controller || registration.active?.state === "activated") return;
  const taken = new Promise((resolve) => workers.addEventListener("controllerchange", resolve, { once: true }));
  await Promise.race([taken, new Promise((resolve) => setTimeout(resolve, 3000))]);
}

function answerSoon() {
  $("hint").hidden = !pad.empty;
  if (waiting) return;
  waiting = setTimeout(() => answer(false), Math.max(0, lastAnswer + BETWEEN_ANSWERS_MS - performance.now()));
}

/** Recognize what is on the paper and show it. @returns what the page shows, or null for a blank paper. */
export async function answer(finished) {
  clearTimeout(waiting);
  waiting = 0;
  const started = performance.now();
  // A photo is looked at as it is, until something is drawn on it.
  const photo = pad.strokes.length ? null : pad.picture;
  const grey = greyOf(photo ?? pad.copy);
  const { height, width } = model.input;
  const glyph = pad.empty ? null : prepareGlyph(grey, height, width);
  const { current, others } = switches;
  const result = glyph && { ...glyph, ...(await ask(current, glyph)) };
  if (pad.picture) pad.mark(photo && glyph && glyph.box);
  show(result, finished);
  const total = performance.now() - started;
  lastAnswer = performance.now();
  if (finished && result) showTimes(await current.engine.time(), total);
  const compared = await compare(result, others);
  return result && { ...result, compared };
}

/** What one of the engines says to the model's pixels. */
async function ask({ engine, words }, { pixels }) {
  const scores = await engine.scores(pixels);
  const output = { ...engine.output, kind: model.output.kind };
  return { words, scores, index: classOf(scores, output), real: calibrated(probabilities(scores, output), model.certainty) };
}

/** Show whether what else was loaded sees the same. @returns what it says. */
async function compare(result, others) {
  $("agreement").parentElement.hidden = others.length === 0;
  const results = result ? await Promise.all(others.map((other) => ask(other, result))) : [];
  $("agreement").textContent = result && others.length ? switches.agreement(result.index, results) : "–";
  $("agreement").classList.toggle("differs", results.some(({ index }) => index !== result.index));
  return results;
}

function show(result, finished) {
  $("hint").hidden = !pad.empty;
  const blank = pad.empty ? "" : "Nothing stands out from the paper.";
  const doubt = result && (result.doubt ? `Perhaps no glyph: ${result.doubt}.` : refusalOf(result.real, model));
  document.body.classList.toggle("doubtful", Boolean(doubt));
  const note = result?.others ? `${1 + result.others} glyphs found; this is the largest; glyphlite predict --all reads each.` : null;
  $("doubt").textContent = result ? [doubt, note].filter(Boolean).join(" ") : blank;
  $("class").textContent = result ? model.labels[result.index] : "?";
  $("class").classList.toggle("long", result !== null && model.labels[result.index].length > 2);
  $("certainty").textContent = result ? `confidence ${confidence(result.real[result.index])}` : "";
  drawSeen(result?.pixels);
  drawBars(result);
  if (finished) speak(result);
}

function speak(result) {
  if (!result) $("spoken").textContent = pad.empty ? "The paper is blank." : $("doubt").textContent;
  else $("spoken").textContent = `${model.labels[result.index]}, confidence ${confidence(result.real[result.index])}. ${$("doubt").textContent}`;
}

function drawSeen(pixels) {
  const { height, width } = model.input;
  const canvas = $("saw");
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) image.data.set([...Array(3).fill(pixels?.[i] ?? 0), 255], 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function drawBars(result) {
  const real = result?.real ?? model.labels.map(() => 0);
  const order = model.labels.map((_, i) => i);
  if (!asColumns) order.sort((a, b) => real[b] - real[a] || a - b).splice(SHOWN);
  const bars = $("bars");
  while (bars.children.length < order.length) bars.append($("bar").content.cloneNode(true));
  order.forEach((index, place) => {
    const item = bars.children[place];
    item.classList.toggle("best", index === result?.index);
    item.querySelector(".label").textContent = model.labels[index];
    item.querySelector(".value").textContent = result ? confidence(real[index]).slice(0, -UNIT.length) : "";
    item.querySelector(".unit").textContent = result ? UNIT : "";
    item.querySelector(".bar").style.setProperty("--part", real[index].toFixed(4));
  });
}

function showTimes(inference, total) {
  $("inference").textContent = milliseconds(inference);
  $("total").textContent = milliseconds(total);
}

function showModel() {
  const { current } = switches;
  document.title = `Draw · ${model.name} · glyphlite`;
  $("model").textContent = `${model.name} · ${current.variant} · ${bytes(current.bytes)}`;
  $("file-name").textContent = `${current.file}, ${thousands(current.bytes)} bytes`;
  const memory = current.engine === engine ? `, ${thousands(model.arenaBytes)} bytes of RAM` : "";
  $("work").textContent = `${thousands(model.macs)} multiply-accumulates${memory}`;
  $("engine").textContent = current.engineWords;
  $("bars").classList.toggle("columns", asColumns);
}

/** Put a picture file on the paper and answer it. */
export async function openPicture(file) {
  try {
    pad.show(onCanvas(await readPicture(file)));
    return answer(true);
  } catch (error) {
    $("doubt").textContent = $("spoken").textContent = error.message;
    return null;
  }
}

function clear() {
  pad.clear();
  answer(true);
}

function choose(erasing) {
  pad.erasing = erasing;
  $("pen").setAttribute("aria-pressed", String(!erasing));
  $("eraser").setAttribute("aria-pressed", String(erasing));
  pad.draw();
}

function listen() {
  $("pen").addEventListener("click", () => choose(false));
  $("eraser").addEventListener("click", () => choose(true));
  $("undo").addEventListener("click", () => pad.undo());
  $("clear").addEventListener("click", clear);
  $("photo").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    if (file) await openPicture(file);
    target.value = ""; // the same file may be chosen again
  });
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "z") pad.undo();
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key === "Delete" || event.key === "Backspace") clear();
    else if (event.key === "e" || event.key === "E") choose(!pad.erasing);
    else return;
    event.preventDefault();
  });
  addEventListener("paste", ({ clipboardData }) => openFirst(clipboardData));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    openFirst(event.dataTransfer);
  });
}

function openFirst(transfer) {
  const file = [...(transfer?.files ?? [])].find(({ type }) => type.startsWith("image/"));
  if (file) openPicture(file);
}

/** Browsers compile what has run a few times: the first stroke shall not wait for it. */
async function warmUp() {
  const sheet = new Image2D(pad.copy.height, pad.copy.width);
  sheet.data.fill(255);
  for (let i = 60; i < 160; i++) sheet.data.fill(0, i * sheet.columns + i, i * sheet.columns + i + 16);
  for (let i = 0; i < 6; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    prepareGlyph(sheet, model.input.height, model.input.width);
  }
}

showModel();
show(null, false);
listen();
document.body.dataset.ready = "yes";
// Only where browsers allow it: on localhost and over HTTPS. The page works without it, but not offline.
worker = navigator.serviceWorker?.register(`sw.js?engine=${engineFile}`).catch(() => null);
await warmUp();
