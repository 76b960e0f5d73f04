/* The glyphs of a picture among its dark spots. The same computation as src/glyphlite/preprocessing/glyphs.py, by the same names. */

import { median } from "./arrays.js";
import { connectedComponents } from "./connected_components.js";
import { nearest } from "./normalize.js";
import { largestAround } from "./reduction.js";

export const WEAK = 89.5 / 255;
const STRONG = 152.5 / 255;
const DUST = 0.02;
const RESIDUE = 0.06;
const NEAR = 0.15;
const FRAGMENT = 0.4;
const CLEAR = 0.1;
const EDGE = 3;
const CONTENT = 0.25;
const FRAME_RIM = 0.14;
const WITHIN_FRAME = 0.1;
const OTHER = 0.5;
const MOST_PARTS = 64;
const MOST_ON_A_PAGE = 500;

/** The parts of the weak ink that hold strong ink: labels from 1 in reading order, and each as a glyph of its own. */
export function inkParts(strength) {
  const { rows, columns, data } = strength;
  const { labels, parts: weak } = connectedComponents(data.map((value) => (value >= WEAK ? 1 : 0)), rows, columns);
  const strong = new Uint8Array(weak.length + 1);
  for (let i = 0; i < data.length; i++) if (data[i] >= STRONG) strong[labels[i]] = 1;
  const number = new Int32Array(weak.length + 1);
  const parts = [];
  weak.forEach((part, k) => {
    if (!strong[k + 1]) return;
    number[k + 1] = parts.length + 1;
    parts.push({ left: part.left, top: part.top, right: part.right, bottom: part.bottom, parts: [parts.length + 1], mass: 0 });
  });
  for (let i = 0; i < data.length; i++) {
    labels[i] = number[labels[i]];
    if (labels[i]) parts[labels[i] - 1].mass += data[i];
  }
  return { labels, parts };
}

export const sideOf = (glyph) => Math.max(glyph.right - glyph.left, glyph.bottom - glyph.top);

/** The part with the most ink and what stands near it; null where there is no ink. */
export function mainGlyph(strength, parts, onPaper) {
  const singles = withoutFrames(singlesOf(parts, MOST_PARTS), parts.labels, strength.columns);
  if (!singles.length) return null;
  const overEdge = overEdgeOf(strength, parts, onPaper);
  const rims = new Map(singles.map((single) => [single, Math.max(atRim(single, strength), overEdge[single.parts[0]])]));
  const weight = (glyph) => glyph.mass / (rims.get(glyph) ? 2 : 1);
  let best = singles.reduce((a, b) => (weight(b) > weight(a) ? b : a));
  if (rims.get(best)) {
    const clear = singles.filter(
      (single) => !rims.get(single) && single.mass >= CLEAR * best.mass && gap(best, single) > NEAR * sideOf(single),
    );
    if (clear.length) best = clear.reduce((a, b) => (b.mass > a.mass ? b : a));
  }
  const least = DUST * best.mass;
  let glyph = best;
  let rest = singles.filter((single) => single !== best && single.mass >= least && rims.get(single) <= rims.get(best));
  for (;;) {
    const near = rest.filter((single) => gap(glyph, single) <= NEAR * sideOf(glyph));
    if (!near.length) return glyph;
    glyph = near.reduce(together, glyph);
    rest = rest.filter((single) => !near.includes(single));
  }
}

/** The glyphs of a page by lines, from top to bottom, each from left to right. */
export function glyphLines(strength, parts) {
  const singles = withoutFrames(singlesOf(parts, MOST_ON_A_PAGE), parts.labels, strength.columns);
  if (!singles.length) return [];
  const most = Math.max(...singles.map((single) => single.mass));
  const usual = median(singles.filter((single) => single.mass >= most / 10).map(heightOf));
  const pieces = singles.filter((single) => mayBeGlyph(single, usual, strength));
  const glyphs = pieces.filter((piece) => heightOf(piece) >= FRAGMENT * usual);
  for (const fragment of pieces.filter((piece) => heightOf(piece) < FRAGMENT * usual)) {
    if (fragment.mass >= DUST * most) joinFragment(glyphs, fragment, usual);
  }
  return inLines(joinStacked(glyphs, usual));
}

/** How many parts a picture has; without dust those alone that are more than printed lines leave. */
export const spots = (glyph, parts, dust) => parts.parts.filter((part) => dust || part.mass >= RESIDUE * glyph.mass).length;

/** How many further glyphs of about its size stand beside a glyph. */
export function otherGlyphs(glyph, strength, parts) {
  const own = new Set(glyph.parts);
  const beside = (other) => heightOf(other) >= OTHER * heightOf(glyph) && !other.parts.some((part) => own.has(part));
  return glyphLines(strength, parts).flat().filter(beside).length;
}

/** Of more parts than so many those with the most ink. */
function singlesOf({ parts }, most) {
  if (parts.length <= most) return parts;
  const chosen = new Set([...parts].sort((a, b) => b.mass - a.mass).slice(0, most));
  return parts.filter((part) => chosen.has(part));
}

/** Without the printed boxes and rims that have a glyph inside. */
const withoutFrames = (singles, labels, columns) => singles.filter((single) => !isFrame(single, singles, labels, columns));

function isFrame(outer, singles, labels, columns) {
  if (!singles.some((inner) => isInside(inner, outer) && sideOf(inner) >= CONTENT * sideOf(outer))) return false;
  const down = nearest(FRAME_RIM * heightOf(outer));
  const right = nearest(FRAME_RIM * (outer.right - outer.left));
  let [all, within] = [0, 0];
  for (let row = outer.top; row < outer.bottom; row++) {
    for (let column = outer.left; column < outer.right; column++) {
      if (labels[row * columns + column] !== outer.parts[0]) continue;
      all++;
      if (row >= outer.top + down && row < outer.bottom - down && column >= outer.left + right && column < outer.right - right) within++;
    }
  }
  return within <= WITHIN_FRAME * all;
}

const isInside = (inner, outer) =>
  outer.left < inner.left && inner.right < outer.right && outer.top < inner.top && inner.bottom < outer.bottom;

/** For each label 1 where the part reaches the edge of the sheet, else 0. */
function overEdgeOf(strength, parts, onPaper) {
  const touching = new Uint8Array(parts.parts.length + 1);
  if (onPaper.every(Boolean)) return touching;
  const around = largestAround(strength.map((_, i) => 1 - onPaper[i]), EDGE);
  for (let i = 0; i < around.data.length; i++) if (around.data[i] > 0) touching[parts.labels[i]] = 1;
  return touching;
}

const heightOf = (glyph) => glyph.bottom - glyph.top;

const atRim = (glyph, { rows, columns }) =>
  (glyph.left === 0) + (glyph.top === 0) + (glyph.right === columns) + (glyph.bottom === rows);

function mayBeGlyph(piece, usual, strength) {
  const [width, height] = [piece.right - piece.left, heightOf(piece)];
  const ruled = width > 2 * usual && width > 4 * height;
  return !ruled && atRim(piece, strength) < 2 && Math.max(width, height) < 4 * usual;
}

/** The common columns, as a fraction of the narrower one's. */
function sharedColumns(first, second) {
  const common = Math.min(first.right, second.right) - Math.max(first.left, second.left);
  return common / Math.min(first.right - first.left, second.right - second.left);
}

function joinFragment(glyphs, fragment, usual) {
  const near = glyphs.map((glyph, i) => [gap(glyph, fragment), i, sharedColumns(glyph, fragment)]);
  const fitting = near.filter(([apart, , shared]) => shared > 0.3 && apart < usual / 3);
  if (!fitting.length) return;
  const [, place] = fitting.reduce((a, b) => (b[0] < a[0] ? b : a));
  glyphs[place] = together(glyphs[place], fragment);
}

function joinStacked(glyphs, usual) {
  const joined = [];
  for (const glyph of [...glyphs].sort((a, b) => a.left - b.left || a.top - b.top)) {
    const place = joined.findIndex(
      (other) => sharedColumns(other, glyph) > 0.5 && heightOf(together(other, glyph)) < 1.5 * usual,
    );
    if (place < 0) joined.push(glyph);
    else joined[place] = together(joined[place], glyph);
  }
  return joined;
}

function inLines(glyphs) {
  const lines = [];
  for (const glyph of [...glyphs].sort((a, b) => a.top + a.bottom - b.top - b.bottom || a.left - b.left)) {
    const middle = (glyph.top + glyph.bottom) / 2;
    const line = lines.find(([first]) => first.top <= middle && middle < first.bottom);
    if (line) line.push(glyph);
    else lines.push([glyph]);
  }
  return lines.map((line) => line.sort((a, b) => a.left - b.left));
}

function gap(first, second) {
  const across = Math.max(first.left, second.left) - Math.min(first.right, second.right);
  const down = Math.max(first.top, second.top) - Math.min(first.bottom, second.bottom);
  return Math.max(across, down, 0);
}

function together(first, second) {
  return {
    left: Math.min(first.left, second.left),
    top: Math.min(first.top, second.top),
    right: Math.max(first.right, second.right),
    bottom: Math.max(first.bottom, second.bottom),
    parts: [...first.parts, ...second.parts],
    mass: first.mass + second.mass,
  };
}
