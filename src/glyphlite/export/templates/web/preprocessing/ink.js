/* Ink parted from paper. The same computation as src/glyphlite/preprocessing/ink.py, step by step and by the same names; the words are there. */

import { Image2D, clamp, median, quantile, select } from "./arrays.js";
import { ONE, SMALL_SIDE, darknessOf, isDarkOnLight, quotient } from "./light.js";
import { reducePicture } from "./reduction.js";
import { withoutRules } from "./rules.js";
import { findSheet } from "./sheet.js";

const WORK_SIDE = 800;
const FAINTEST = 3932;
const SMALL_PICTURE = 40;
const STEPS = 255;

export function findInk(picture) {
  const sheet = findSheet(picture);
  const cut = sheet ? picture.cut(sheet.top, sheet.left, sheet.bottom, sheet.right) : picture;
  let [small, reduction] = reducePicture(cut, WORK_SIDE);
  const onPaper = sheet ? sheet.paperAt(small.rows, small.columns, reduction) : new Uint8Array(small.data.length).fill(1);
  if (sheet) small = onPaperAlone(small, onPaper);
  const grey = small.map((value) => Math.floor(value + 0.5));
  const darkOnLight = isDarkOnLight(grey, onPaper);
  const all = darknessOf(grey, darkOnLight).map((value, i) => (onPaper[i] ? value : 0));
  const [darkness, rules] = withoutLines(all);
  const { strength, contrast, noise } = separate(darkness);
  return {
    strength: strength.map((value) => value / STEPS),
    reduction,
    darkOnLight,
    contrast: contrast / ONE,
    noise: noise / ONE,
    left: sheet?.left ?? 0,
    top: sheet?.top ?? 0,
    rules,
    onPaper,
  };
}

/** Printed lines taken off, and how many there were. */
function withoutLines(darkness) {
  const [found, rules] = withoutRules(darkness.map((value) => value / ONE), paperLevel(darkness)[1] / ONE);
  return rules ? [found.map((value) => Math.floor(value * ONE + 0.5)), rules] : [darkness, 0];
}

/** With a quadratic surface through the paper in place of what is not paper. */
function onPaperAlone(picture, onPaper) {
  const [small] = reducePicture(picture, SMALL_SIDE);
  const [known] = reducePicture(picture.map((_, i) => onPaper[i]), SMALL_SIDE);
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

function separate(darkness) {
  const [paper, noise] = paperLevel(darkness);
  const darkest = darkestSpot(darkness) - paper;
  const least = paper + Math.max(Math.min(5 * noise, quotient(darkest, 2)), FAINTEST);
  const candidates = darkness.data.filter((value) => value > least).map((value) => Math.min(value, ONE - 1));
  if (!candidates.length) return { strength: new Image2D(darkness.rows, darkness.columns), contrast: 0, noise };
  const contrast = quantileOf(candidates, 80) - paper;
  const ground = Math.min(Math.floor((noise * 5) / 2), Math.floor(contrast / 3));
  const extent = contrast - ground;
  const strength = darkness.map((value) => {
    return Math.floor((clamp(value - paper - ground, 0, extent) * 2 * STEPS + extent) / (2 * extent));
  });
  return { strength, contrast, noise };
}

/** The paper's own darkness and its standard deviation. */
function paperLevel(darkness) {
  const known = darkness.data.map((value) => Math.min(value, ONE - 1));
  const paper = quantileOf(known, 50);
  const distances = darkness.data.map((value) => Math.min(Math.abs(value - paper), 2 * ONE - 1));
  const noise = Math.floor((quantileOf(distances, 50) * 12145) / 8192);
  if (darkness.side > SMALL_PICTURE) return [paper, noise];
  const quarter = quantileOf(known, 25);
  const lowerNoise = Math.floor(((quarter - quantileOf(known, 10)) * 13494) / 8192);
  return [Math.min(paper, quarter + Math.floor((lowerNoise * 5526) / 8192)), Math.min(noise, lowerNoise)];
}

/** A quantile, of many values the nearest one, of few between two. */
function quantileOf(values, perCent) {
  const copy = Float64Array.from(values);
  const place = (copy.length - 1) * perCent;
  const [whole, part] = [Math.floor(place / 100), place % 100];
  if (copy.length > SMALL_PICTURE * SMALL_PICTURE) return select(copy, whole + (part >= 50 ? 1 : 0));
  const value = select(copy, whole);
  return part === 0 ? value : value + Math.floor(((select(copy, whole + 1) - value) * part + 50) / 100);
}

/** The darkest mean of 3x3 pixels, the rim's values repeated outside. */
function darkestSpot(darkness) {
  const { rows, columns, data } = darkness;
  const threes = darkness.map((here, i) => {
    const column = i % columns;
    return quotient(data[column ? i - 1 : i] + here + data[column + 1 < columns ? i + 1 : i], 16);
  });
  let darkest = -Infinity;
  for (let i = 0; i < data.length; i++) {
    const above = threes.data[i < columns ? i : i - columns];
    const below = threes.data[i + columns < rows * columns ? i + columns : i];
    darkest = Math.max(darkest, above + threes.data[i] + below);
  }
  return quotient(darkest * 16, 9);
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
