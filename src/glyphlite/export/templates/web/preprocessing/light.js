/* How bright the paper is at every pixel, in whole numbers. The same computation as src/glyphlite/preprocessing/light.py, step by step and by
 * the same names; the words are there. Doubles hold all of it but the normal equations, which need BigInt. */

import { Image2D, clamp, select } from "./arrays.js";
import { alongAxes, largestAround, smallestAround } from "./reduction.js";

export const ONE = 65536;
export const SMALL_SIDE = 64;
const CLOSED_SIDE = 32;
const UNIT = 4096;
const LARGEST_TERM = 131071;
const POWERS = [[0, 0], [1, 0], [0, 1], [2, 0], [1, 1], [0, 2]];
const FARTHEST = 4095;
const RATIO = 8192;

export const quotient = (number, by) => Math.trunc(number / by);

export function isDarkOnLight(picture, onPaper) {
  const small = smallCopy(picture);
  const reach = SMALL_SIDE / 8;
  const sums = alongAxes(small, reach, sumOf);
  const [known, pixels] = blockSums(picture.map((_, i) => onPaper[i]), SMALL_SIDE);
  let skew = 0n;
  for (let i = 0; i < small.data.length; i++) {
    if (known.data[i] === pixels) skew += BigInt((2 * reach + 1) ** 2 * small.data[i] - sums.data[i]) ** 3n;
  }
  return skew <= 0n;
}

/** How much of the paper's light is missing at each pixel, from -ONE to ONE. */
export function darknessOf(picture, darkOnLight) {
  const turn = (image) => (darkOnLight ? image : image.map((value) => 255 - value));
  const grey = turn(picture);
  const surface = paperSurface(turn(smallCopy(picture)));
  const light = paperLight(surface, closedPaper(grey, surface), grey.rows, grey.columns);
  return grey.map((value, i) => {
    const full = light.data[i];
    return clamp(ONE - Math.floor((value * 16777216 + Math.floor(full / 2)) / full), -ONE, ONE);
  });
}

const smallCopy = (picture) => blockMeans(picture, SMALL_SIDE).map((mean) => Math.floor((mean + 128) / 256));

/** A quadratic surface through the paper's brightness: its six terms, in 1/256 of a grey level. */
function paperSurface(small) {
  const { rows, columns, data: values } = small;
  const rim = new Uint8Array(values.length).fill(1);
  for (let row = 1; row < rows - 1; row++) rim.fill(0, row * columns + 1, (row + 1) * columns - 1);
  let voters = rim;
  const base = Math.floor((medianDistance(values.map((value) => value * 256), voters) + 128) / 256);
  let surface = [base * 256, 0, 0, 0, 0, 0];
  for (let step = 0; step < 8; step++) {
    const levels = levelsOf(surface, middles(rows), middles(columns));
    const differences = values.map((value, i) => value * 256 - levels.data[i]);
    const scale = Math.max(Math.floor((medianDistance(differences, voters) * 1519) / 1024), 512);
    const reach = Math.floor((scale * 4797) / 1024);
    const weights = new Image2D(rows, columns, differences.map((each, i) => (step < 2 && !rim[i] ? 0 : biweight(each, reach))));
    if (step) voters = Uint8Array.from(differences, (each) => (Math.abs(each) < reach ? 1 : 0));
    if (weights.data.some(Boolean)) surface = fitted(weights, small.map((value) => value - base), step < 2 ? 3 : 6, base);
  }
  return surface;
}

/** On a small grid how bright the paper is beside the surface, in 1/8192, under the strokes too. */
function closedPaper(picture, surface) {
  const means = blockMeans(picture, CLOSED_SIDE);
  const block = Math.ceil(picture.side / CLOSED_SIDE);
  const places = (count, size) =>
    Array.from({ length: count }, (_, i) => Math.floor(((2 * i + 1) * Math.min(block, size) * UNIT) / size) - UNIT);
  const levels = levelsOf(surface, places(means.rows, picture.rows), places(means.columns, picture.columns));
  const ratios = means.map((mean, i) => {
    const level = clamp(levels.data[i], 256, LARGEST_TERM);
    return clamp(Math.floor((mean * RATIO + Math.floor(level / 2)) / level), 0, 32767);
  });
  const reach = means.side < 5 ? 1 : Math.floor((2 * means.side + 5) / 10);
  const closed = smallestAround(largestAround(ratios, reach), reach);
  const fifth = (line, from, to) => Math.floor((sumOf(line, from, to) + 2) / 5);
  return transposed(alongAxes(transposed(closed), 2, fifth)); // rows first
}

/** The paper's brightness at each pixel, in 1/256 of a grey level and no less than one. */
function paperLight(surface, closed, rows, columns) {
  const down = stretched(closed.rows, rows);
  const across = stretched(closed.columns, columns);
  const step = Math.floor((2 * UNIT * 256) / columns);
  const start = Math.floor(step / 2) - UNIT * 256;
  const levels = levelsOf(surface, middles(rows), Array.from({ length: columns }, (_, i) => quotient(start + i * step, 256)));
  const line = new Float64Array(closed.columns);
  for (let row = 0, i = 0; row < rows; row++) {
    const [upper, lower, part] = down[row];
    for (let column = 0; column < closed.columns; column++) {
      const ofUpper = closed.data[upper * closed.columns + column] * (65536 - part);
      line[column] = Math.floor((ofUpper + closed.data[lower * closed.columns + column] * part) / 65536);
    }
    for (let column = 0; column < columns; column++, i++) {
      const [left, right, share] = across[column];
      const ratio = Math.floor((line[left] * (65536 - share) + line[right] * share) / 65536);
      levels.data[i] = Math.max(Math.floor((clamp(levels.data[i], 256, LARGEST_TERM) * ratio) / RATIO), 256);
    }
  }
  return levels;
}

/** For each of so many places the two of a grid that it lies between, and how near it is to the second. */
function stretched(count, size) {
  const step = Math.floor((count * 65536) / size);
  return Array.from({ length: size }, (_, i) => {
    const place = clamp(Math.floor(step / 2) - 32768 + i * step, 0, (count - 1) * 65536);
    const first = Math.floor(place / 65536);
    return [first, Math.min(first + 1, count - 1), place % 65536];
  });
}

function blockSums(picture, side) {
  const block = Math.ceil(picture.side / side);
  const [rows, columns] = [picture.rows, picture.columns].map((size) => Math.max(1, Math.floor(size / block)));
  const [down, across] = [picture.rows, picture.columns].map((size) => Math.min(block, size));
  const sums = new Image2D(rows, columns);
  for (let y = 0; y < rows * down; y++) {
    const row = Math.floor(y / down) * columns;
    for (let x = 0; x < columns * across; x++) sums.data[row + Math.floor(x / across)] += picture.data[y * picture.columns + x];
  }
  return [sums, down * across];
}

function blockMeans(picture, side) {
  const [sums, count] = blockSums(picture, side);
  return sums.map((sum) => Math.floor((sum * 256 + Math.floor(count / 2)) / count));
}

function sumOf(line, from, to) {
  let total = 0;
  for (let i = from; i <= to; i++) total += line[i];
  return total;
}

function transposed(image) {
  const result = new Image2D(image.columns, image.rows);
  return result.map((_, i) => image.data[(i % image.rows) * image.columns + Math.floor(i / image.rows)]);
}

const middles = (size) => Array.from({ length: size }, (_, i) => Math.floor(((2 * i + 1) * UNIT) / size) - UNIT);

/** A surface's levels at places, in 1/256 of a grey level. */
function levelsOf(surface, ys, xs) {
  const levels = new Image2D(ys.length, xs.length);
  ys.forEach((y, row) => {
    const constant = surface[0] + quotient(y * (surface[2] + quotient(surface[5] * y, UNIT)), UNIT);
    const linear = surface[1] + quotient(surface[4] * y, UNIT);
    xs.forEach((x, column) => {
      levels.data[row * xs.length + column] = constant + quotient(x * (linear + quotient(surface[3] * x, UNIT)), UNIT);
    });
  });
  return levels;
}

function medianDistance(differences, voters) {
  const distances = differences.filter((_, i) => voters[i]).map((each) => Math.min(Math.floor(Math.abs(each) / 16), FARTHEST));
  return 16 * (distances.length ? select(distances, Math.floor((distances.length - 1) / 2)) : FARTHEST) + 8;
}

function biweight(difference, reach) {
  if (Math.abs(difference) >= reach) return 0;
  const part = quotient(difference * 1024, reach) * 4;
  const near = 4096 - Math.floor((part * part) / 4096);
  return Math.floor((near * near) / 16384);
}

/** The first terms of a weighted least-squares surface through values, base added, by the normal equations. */
function fitted(weights, values, count, base) {
  const { rows, columns } = weights;
  const ofWeights = new Float64Array(25); // the sum with x to the power of a and y to the power of b at 5 * a + b
  const ofValues = new Float64Array(25);
  for (let row = 0, i = 0; row < rows; row++) {
    const y = 2 * row + 1 - rows;
    for (let column = 0; column < columns; column++, i++) {
      const x = 2 * column + 1 - columns;
      for (let a = 0, ofX = weights.data[i]; a < 5 && ofX; a++, ofX *= x) {
        for (let b = 0, both = ofX; a + b < 5; b++, both *= y) {
          ofWeights[5 * a + b] += both;
          if (a + b < 3) ofValues[5 * a + b] += both * values.data[i];
        }
      }
    }
  }
  let shift = 0;
  while (ofWeights[0] * 2 ** shift < 2 ** 23) shift++;
  const scaled = (sums, a, b) => (BigInt(sums[5 * a + b]) << BigInt(shift)) / BigInt(columns ** a * rows ** b);
  const right = POWERS.map(([a, b]) => scaled(ofValues, a, b));
  const normal = POWERS.map(([a, b]) => POWERS.map(([c, d]) => scaled(ofWeights, a + c, b + d)));
  for (let i = 0; i < 6; i++) normal[i][i] += 16n; // the smallest ridge keeps the equations solvable
  return solved(normal, right, count, base);
}

/** The surface that the first terms of normal equations give; both are used up. */
function solved(normal, right, count, base) {
  for (let i = 0; i < count; i++) {
    if (normal[i][i] < 1n) normal[i][i] = 1n;
    for (let j = i + 1; j < count; j++) {
      for (let k = j; k < count; k++) normal[j][k] -= (normal[i][j] * normal[i][k]) / normal[i][i];
      right[j] -= (normal[i][j] * right[i]) / normal[i][i];
    }
  }
  const surface = [0, 0, 0, 0, 0, 0];
  for (let i = count - 1; i >= 0; i--) {
    let rest = right[i] * 256n;
    for (let j = i + 1; j < count; j++) rest -= normal[i][j] * BigInt(surface[j]);
    surface[i] = within(Number(rest / normal[i][i]));
  }
  surface[0] = within(surface[0] + base * 256);
  return surface;
}

const within = (term) => clamp(term, -LARGEST_TERM, LARGEST_TERM);
