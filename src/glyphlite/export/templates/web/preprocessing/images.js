/* Any picture of a glyph to the pixels a model sees: prepare_glyph of src/glyphlite/preprocessing/images.py, equal within one grey level. */

import { Image2D } from "./arrays.js";
import { WEAK, inkParts, mainGlyph, otherGlyphs, sideOf, spots } from "./glyphs.js";
import { findInk } from "./ink.js";
import { BOX_PART, fitToBox, nearest, setIntoField, strokeWidth, trim } from "./normalize.js";
import { largestAround } from "./reduction.js";

const WIDEST_STROKE = 0.3;
const THINNEST_STROKE = 0.03;
const LEAST_SIGNAL = 5.3;
const CERTAIN_CONTRAST = 0.5;
const MOST_PARTS = 12;
const BAR = 0.4;
const SIDE_BAND = 0.08;
const SIDE_INKED = 0.9;
const EDGE = 0.03;
const FAINT = 0.1;

/**
 * Find the glyph on a picture and make of it what MNIST's makers would have made.
 *
 * @param {Image2D} picture grey from 0 to 255.
 * @returns {{pixels: Uint8Array, box, doubt: string | null, others: number} | null} null for a blank picture; others counts its
 * further glyphs.
 */
export function prepareGlyph(picture, height = 28, width = 28) {
  const ink = findInk(picture);
  const parts = inkParts(ink.strength);
  const glyph = mainGlyph(ink.strength, parts, ink.onPaper);
  if (!glyph) return null;
  const cut = cutOut(ink.strength, parts, glyph);
  const fitted = fitToBox(cut, nearest(Math.min(height, width) * BOX_PART));
  const pixels = Uint8Array.from(setIntoField(fitted, height, width).data, (value) => Math.floor(value * 255 + 0.5));
  const box = {
    left: ink.left + glyph.left * ink.reduction,
    top: ink.top + glyph.top * ink.reduction,
    right: Math.min(ink.left + glyph.right * ink.reduction, picture.columns),
    bottom: Math.min(ink.top + glyph.bottom * ink.reduction, picture.rows),
  };
  // What is left of printed lines, where they crossed or faded, is no sign of texture.
  const count = spots(glyph, parts, ink.rules === 0);
  const tooMany = count > MOST_PARTS ? `the picture has ${count} dark spots, where a glyph has one or a few` : null;
  return { pixels, box, doubt: doubtOf(ink, glyph, cut) ?? tooMany, others: otherGlyphs(glyph, ink.strength, parts) };
}

function cutOut(strength, parts, glyph) {
  const reach = Math.max(1, nearest(EDGE * sideOf(glyph)));
  const top = Math.max(0, glyph.top - reach);
  const left = Math.max(0, glyph.left - reach);
  const area = strength.cut(top, left, Math.min(glyph.bottom + reach, strength.rows), Math.min(glyph.right + reach, strength.columns));
  const members = new Set(glyph.parts);
  const label = (i) => parts.labels[(top + Math.floor(i / area.columns)) * strength.columns + left + (i % area.columns)];
  const own = area.map((_, i) => (members.has(label(i)) ? 1 : 0));
  const around = largestAround(own, reach);
  return trim(area.map((value, i) => (around.data[i] && (own.data[i] || label(i) === 0) ? value : 0)), FAINT);
}

function doubtOf(ink, glyph, cut) {
  const percent = (part, digits = 0) => `${(100 * part).toFixed(digits)} %`;
  const width = strokeWidth(cut) / cut.side;
  if (ink.contrast < LEAST_SIGNAL * ink.noise && ink.contrast < CERTAIN_CONTRAST) {
    return `it hardly stands out: ${percent(ink.contrast)} from paper that varies by ${percent(ink.noise)}`;
  }
  if (width > WIDEST_STROKE) return `it is a blot, not strokes: ${percent(width)} of its size wide`;
  if (isBoxed(cut)) return "it fills a rectangle on all four sides: a printed box touches it, or it is one";
  if (width < THINNEST_STROKE && glyph.parts.length > 3) {
    return `it is texture, not strokes: ${glyph.parts.length} parts with strokes ${percent(width, 1)} of its size wide`;
  }
  return null;
}

/** Whether ink runs along all four sides of a glyph's rectangle; that of a bar, which is all stroke, does, too. */
function isBoxed(cut) {
  const { rows, columns, data } = cut;
  if (Math.min(rows, columns) < BAR * Math.max(rows, columns)) return false;
  const down = Math.max(1, nearest(SIDE_BAND * rows));
  const across = Math.max(1, nearest(SIDE_BAND * columns));
  const [top, bottom] = [new Uint8Array(columns), new Uint8Array(columns)];
  const [left, right] = [new Uint8Array(rows), new Uint8Array(rows)];
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      if (!(data[i] >= WEAK)) continue;
      if (row < down) top[column] = 1;
      if (row >= rows - down) bottom[column] = 1;
      if (column < across) left[row] = 1;
      if (column >= columns - across) right[row] = 1;
    }
  }
  return [top, bottom, left, right].every((side) => side.reduce((a, b) => a + b, 0) / side.length >= SIDE_INKED);
}
