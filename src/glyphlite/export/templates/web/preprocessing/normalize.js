/* A glyph's ink into a field the way MNIST was made. The same computation as src/glyphlite/preprocessing/normalize.py. */

import { Image2D, clamp, largest, sum } from "./arrays.js";
import { LITTLE, inSteps } from "./reduction.js";

export const BOX_PART = 20 / 28;
const THINNEST = 2.0;
const THICKEST = 3.1;
const FINE = 4;
const LEAST_CHANGE = 0.25;
const STEPS = 64;
const WIDTH_STEPS = 65536;
const FAINT = 0.02;
const BACK_PROJECTIONS = 4;

/** The nearest whole number, halves upwards. */
export const nearest = (value) => Math.floor(value + 0.5);

export function fitToBox(glyph, side) {
  const byArea = glyph.side < side;
  const atFine = withLongerSide(glyph, FINE * side, byArea);
  const width = strokeWidth(atFine);
  const [thinnest, thickest] = [THINNEST, THICKEST].map((each) => nearest((each * side) / 20 * FINE * WIDTH_STEPS) / WIDTH_STEPS);
  const radius = nearest(((clamp(width, thinnest, thickest) - width) / 2) * STEPS) / STEPS;
  if (Math.abs(radius) < LEAST_CHANGE) return withLongerSide(glyph, side, byArea);
  const fine = withLongerSide(glyph, Math.max(side, nearest(FINE * side - 2 * radius)), byArea);
  const changed = widen(fine.pad(Math.max(0, Math.ceil(radius))), radius);
  const most = largest(changed.data);
  return withLongerSide(trim(changed.map((value) => value / most), FAINT), side, byArea);
}

export function setIntoField(glyph, height, width) {
  const [row, column] = centreOfMass(glyph);
  const top = Math.min(Math.max(nearest(height / 2 - row + LITTLE), 0), height - glyph.rows);
  const left = Math.min(Math.max(nearest(width / 2 - column + LITTLE), 0), width - glyph.columns);
  const field = new Image2D(height, width);
  for (let y = 0; y < glyph.rows; y++) {
    field.data.set(glyph.data.subarray(y * glyph.columns, (y + 1) * glyph.columns), (top + y) * width + left);
  }
  return field;
}

export function trim(image, faintest) {
  let [top, left, bottom, right] = [image.rows, image.columns, 0, 0];
  for (let row = 0, i = 0; row < image.rows; row++) {
    for (let column = 0; column < image.columns; column++, i++) {
      if (!(image.data[i] > faintest)) continue;
      top = Math.min(top, row);
      bottom = row + 1;
      left = Math.min(left, column);
      right = Math.max(right, column + 1);
    }
  }
  return image.cut(top, left, bottom, right);
}

function withLongerSide(image, side, byArea) {
  const [rows, columns] = [image.rows, image.columns].map((size) => Math.max(1, nearest((size * side) / image.side)));
  return resample(image, rows, columns, byArea);
}

/** Area averaging where it shrinks; where it grows, linear interpolation, byArea corrected until it averages to the image; in 256 steps. */
function resample(image, rows, columns, byArea) {
  const result = weighted(image, rows, columns).map((value) => inSteps(value));
  if (!byArea || rows <= image.rows || columns <= image.columns) return result;
  for (let step = 0; step < BACK_PROJECTIONS; step++) {
    const averaged = weighted(result, image.rows, image.columns).map((value) => inSteps(value));
    const missed = weighted(image.map((value, i) => value - averaged.data[i]), rows, columns);
    for (let i = 0; i < result.data.length; i++) result.data[i] = clamp(inSteps(result.data[i] + missed.data[i]), 0, 1);
  }
  return result;
}

function weighted(image, rows, columns) {
  const tall = new Image2D(rows, image.columns);
  weights(image.rows, rows).forEach((sources, row) => {
    for (const [source, weight] of sources) {
      for (let column = 0; column < image.columns; column++) {
        tall.data[row * image.columns + column] += weight * image.data[source * image.columns + column];
      }
    }
  });
  const result = new Image2D(rows, columns);
  weights(image.columns, columns).forEach((sources, column) => {
    for (let row = 0; row < rows; row++) {
      let total = 0;
      for (const [source, weight] of sources) total += weight * tall.data[row * image.columns + source];
      result.data[row * columns + column] = total;
    }
  });
  return result;
}

/** For each target pixel the source pixels under it, [index, weight]; when growing, linear interpolation. */
function weights(size, target) {
  const scale = size / target;
  return Array.from({ length: target }, (_, i) => {
    const sources = [];
    if (scale >= 1) {
      const [start, end] = [i * scale, (i + 1) * scale];
      for (let pixel = Math.floor(start); pixel < Math.min(Math.ceil(end), size); pixel++) {
        sources.push([pixel, Math.max(Math.min(end, pixel + 1) - Math.max(start, pixel), 0) / scale]);
      }
    } else {
      const place = clamp((i + 0.5) * scale - 0.5, 0, size - 1);
      for (let pixel = Math.floor(place); pixel <= Math.min(Math.floor(place) + 1, size - 1); pixel++) {
        sources.push([pixel, Math.max(0, 1 - Math.abs(pixel - place))]);
      }
    }
    return sources;
  });
}

/** The mean width of the strokes in pixels: twice the ink by the length of its outline. */
export function strokeWidth(image) {
  const padded = image.map((value) => Math.floor(value * 255 + 0.5)).pad(1);
  let outline = 0;
  for (let row = 0; row < padded.rows - 1; row++) {
    for (let column = 0; column < padded.columns - 1; column++) {
      const i = row * padded.columns + column;
      const down = padded.data[i + padded.columns] - padded.data[i];
      const right = padded.data[i + 1] - padded.data[i];
      outline += Math.floor(Math.sqrt((down * down + right * right) * 16384) + 0.5);
    }
  }
  return outline ? Math.floor((sum(padded.data) * 16777216) / outline) / WIDTH_STEPS : 0;
}

function widen(image, radius) {
  if (radius < 0) return widen(image.map((value) => 1 - value), -radius).map((value) => 1 - value);
  const whole = Math.floor(radius);
  const part = radius - whole;
  const lower = largestInDisc(image, whole);
  if (part === 0) return lower;
  const upper = largestInDisc(image, whole + 1);
  return lower.map((value, i) => value * (1 - part) + upper.data[i] * part);
}

function largestInDisc(image, radius) {
  if (radius === 0) return image;
  const { rows, columns } = image;
  const padded = image.pad(radius);
  const result = image.map((value) => value);
  for (let down = -radius; down <= radius; down++) {
    for (let right = -radius; right <= radius; right++) {
      if (down * down + right * right > radius * (radius + 1)) continue;
      for (let row = 0, i = 0; row < rows; row++) {
        let source = (row + radius + down) * padded.columns + radius + right;
        for (let column = 0; column < columns; column++, i++, source++) {
          if (padded.data[source] > result.data[i]) result.data[i] = padded.data[source];
        }
      }
    }
  }
  return result;
}

function centreOfMass(image) {
  let [mass, down, right] = [0, 0, 0];
  for (let row = 0, i = 0; row < image.rows; row++) {
    for (let column = 0; column < image.columns; column++, i++) {
      mass += image.data[i];
      down += image.data[i] * row;
      right += image.data[i] * column;
    }
  }
  return [down / mass, right / mass];
}
