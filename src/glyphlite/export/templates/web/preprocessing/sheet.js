/* The sheet of paper on a picture that shows the desk, too. The same computation as src/glyphlite/preprocessing/sheet.py, by the same names. */

import { Image2D, clamp, median, quantile } from "./arrays.js";
import { connectedComponents } from "./connected_components.js";
import { largestAround, reducePicture, smallestAround } from "./reduction.js";

const SIDE = 160;
const LEAST_SIDE = 120;
const CLOSING = 4;
const LEAST_STEP = 6;
const STEP_BY_GRAIN = 4;
const LEAST_AREA = 0.06;
const LEAST_DESK = 0.08;
const FOUR_SIDED = 0.8;
const FILLED = 0.7;
const FILLED_ALONE = 0.88;
const EDGE = 3;
const LIKE = [0.4, 1.6];
const AS_BRIGHT = 0.5;
const LEAST_INK = 0.12;
const CLEARLY_MORE = 0.3;

/** @returns where the sheet is, in the picture's pixels, and paperAt(rows, columns, reduction); null where there is no desk. */
export function findSheet(picture) {
  if (Math.min(picture.rows, picture.columns) < LEAST_SIDE) return null;
  const [small, reduction] = reducePicture(picture, SIDE);
  const closed = closing(small, CLOSING);
  const ink = closed.map((value, i) => value - small.data[i]);
  const dim = AS_BRIGHT * quantile(closed.data, 0.95);
  let sheets = evenRegions(closed).filter(({ filled, level }) => level >= dim && isSheet(filled));
  const holds = (each) => sheets.some((other) => other !== each && !other.filled.data.some((set, i) => set && !each.filled.data[i]));
  sheets = sheets.filter((each) => !holds(each));
  if (!sheets.length) return null;
  let darkest = 0;
  for (const { filled } of sheets) {
    const within = shrunk(filled);
    for (let i = 0; i < ink.data.length; i++) if (within.data[i] && ink.data[i] > darkest) darkest = ink.data[i];
  }
  const least = Math.max(darkest / 2, LEAST_INK * Math.max(...sheets.map(({ level }) => level)));
  const inked = sheets.map((each) => amountOfInk(ink, closed, each, least));
  const best = inked.reduce((most, amount, i) => (amount > inked[most] ? i : most), 0);
  if (inked[best] === 0) return null;
  const dark = ink.map((value) => (value >= least ? 1 : 0));
  let paper = sheets[best].filled;
  const rivals = inked.filter((amount, i) => i !== best && amount >= CLEARLY_MORE * inked[best]).length;
  if (rivals || leavesGlyphsOut(dark, paper)) {
    // The edge of a shadow parts one sheet in two.
    const both = sheets.filter((_, i) => i !== best).map((each) => joined(paper, each.filled));
    const whole = both.filter((each) => isSheet(each) && !leavesGlyphsOut(dark, each));
    if (!whole.length || rivals > 1) return null;
    const area = (mask) => mask.data.reduce((a, b) => a + b, 0);
    paper = whole.reduce((a, b) => (area(b) > area(a) ? b : a));
  }
  const [left, top, right, bottom] = boxOf(paper);
  const sheet = {
    left: left * reduction,
    top: top * reduction,
    right: Math.min(right * reduction, picture.columns),
    bottom: Math.min(bottom * reduction, picture.rows),
  };
  sheet.paperAt = (rows, columns, by) => {
    const place = (start, i, size) => Math.min(Math.floor((start + Math.floor(((2 * i + 1) * by) / 2)) / reduction), size - 1);
    const result = new Uint8Array(rows * columns);
    for (let row = 0, i = 0; row < rows; row++) {
      const start = place(sheet.top, row, paper.rows) * paper.columns;
      for (let column = 0; column < columns; column++, i++) result[i] = paper.data[start + place(sheet.left, column, paper.columns)];
    }
    return result;
  };
  return sheet;
}

/** The large parts of the picture without an edge inside, each also with its holes. */
function evenRegions(closed) {
  const { rows, columns, data } = closed;
  const down = new Float64Array((rows - 1) * columns);
  for (let i = 0; i < down.length; i++) down[i] = Math.abs(data[i + columns] - data[i]);
  const right = new Float64Array(rows * (columns - 1));
  for (let row = 0, k = 0; row < rows; row++) {
    for (let i = row * columns; i < (row + 1) * columns - 1; i++, k++) right[k] = Math.abs(data[i + 1] - data[i]);
  }
  const steps = new Float64Array(down.length + right.length);
  steps.set(down);
  steps.set(right, down.length);
  const step = Math.max(LEAST_STEP, STEP_BY_GRAIN * median(steps));
  const even = new Uint8Array(rows * columns).fill(1);
  down.forEach((value, i) => {
    if (value > step) even[i] = even[i + columns] = 0;
  });
  right.forEach((value, k) => {
    const i = k + Math.floor(k / (columns - 1));
    if (value > step) even[i] = even[i + 1] = 0;
  });
  const { labels, parts } = connectedComponents(even, rows, columns);
  const regions = [];
  parts.forEach(({ area }, k) => {
    if (area < LEAST_AREA * data.length) return;
    const own = closed.map((_, i) => (labels[i] === k + 1 ? 1 : 0));
    regions.push({ own, filled: filled(own), level: median(closed.data.filter((_, i) => own.data[i])) });
  });
  return regions;
}

/** Two regions and what lies between them. */
const joined = (first, second) => filled(closing(first.map((set, i) => (set || second.data[i] ? 1 : 0)), EDGE));

function amountOfInk(ink, closed, region, least) {
  const within = shrunk(region.filled);
  let count = 0;
  for (let i = 0; i < ink.data.length; i++) {
    if (within.data[i] && (ink.data[i] >= least || (!region.own.data[i] && region.level - closed.data[i] >= least))) count++;
  }
  return count;
}

/** Without dark strokes thinner than twice the reach; what touches the rim is taken to go on beyond it. */
function closing(image, reach) {
  const by = 2 * reach;
  const padded = new Image2D(image.rows + 2 * by, image.columns + 2 * by);
  for (let row = 0, i = 0; row < padded.rows; row++) {
    const start = clamp(row - by, 0, image.rows - 1) * image.columns;
    for (let column = 0; column < padded.columns; column++, i++) {
      padded.data[i] = image.data[start + clamp(column - by, 0, image.columns - 1)];
    }
  }
  return smallestAround(largestAround(padded, reach), reach).cut(by, by, by + image.rows, by + image.columns);
}

/** With its holes: what is not the region and does not reach the picture's rim. */
function filled(region) {
  const { rows, columns } = region;
  const { labels, parts } = connectedComponents(region.data.map((set) => 1 - set), rows, columns);
  const hole = [0, ...parts.map((part) => (isClear(part, region) ? 1 : 0))];
  return region.map((set, i) => set || hole[labels[i]]);
}

const isClear = ({ left, top, right, bottom }, { rows, columns }) => left > 0 && top > 0 && right < columns && bottom < rows;

/** Without its outermost two pixels; the picture's rim is no edge of it. */
const shrunk = (mask) => smallestAround(mask, 2);

/** Whether a desk is seen along the picture's rim, and the outline has few, straight sides. */
function isSheet(mask) {
  const { rows, columns, data } = mask;
  let [count, desk, pixels] = [0, 0, 0];
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      pixels += data[i];
      if (row > 0 && row < rows - 1 && column > 0 && column < columns - 1) continue;
      count++;
      desk += 1 - data[i];
    }
  }
  if (desk / count < LEAST_DESK) return false;
  const hull = convexHull(mask);
  const area = areaOf(hull);
  return area > 0 && pixels >= (desk < count ? FILLED : FILLED_ALONE) * area && areaOf(largestQuadrilateral(hull)) >= FOUR_SIDED * area;
}

/** The corners of the convex hull of the pixels' corners, in turn (Andrew's monotone chain). */
function convexHull(mask) {
  const points = [];
  for (let row = 0; row < mask.rows; row++) {
    const line = mask.data.subarray(row * mask.columns, (row + 1) * mask.columns);
    const first = line.indexOf(1);
    if (first < 0) continue;
    const last = line.lastIndexOf(1) + 1;
    points.push([first, row], [first, row + 1], [last, row], [last, row + 1]);
  }
  points.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (ordered) => {
    const chain = [];
    for (const point of ordered) {
      while (chain.length > 1 && cross(chain.at(-2), chain.at(-1), point) <= 0) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(points), ...half(points.reverse())];
}

const cross = (a, b, c) => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);

function areaOf(polygon) {
  let twice = 0;
  polygon.forEach(([x, y], i) => {
    const [nextX, nextY] = polygon[(i + 1) % polygon.length];
    twice += x * nextY - y * nextX;
  });
  return Math.abs(twice) / 2;
}

/** The hull's longest diagonal and the corners farthest from it on both sides. */
function largestQuadrilateral(hull) {
  let [first, second, most] = [0, 0, -1];
  hull.forEach((a, i) =>
    hull.forEach((b, j) => {
      const apart = (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2;
      if (apart > most) [first, second, most] = [i, j, apart];
    }),
  );
  const sides = hull.map((point) => cross(hull[first], hull[second], point));
  const at = (value) => hull[sides.indexOf(value)];
  return [hull[first], at(Math.min(...sides)), hull[second], at(Math.max(...sides))];
}

/** Whether ink as large as the largest piece on the paper lies outside, or this piece itself goes on there. */
function leavesGlyphsOut(dark, paper) {
  const { labels, parts } = connectedComponents(dark.data, dark.rows, dark.columns);
  const inside = shrunk(paper);
  const around = largestAround(paper, EDGE);
  const within = new Float64Array(parts.length);
  const beyond = new Uint8Array(parts.length);
  for (let i = 0; i < labels.length; i++) {
    if (!labels[i]) continue;
    const part = labels[i] - 1;
    if (inside.data[i] && isClear(parts[part], dark)) within[part]++;
    if (!around.data[i]) beyond[part] = 1;
  }
  const largest = within.reduce((most, count, i) => (count > within[most] ? i : most), 0);
  if (!within[largest]) return false;
  const side = ({ left, top, right, bottom }) => Math.max(right - left, bottom - top);
  const main = side(parts[largest]);
  return parts.some(
    (part, i) => beyond[i] && isClear(part, dark) && side(part) >= LIKE[0] * main && side(part) <= LIKE[1] * main,
  );
}

/** Left, top, right, bottom of a mask, the last two outside. */
function boxOf(mask) {
  const box = [mask.columns, mask.rows, 0, 0];
  for (let row = 0, i = 0; row < mask.rows; row++) {
    for (let column = 0; column < mask.columns; column++, i++) {
      if (!mask.data[i]) continue;
      box[0] = Math.min(box[0], column);
      box[1] = Math.min(box[1], row);
      box[2] = Math.max(box[2], column + 1);
      box[3] = Math.max(box[3], row + 1);
    }
  }
  return box;
}
