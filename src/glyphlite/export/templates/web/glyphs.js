/* The one glyph of a picture among its dark spots. The same computation as src/glyphlite/data/components.py and glyphs.py. */

const WEAK = 0.35;
const STRONG = 0.6;
const DUST = 0.02;
const NEAR = 0.15;
const MOST_PARTS = 64;

/** Connected parts (corners touch) of the weak ink that hold strong ink: labels from 1 in reading order, and their rectangles. */
export function inkParts(strength) {
  const { rows, columns, data } = strength;
  const parent = [0];
  const root = (label) => {
    while (parent[label] !== label) label = parent[label] = parent[parent[label]];
    return label;
  };
  const labels = new Int32Array(rows * columns);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      if (!(data[i] >= WEAK)) continue;
      const above = i - columns;
      const neighbours = [
        column > 0 ? labels[i - 1] : 0,
        row > 0 && column > 0 ? labels[above - 1] : 0,
        row > 0 ? labels[above] : 0,
        row > 0 && column < columns - 1 ? labels[above + 1] : 0,
      ];
      let label = 0;
      for (const neighbour of neighbours) {
        if (!neighbour) continue;
        const other = root(neighbour);
        if (!label) label = other;
        else if (other < label) label = parent[label] = other;
        else parent[other] = label;
      }
      if (!label) parent.push((label = parent.length));
      labels[i] = label;
    }
  }
  const strong = new Uint8Array(parent.length);
  for (let i = 0; i < data.length; i++) if (data[i] >= STRONG) strong[root(labels[i])] = 1;
  const number = new Int32Array(parent.length);
  let count = 0;
  for (let label = 1; label < parent.length; label++) if (root(label) === label && strong[label]) number[label] = ++count;
  const parts = Array.from({ length: count }, (_, k) => ({
    left: columns, top: rows, right: 0, bottom: 0, parts: [k + 1], mass: 0,
  }));
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      labels[i] = labels[i] && number[root(labels[i])];
      if (!labels[i]) continue;
      const part = parts[labels[i] - 1];
      part.left = Math.min(part.left, column);
      part.right = Math.max(part.right, column + 1);
      part.top = Math.min(part.top, row);
      part.bottom = Math.max(part.bottom, row + 1);
      part.mass += data[i];
    }
  }
  return { labels, parts };
}

export const sideOf = (glyph) => Math.max(glyph.right - glyph.left, glyph.bottom - glyph.top);

/** The part with the most ink and what stands near it; null where there is no ink. */
export function mainGlyph(strength, parts) {
  let singles = parts.parts;
  if (!singles.length) return null;
  if (singles.length > MOST_PARTS) {
    const most = new Set([...singles].sort((a, b) => b.mass - a.mass).slice(0, MOST_PARTS));
    singles = singles.filter((single) => most.has(single));
  }
  const atRim = (glyph) =>
    (glyph.left === 0) + (glyph.top === 0) + (glyph.right === strength.columns) + (glyph.bottom === strength.rows);
  const weight = (glyph) => glyph.mass / (atRim(glyph) ? 2 : 1);
  const best = singles.reduce((a, b) => (weight(b) > weight(a) ? b : a));
  const least = DUST * best.mass;
  let glyph = best;
  let rest = singles.filter((single) => single !== best && single.mass >= least && atRim(single) <= atRim(best));
  for (;;) {
    const near = rest.filter((single) => gap(glyph, single) <= NEAR * sideOf(glyph));
    if (!near.length) return glyph;
    glyph = near.reduce(together, glyph);
    rest = rest.filter((single) => !near.includes(single));
  }
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
