/* Printed lines taken off a sheet. The same computation as src/glyphlite/preprocessing/rules.py, by the same names. */

import { Image2D, clamp, median } from "./arrays.js";
import { nearest } from "./normalize.js";

const LEAST_SIDE = 150;
const STRIPS = 24;
const THICKEST = 1 / 90;
const STEEPEST = 0.1;
const SLOPES = 41;
const LEAST_DARKNESS = 0.012;
const ACROSS = 0.65;
const PARALLEL = 0.4;
const ALONE = 0.85;
const FAMILY = 3;
const LIKE_SLOPE = 0.02;
const MOST_LINES = 100;
const FOOT = 0.2;
const MORE = 0.5;
const MORE_AT_LEAST = 0.12;
const BEND = 2;
const LEFT_OVER = 0.35;

/** @returns the darkness without printed lines, and how many there were. */
export function withoutRules(darkness, noise) {
  if (darkness.side < LEAST_SIDE) return [darkness, 0];
  let [level, count] = [darkness, 0];
  for (const turned of [false, true]) {
    const lines = find(turned ? transposed(darkness) : darkness, noise);
    if (!lines.length) continue;
    count += lines.length;
    let sheet = turned ? transposed(level) : level;
    for (const line of lines) sheet = without(sheet, line);
    level = turned ? transposed(sheet) : sheet;
  }
  if (!count) return [darkness, 0];
  return strongest(level) >= LEFT_OVER * strongest(darkness) ? [level, count] : [darkness, 0];
}

function transposed(image) {
  const result = new Image2D(image.columns, image.rows);
  for (let row = 0, i = 0; row < image.rows; row++) {
    for (let column = 0; column < image.columns; column++, i++) result.data[column * image.rows + row] = image.data[i];
  }
  return result;
}

/** The darkest spot of 3x3 pixels. */
function strongest({ rows, columns, data }) {
  let most = -Infinity;
  for (let row = 0; row < rows - 2; row++) {
    for (let column = 0; column < columns - 2; column++) {
      let total = 0;
      for (let y = 0; y < 3; y++) for (let x = 0; x < 3; x++) total += data[(row + y) * columns + column + x];
      if (total > most) most = total;
    }
  }
  return most / 9;
}

const edgesOf = (columns) => Array.from({ length: STRIPS + 1 }, (_, i) => Math.floor((i * columns) / STRIPS));

/** The nearly horizontal lines. */
function find(darkness, noise) {
  const { rows, columns, data } = darkness;
  const reach = reachOf(darkness);
  if (rows < 4 * reach || columns < 4 * STRIPS) return [];
  const edges = edgesOf(columns);
  const near = [];
  for (let strip = 0; strip < STRIPS; strip++) {
    const profile = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      let total = 0;
      for (let i = row * columns + edges[strip]; i < row * columns + edges[strip + 1]; i++) total += data[i];
      profile[row] = total / (edges[strip + 1] - edges[strip]);
    }
    const opened = windowed(windowed(profile, reach, Math.min), reach, Math.max);
    const thin = profile.map((value, row) => value - opened[row]);
    // One row of tolerance: lines of a photographed sheet bend a little.
    near.push(thin.map((value, row) => Math.max(value, thin[row + 1] ?? 0, thin[row - 1] ?? 0)));
  }
  const least = Math.max(LEAST_DARKNESS, (3 * noise) / Math.sqrt(columns / STRIPS));
  const middles = Array.from({ length: STRIPS }, (_, i) => (edges[i] + edges[i + 1]) / 2 - columns / 2);
  const found = [];
  for (let index = 0; index < SLOPES; index++) {
    found.push(...votes(near, middles, STEEPEST * ((2 * index) / (SLOPES - 1) - 1), least));
  }
  const lines = apart(found, columns, reach);
  const across = lines.filter((line) => line.seen >= ACROSS);
  if (across.length < FAMILY) return across.filter((line) => line.seen >= ALONE && line.ends);
  const slope = median(across.map((line) => line.slope));
  return lines.filter((line) => across.includes(line) || Math.abs(line.slope - slope) <= LIKE_SLOPE);
}

/** Where a line of this slope may be. */
function votes(near, middles, slope, least) {
  const rows = near[0].length;
  const shifts = middles.map((middle) => nearest(slope * middle));
  const found = [];
  for (let row = 0; row < rows; row++) {
    let [hits, strength, atStart, atEnd] = [0, 0, false, false];
    for (let strip = 0; strip < STRIPS; strip++) {
      const value = near[strip][row + shifts[strip]] ?? 0;
      strength += Math.min(value, 4 * least);
      if (!(value > least)) continue;
      hits++;
      if (strip < 3) atStart = true;
      if (strip >= STRIPS - 3) atEnd = true;
    }
    const seen = hits / STRIPS;
    // Rounded, so that the order of equally strong lines is not a matter of the last digit.
    if (seen >= PARALLEL) found.push({ row, slope, seen, ends: atStart && atEnd, strength: nearest(1e6 * strength) });
  }
  return found;
}

const reachOf = ({ side }) => Math.max(2, nearest(THICKEST * side));

/** The best of lines that cross or come near to one another: seen in most strips, then strongest. */
function apart(candidates, columns, reach) {
  let rest = candidates.sort((a, b) => b.seen - a.seen || b.strength - a.strength || a.row - b.row || a.slope - b.slope);
  const kept = [];
  while (rest.length && kept.length < MOST_LINES) {
    const [best] = rest;
    kept.push(best);
    rest = rest.filter((line) => {
      const left = line.row - best.row + ((line.slope - best.slope) * -columns) / 2;
      const right = line.row - best.row + ((line.slope - best.slope) * columns) / 2;
      return left * right > 0 && Math.min(Math.abs(left), Math.abs(right)) > reach;
    });
  }
  return kept;
}

/** Each value from those within reach; the ends' values are repeated. */
function windowed(values, reach, reduce) {
  return values.map((_, i) => {
    let result = values[i];
    const last = Math.min(i + reach, values.length - 1);
    for (let k = Math.max(0, i - reach); k <= last; k++) result = reduce(result, values[k]);
    return result;
  });
}

/** The sheet without one line; what crosses it, or is darker than it, stays. */
function without(darkness, line) {
  const { rows, columns, data } = darkness;
  const reach = reachOf(darkness);
  const middle = traced(darkness, line);
  const count = 4 * reach + 1;
  const place = (index, column) => clamp(middle[column] + index - 2 * reach, 0, rows - 1) * columns + column;
  const values = Array.from({ length: count }, (_, index) => Float64Array.from(middle, (_, column) => data[place(index, column)]));
  const medians = values.map(median);
  const foot = Math.min(medians[0], medians[count - 1]);
  const usual = medians.map((value) => value - foot);
  const most = Math.max(...usual.slice(reach, count - reach));
  const inside = usual.map((_, i) => i).filter((i) => usual[i] > FOOT * most && i >= reach && i < count - reach);
  if (!inside.length || most <= 0) return darkness;
  const [top, bottom] = [inside[0] - 1, inside.at(-1) + 1];
  const half = Math.floor((bottom - top) / 2);
  const above = windowed(values[Math.max(top - 1, 0)], half, Math.max);
  const below = windowed(values[Math.min(bottom + 1, count - 1)], half, Math.max);
  const result = new Image2D(rows, columns, data.slice());
  for (let index = top; index <= bottom; index++) {
    const part = (index - top + 1) / (bottom - top + 2);
    // A line that bends is now and then a row off.
    const expected = Math.max(usual[index], usual[index + 1] ?? 0, usual[index - 1] ?? 0);
    const written = expected + Math.max(MORE * most, MORE_AT_LEAST);
    for (let column = 0; column < columns; column++) {
      const value = values[index][column];
      const between = above[column] * (1 - part) + below[column] * part;
      result.data[place(index, column)] = value > written ? value : Math.min(value, between);
    }
  }
  return result;
}

/** The line's row at each column: in each strip the darkest near where it should be, between them straight. */
function traced({ rows, columns, data }, line) {
  const edges = edgesOf(columns);
  const at = (column) => line.row + line.slope * (column - columns / 2);
  const middles = Array.from({ length: STRIPS }, (_, i) => (edges[i] + edges[i + 1]) / 2);
  const shifts = middles.map((middle, strip) => {
    const expected = nearest(at(middle));
    let [best, most] = [0, -Infinity];
    for (let shift = -BEND; shift <= BEND; shift++) {
      const start = clamp(expected + shift, 0, rows - 1) * columns;
      let total = 0;
      for (let i = start + edges[strip]; i < start + edges[strip + 1]; i++) total += data[i];
      const mean = total / (edges[strip + 1] - edges[strip]);
      if (mean > most) [best, most] = [shift, mean];
    }
    return best;
  });
  // A stroke on the line pulls a strip away: the median of three strips.
  const padded = [shifts[0], ...shifts, shifts.at(-1)];
  const smooth = shifts.map((_, i) => [...padded.slice(i, i + 3)].sort((a, b) => a - b)[1]);
  return Int32Array.from({ length: columns }, (_, column) => {
    const x = column + 0.5;
    return nearest(at(x) + interpolated(x, middles, smooth));
  });
}

function interpolated(x, places, values) {
  const last = places.length - 1;
  if (x <= places[0]) return values[0];
  if (x >= places[last]) return values[last];
  let i = 0;
  while (places[i + 1] <= x) i++;
  return ((values[i + 1] - values[i]) / (places[i + 1] - places[i])) * (x - places[i]) + values[i];
}
