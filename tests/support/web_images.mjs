/* node web_images.mjs PAGE_FOLDER VECTORS.json: the page's own preprocessing on pictures in raw files; prints JSON. */
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [page, vectors] = process.argv.slice(2).map((path) => resolve(path));
const load = (name) => import(pathToFileURL(join(page, name)));
const { Image2D } = await load("arrays.js");
const { prepareGlyph } = await load("images.js");

const results = JSON.parse(readFileSync(vectors, "utf8")).map(({ file, rows, columns, height, width }) => {
  const grey = Float64Array.from(readFileSync(join(dirname(vectors), file)));
  const started = performance.now();
  const glyph = prepareGlyph(new Image2D(rows, columns, grey), height, width);
  const ms = performance.now() - started;
  return glyph && { pixels: Array.from(glyph.pixels), box: glyph.box, doubt: glyph.doubt, others: glyph.others, ms };
});
process.stdout.write(JSON.stringify(results));
