/* node web_engine.mjs PAGE_FOLDER BUILD PIXELS: the page's own engine on raw images in a file; writes their stored scores. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [page, build, pixels] = process.argv.slice(2);
const { Engine, bestBuild } = await import(pathToFileURL(join(resolve(page), "engine.js")));
const model = JSON.parse(readFileSync(join(page, "model.json"), "utf8"));
const engine = await Engine.load(readFileSync(join(page, model.engines[build].file)), model);
const images = readFileSync(pixels);
const size = model.input.height * model.input.width;
for (let start = 0; start < images.length; start += size) {
  process.stdout.write(Buffer.from(engine.scores(images.subarray(start, start + size)).buffer));
}
process.stderr.write(JSON.stringify({ best: bestBuild(), ms: engine.time(20) }));
