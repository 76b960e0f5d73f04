/* Connected components of a mask. The same computation as src/glyphlite/preprocessing/connected_components.py. */

/**
 * Find the parts that hang together, also at corners, numbered from 1 in reading order.
 *
 * @param {ArrayLike<number | boolean>} mask rows first.
 * @returns {{labels: Int32Array, parts: {left, top, right, bottom, area}[]}} labels are 0 where the mask is not set.
 */
export function connectedComponents(mask, rows, columns) {
  const parent = [0];
  const root = (label) => {
    while (parent[label] !== label) label = parent[label] = parent[parent[label]];
    return label;
  };
  const labels = new Int32Array(rows * columns);
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      if (!mask[i]) continue;
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
  const number = new Int32Array(parent.length);
  let count = 0;
  for (let label = 1; label < parent.length; label++) if (root(label) === label) number[label] = ++count;
  const parts = Array.from({ length: count }, () => ({ left: columns, top: rows, right: 0, bottom: 0, area: 0 }));
  for (let row = 0, i = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, i++) {
      labels[i] = labels[i] && number[root(labels[i])];
      if (!labels[i]) continue;
      const part = parts[labels[i] - 1];
      part.left = Math.min(part.left, column);
      part.right = Math.max(part.right, column + 1);
      part.top = Math.min(part.top, row);
      part.bottom = Math.max(part.bottom, row + 1);
      part.area++;
    }
  }
  return { labels, parts };
}
