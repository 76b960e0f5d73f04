/* Pictures made smaller, and extremes around each pixel. The same computation as src/glyphlite/preprocessing/reduction.py. */

import { Image2D, clamp } from "./arrays.js";

/* Added to what is rounded, so that halves go upwards even where they come out a little less. */
export const LITTLE = 1e-9;

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

/** Each pixel from those within reach of it, first down the columns, then along the rows; the rim's values are repeated. */
export function alongAxes(image, reach, reduce) {
  const { rows, columns } = image;
  const down = new Image2D(rows, columns);
  for (let column = 0; column < columns; column++) alongLine(image.data, down.data, column, columns, rows, reach, reduce);
  const result = new Image2D(rows, columns);
  for (let row = 0; row < rows; row++) alongLine(down.data, result.data, row * columns, 1, columns, reach, reduce);
  return result;
}

function alongLine(source, target, first, stride, count, reach, reduce) {
  const line = new Float64Array(count + 2 * reach);
  for (let i = 0; i < line.length; i++) line[i] = source[first + clamp(i - reach, 0, count - 1) * stride];
  for (let i = 0; i < count; i++) target[first + i * stride] = reduce(line, i, i + 2 * reach);
}

function largestOf(line, from, to) {
  let most = line[from];
  for (let i = from + 1; i <= to; i++) if (line[i] > most) most = line[i];
  return most;
}

export const largestAround = (image, reach) => alongAxes(image, reach, largestOf);

export const smallestAround = (image, reach) => largestAround(image.map((value) => -value), reach).map((value) => -value);

/** The nearest of so many steps, halves upwards: what a microcontroller keeps of a value. */
export const inSteps = (value, steps = 255) => Math.floor(value * steps + 0.5 + LITTLE) / steps;
