/* Images as flat arrays of doubles, and the few whole-array operations that the preprocessing needs. Knows no glyphs. */

export class Image2D {
  constructor(rows, columns, data = new Float64Array(rows * columns)) {
    this.rows = rows;
    this.columns = columns;
    this.data = data;
  }

  get side() {
    return Math.max(this.rows, this.columns);
  }

  map(change) {
    const result = new Image2D(this.rows, this.columns);
    for (let i = 0; i < this.data.length; i++) result.data[i] = change(this.data[i], i);
    return result;
  }

  cut(top, left, bottom, right) {
    const result = new Image2D(bottom - top, right - left);
    for (let row = top; row < bottom; row++) {
      const start = row * this.columns;
      result.data.set(this.data.subarray(start + left, start + right), (row - top) * result.columns);
    }
    return result;
  }

  pad(by) {
    const result = new Image2D(this.rows + 2 * by, this.columns + 2 * by);
    for (let row = 0; row < this.rows; row++) {
      const line = this.data.subarray(row * this.columns, (row + 1) * this.columns);
      result.data.set(line, (row + by) * result.columns + by);
    }
    return result;
  }
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export const sum = (values) => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

export const largest = (values) => {
  let most = -Infinity;
  for (const value of values) if (value > most) most = value;
  return most;
};

/** The value at a place of the sorted values (Hoare's quickselect; reorders them). */
export function select(values, place) {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1];
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i <= j) {
        const swapped = values[i];
        values[i++] = values[j];
        values[j--] = swapped;
      }
    }
    if (place <= j) high = j;
    else if (place >= i) low = i;
    else break;
  }
  return values[place];
}

/** Linear interpolation between the two nearest of the sorted values, as NumPy's default; a part of 0.5 is the median. */
export function quantile(values, part) {
  const copy = Float64Array.from(values);
  const place = (copy.length - 1) * part;
  const below = Math.floor(place);
  const lower = select(copy, below);
  if (place === below) return lower;
  return lower + (select(copy, below + 1) - lower) * (place - below);
}

export const median = (values) => quantile(values, 0.5);
