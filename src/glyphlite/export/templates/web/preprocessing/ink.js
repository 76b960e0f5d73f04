/* Ink parted from paper. The same computation as src/glyphlite/preprocessing/ink.py, step by step and by the same names; the words are there. */

import { Image2D, clamp, largest, median, quantile } from "./arrays.js";
import { inSteps, largestAround, meanAround, reducePicture, smallestAround } from "./reduction.js";
import { withoutRules } from "./rules.js";
import { findSheet } from "./sheet.js";

const WORK_SIDE = 800;
const FAINTEST = 0.06;
const SMALL_SIDE = 40;
const PAPER_SIDE = 64;
const CLOSED_SIDE = 32;
const STEPS = 65536;
const CLOSING = 0.4;

export function findInk(picture) {
  const sheet = findSheet(picture);
  const cut = sheet ? picture.cut(sheet.top, sheet.left, sheet.bottom, sheet.right) : picture;
  let [small, reduction] = reducePicture(cut, WORK_SIDE);
  const onPaper = sheet ? sheet.paperAt(small.rows, small.columns, reduction) : new Uint8Array(small.data.length).fill(1);
  if (sheet) small = onPaperAlone(small, onPaper);
  const darkOnLight = isDarkOnLight(small, onPaper);
  const turned = darkOnLight ? small : small.map((value) => 255 - value);
  const paper = closedPaper(turned, paperSurface(turned));
  const all = turned.map((value, i) => (onPaper[i] ? inSteps(1 - value / paper.data[i], STEPS) : 0));
  const [darkness, rules] = withoutRules(all, paperLevel(all)[1]);
  const { strength, contrast, noise } = separate(darkness);
  return { strength, reduction, darkOnLight, contrast, noise, left: sheet?.left ?? 0, top: sheet?.top ?? 0, rules, onPaper };
}

/** With a quadratic surface through the paper in place of what is not paper. */
function onPaperAlone(picture, onPaper) {
  const [small] = reducePicture(picture, PAPER_SIDE);
  const [known] = reducePicture(picture.map((_, i) => onPaper[i]), PAPER_SIDE);
  const { rows, columns, data: values } = small;
  const whole = known.data.map((part) => (part === 1 ? 1 : 0));
  if (!whole.some(Boolean)) return picture;
  const terms = quadraticTerms(rows, columns);
  let weights = whole;
  let coefficients;
  for (let step = 0; step < 4; step++) {
    coefficients = leastSquares(terms, 6, values, weights);
    const fitted = evaluate(coefficients, rows, columns);
    const differences = values.map((value, i) => Math.abs(value - fitted[i]));
    const scale = Math.max(1.4826 * median(differences.filter((_, i) => whole[i])), 2);
    weights = differences.map((difference, i) => whole[i] * Math.max(1 - (difference / (4.685 * scale)) ** 2, 0) ** 2);
  }
  const surface = evaluate(coefficients, picture.rows, picture.columns);
  // A surface through a narrow sheet says little of what lies far from it.
  const [darkest, brightest] = [0.1, 1].map((part) => quantile(values.filter((_, i) => whole[i]), part));
  return picture.map((value, i) => (onPaper[i] ? value : clamp(surface[i], darkest, brightest)));
}

function isDarkOnLight(picture, onPaper) {
  const [small] = reducePicture(picture, PAPER_SIDE);
  const around = meanAround(small, PAPER_SIDE / 8);
  let skew = 0;
  const [known] = reducePicture(picture.map((_, i) => onPaper[i]), PAPER_SIDE);
  for (let i = 0; i < small.data.length; i++) if (known.data[i] === 1) skew += (small.data[i] - around.data[i]) ** 3;
  return skew <= 0;
}

function paperSurface(picture) {
  const [small] = reducePicture(picture, PAPER_SIDE);
  const { rows, columns, data: values } = small;
  const count = values.length;
  const terms = quadraticTerms(rows, columns);
  const considered = new Uint8Array(count).fill(1);
  for (let row = 1; row < rows - 1; row++) considered.fill(0, row * columns + 1, (row + 1) * columns - 1);
  let fitted = new Float64Array(count).fill(median(values.filter((_, i) => considered[i])));
  const weights = new Float64Array(count);
  let coefficients;
  for (let step = 0; step < 8; step++) {
    const onTheRim = step < 2;
    const distances = fitted.map((value, i) => Math.abs(values[i] - value));
    const scale = Math.max(1.4826 * median(distances.filter((_, i) => considered[i])), 2);
    for (let i = 0; i < count; i++) {
      const part = distances[i] / (4.685 * scale);
      const biweight = part < 1 ? (1 - part * part) ** 2 : 0;
      weights[i] = onTheRim && !considered[i] ? 0 : biweight;
      if (step > 0) distances[i] = biweight;
    }
    coefficients = leastSquares(terms, onTheRim ? 3 : 6, values, weights);
    fitted = evaluate(coefficients, rows, columns);
    if (step > 0) for (let i = 0; i < count; i++) considered[i] = distances[i] > 0 ? 1 : 0;
  }
  const surface = evaluate(coefficients, picture.rows, picture.columns);
  for (let i = 0; i < surface.length; i++) if (surface[i] < 1) surface[i] = 1;
  return new Image2D(picture.rows, picture.columns, surface);
}

/** The surface of these coefficients, as many as the first quadratic terms, at every pixel. */
function evaluate([one, ofX, ofY, ofXX = 0, ofXY = 0, ofYY = 0], rows, columns) {
  const values = new Float64Array(rows * columns);
  for (let row = 0, i = 0; row < rows; row++) {
    const y = (2 * row + 1) / rows - 1;
    for (let column = 0; column < columns; column++, i++) {
      const x = (2 * column + 1) / columns - 1;
      values[i] = one + ofX * x + ofY * y + ofXX * x * x + ofXY * x * y + ofYY * y * y;
    }
  }
  return values;
}

function closedPaper(picture, surface) {
  const even = new Image2D(picture.rows, picture.columns);
  for (let i = 0; i < even.data.length; i++) even.data[i] = picture.data[i] / surface.data[i];
  const [small] = reducePicture(even, CLOSED_SIDE);
  const reach = Math.max(1, Math.round((small.side * CLOSING) / 2));
  const closed = smallestAround(largestAround(small, reach), reach);
  const paper = enlarge(meanAround(closed, 2), picture.rows, picture.columns);
  for (let i = 0; i < paper.data.length; i++) paper.data[i] = Math.max(paper.data[i] * surface.data[i], 1);
  return paper;
}

function separate(darkness) {
  const [paper, noise] = paperLevel(darkness);
  const strength = new Image2D(darkness.rows, darkness.columns);
  const darkest = largest(meanAround(darkness, 1).data) - paper;
  const least = paper + Math.max(Math.min(5 * noise, darkest / 2), FAINTEST);
  const candidates = darkness.data.filter((value) => value > least);
  if (!candidates.length) return { strength: new Image2D(darkness.rows, darkness.columns), contrast: 0, noise };
  const contrast = inSteps(quantile(candidates, 0.8) - paper, STEPS);
  const floor = Math.min(2.5 * noise, contrast / 3);
  for (let i = 0; i < strength.data.length; i++) {
    strength.data[i] = inSteps(clamp((darkness.data[i] - paper - floor) / (contrast - floor), 0, 1));
  }
  return { strength, contrast, noise };
}

/** The paper's own darkness and its standard deviation. */
function paperLevel(darkness) {
  const paper = median(darkness.data);
  const noise = 1.4826 * median(darkness.data.map((value) => Math.abs(value - paper)));
  if (darkness.side > SMALL_SIDE) return [paper, noise];
  const [tenth, quarter] = [0.1, 0.25].map((part) => quantile(darkness.data, part));
  const lowerNoise = (quarter - tenth) / (1.2816 - 0.6745);
  return [Math.min(paper, quarter + 0.6745 * lowerNoise), Math.min(noise, lowerNoise)];
}

function enlarge(image, rows, columns) {
  const down = places(image.rows, rows);
  const right = places(image.columns, columns);
  const tall = new Image2D(rows, image.columns);
  for (let row = 0, i = 0; row < rows; row++) {
    const { from, to, part } = down[row];
    for (let column = 0; column < image.columns; column++, i++) {
      const upper = image.data[from * image.columns + column];
      tall.data[i] = upper * (1 - part) + image.data[to * image.columns + column] * part;
    }
  }
  const result = new Image2D(rows, columns);
  for (let row = 0, i = 0; row < rows; row++) {
    const start = row * image.columns;
    for (let column = 0; column < columns; column++, i++) {
      const { from, to, part } = right[column];
      result.data[i] = tall.data[start + from] * (1 - part) + tall.data[start + to] * part;
    }
  }
  return result;
}

function places(size, target) {
  return Array.from({ length: target }, (_, i) => {
    const place = clamp(((i + 0.5) * size) / target - 0.5, 0, size - 1);
    const from = Math.min(Math.floor(place), Math.max(size - 2, 0));
    return { from, to: Math.min(from + 1, size - 1), part: place - from };
  });
}

/** Six for each pixel: 1, x, y, x*x, x*y, y*y of its centre, both from -1 to 1. */
function quadraticTerms(rows, columns) {
  const terms = new Float64Array(6 * rows * columns);
  for (let row = 0, i = 0; row < rows; row++) {
    const y = (2 * row + 1) / rows - 1;
    for (let column = 0; column < columns; column++, i += 6) {
      const x = (2 * column + 1) / columns - 1;
      terms.set([1, x, y, x * x, x * y, y * y], i);
    }
  }
  return terms;
}

/** The first `count` terms' coefficients that fit the values best, weighted. */
function leastSquares(terms, count, values, weights) {
  const system = Array.from({ length: count }, () => new Float64Array(count + 1));
  for (let i = 0; i < values.length; i++) {
    if (weights[i] === 0) continue;
    for (let a = 0; a < count; a++) {
      const weighted = terms[6 * i + a] * weights[i];
      const row = system[a];
      for (let b = 0; b < count; b++) row[b] += weighted * terms[6 * i + b];
      row[count] += weighted * values[i];
    }
  }
  for (let k = 0; k < count; k++) system[k][k] += 1e-6;
  return solve(system);
}

/** Gaussian elimination with partial pivoting; each row carries its right side as its last value. */
function solve(system) {
  const count = system.length;
  for (let k = 0; k < count; k++) {
    let pivot = k;
    for (let row = k + 1; row < count; row++) if (Math.abs(system[row][k]) > Math.abs(system[pivot][k])) pivot = row;
    [system[k], system[pivot]] = [system[pivot], system[k]];
    for (let row = k + 1; row < count; row++) {
      const factor = system[row][k] / system[k][k];
      for (let column = k; column <= count; column++) system[row][column] -= factor * system[k][column];
    }
  }
  const solution = new Array(count).fill(0);
  for (let k = count - 1; k >= 0; k--) {
    let rest = system[k][count];
    for (let column = k + 1; column < count; column++) rest -= system[k][column] * solution[column];
    solution[k] = rest / system[k][k];
  }
  return solution;
}
