/* Ink parted from paper. The same computation as src/glyphlite/data/ink.py, step by step and by the same names; the words are there. */

import { Image2D, clamp, largest, median, quantile } from "./arrays.js";

const WORK_SIDE = 800;
const FAINTEST = 0.06;
const PAPER_SIDE = 64;
const CLOSING = 0.4;

export function findInk(picture) {
  const [small, reduction] = reducePicture(picture, WORK_SIDE);
  const darkOnLight = isDarkOnLight(small);
  const turned = darkOnLight ? small : small.map((value) => 255 - value);
  const paper = closedPaper(turned, paperSurface(turned));
  const { strength, contrast, noise } = separate(turned.map((value, i) => 1 - value / paper.data[i]));
  return { strength, reduction, darkOnLight, contrast, noise };
}

export function reducePicture(picture, side) {
  const factor = Math.ceil(picture.side / side);
  if (factor === 1) return [picture, 1];
  const rows = Math.max(1, Math.floor(picture.rows / factor));
  const columns = Math.max(1, Math.floor(picture.columns / factor));
  const high = Math.min(factor, picture.rows);
  const wide = Math.min(factor, picture.columns);
  const result = new Image2D(rows, columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let total = 0;
      for (let y = row * high; y < (row + 1) * high; y++) {
        const start = y * picture.columns + column * wide;
        for (let i = start; i < start + wide; i++) total += picture.data[i];
      }
      result.data[row * columns + column] = total / (high * wide);
    }
  }
  return [result, factor];
}

function isDarkOnLight(picture) {
  const [small] = reducePicture(picture, PAPER_SIDE);
  const around = meanAround(small, PAPER_SIDE / 8);
  let skew = 0;
  for (let i = 0; i < small.data.length; i++) skew += (small.data[i] - around.data[i]) ** 3;
  return skew <= 0;
}

function paperSurface(picture) {
  const [small] = reducePicture(picture, PAPER_SIDE);
  const { rows, columns, data: values } = small;
  const terms = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) terms.push(quadraticTerms(row, column, rows, columns));
  }
  let considered = terms.map((_, i) => {
    const row = Math.floor(i / columns);
    const column = i % columns;
    return row === 0 || column === 0 || row === rows - 1 || column === columns - 1;
  });
  let fitted = new Float64Array(values.length).fill(median(values.filter((_, i) => considered[i])));
  let coefficients;
  for (let step = 0; step < 8; step++) {
    const onTheRim = step < 2;
    const difference = values.map((value, i) => value - fitted[i]);
    const spread = median(difference.map(Math.abs).filter((_, i) => considered[i]));
    const scale = Math.max(1.4826 * spread, 2);
    const biweight = difference.map((value) => Math.max(1 - (value / (4.685 * scale)) ** 2, 0) ** 2);
    const weights = onTheRim ? biweight.map((weight, i) => (considered[i] ? weight : 0)) : biweight;
    coefficients = leastSquares(terms, onTheRim ? 3 : 6, values, weights);
    fitted = fitted.map((_, i) => dot(terms[i], coefficients));
    if (!onTheRim || step === 1) considered = Array.from(biweight, (weight) => weight > 0);
  }
  const surface = new Image2D(picture.rows, picture.columns);
  const [one, x1, y1, xx, xy, yy] = coefficients;
  for (let row = 0, i = 0; row < picture.rows; row++) {
    const y = (2 * row + 1) / picture.rows - 1;
    for (let column = 0; column < picture.columns; column++, i++) {
      const x = (2 * column + 1) / picture.columns - 1;
      surface.data[i] = Math.max(one + x1 * x + y1 * y + xx * x * x + xy * x * y + yy * y * y, 1);
    }
  }
  return surface;
}

function closedPaper(picture, surface) {
  const [small] = reducePicture(picture.map((value, i) => value / surface.data[i]), PAPER_SIDE);
  const reach = Math.max(1, Math.round((small.side * CLOSING) / 2));
  const closed = smallestAround(largestAround(small, reach), reach);
  const smooth = enlarge(meanAround(closed, 2), picture.rows, picture.columns);
  return smooth.map((value, i) => Math.max(surface.data[i] * value, 1));
}

function separate(darkness) {
  const paper = median(darkness.data);
  const noise = 1.4826 * median(darkness.data.map((value) => Math.abs(value - paper)));
  const darkest = largest(meanAround(darkness, 1).data) - paper;
  const least = paper + Math.max(Math.min(5 * noise, darkest / 2), FAINTEST);
  const candidates = darkness.data.filter((value) => value > least);
  if (!candidates.length) return { strength: darkness.map(() => 0), contrast: 0, noise };
  const contrast = quantile(candidates, 0.8) - paper;
  const floor = Math.min(2.5 * noise, contrast / 3);
  const strength = darkness.map((value) => clamp((value - paper - floor) / (contrast - floor), 0, 1));
  return { strength, contrast, noise };
}

/** Each pixel from those within reach on its row or column, along both axes; reduce(data, first, count, stride, middle). */
function alongAxes(image, reduce) {
  const { rows, columns } = image;
  const down = new Image2D(rows, columns);
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < rows; row++) down.data[row * columns + column] = reduce(image.data, column, rows, columns, row);
  }
  const result = new Image2D(rows, columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result.data[row * columns + column] = reduce(down.data, row * columns, columns, 1, column);
    }
  }
  return result;
}

export function largestAround(image, reach) {
  return alongAxes(image, (data, first, count, stride, middle) => {
    const end = Math.min(middle + reach, count - 1);
    let most = -Infinity;
    for (let i = Math.max(middle - reach, 0); i <= end; i++) {
      const value = data[first + i * stride];
      if (value > most) most = value;
    }
    return most;
  });
}

const smallestAround = (image, reach) => largestAround(image.map((value) => -value), reach).map((value) => -value);

function meanAround(image, reach) {
  return alongAxes(image, (data, first, count, stride, middle) => {
    let total = 0;
    for (let i = middle - reach; i <= middle + reach; i++) total += data[first + clamp(i, 0, count - 1) * stride];
    return total / (2 * reach + 1);
  });
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

function quadraticTerms(row, column, rows, columns) {
  const y = (2 * row + 1) / rows - 1;
  const x = (2 * column + 1) / columns - 1;
  return [1, x, y, x * x, x * y, y * y];
}

function dot(terms, coefficients) {
  let total = 0;
  for (let k = 0; k < coefficients.length; k++) total += terms[k] * coefficients[k];
  return total;
}

function leastSquares(terms, count, values, weights) {
  const system = Array.from({ length: count }, () => new Float64Array(count + 1));
  for (let i = 0; i < values.length; i++) {
    for (let a = 0; a < count; a++) {
      const weighted = terms[i][a] * weights[i];
      for (let b = 0; b < count; b++) system[a][b] += weighted * terms[i][b];
      system[a][count] += weighted * values[i];
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
