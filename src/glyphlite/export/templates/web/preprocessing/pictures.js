/* Pictures and canvases into grey, the way of src/glyphlite/preprocessing/pictures.py. Knows browsers' decoders, nothing of glyphs. */

import { Image2D } from "./arrays.js";

const MAX_BYTES = 64 * 2 ** 20;
const MAX_PIXELS = 64e6;
/* Canvases on phones hold no more; a larger photo is drawn smaller. */
const CANVAS_PIXELS = 16e6;
const BLANK = 8;

/** Decode a picture file, upright. Throws an Error whose message a person understands. */
export async function readPicture(file) {
  const name = file.name || "The picture";
  if (file.size > MAX_BYTES) throw new Error(`${name} has more than 64 MB; make it smaller.`);
  let picture;
  try {
    picture = await createImageBitmap(file, { imageOrientation: "from-image", premultiplyAlpha: "none", colorSpaceConversion: "none" });
  } catch {
    throw new Error(`${name} is not a picture that this browser can read.`);
  }
  if (picture.width * picture.height > MAX_PIXELS) throw new Error(`${name} has more than 64 million pixels; make it smaller.`);
  return picture;
}

/** A picture on a canvas of its own, transparent parts on white, or on black where on white nothing would be seen. */
export function onCanvas(picture) {
  const scale = Math.min(1, Math.sqrt(CANVAS_PIXELS / (picture.width * picture.height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.floor(picture.width * scale));
  canvas.height = Math.max(1, Math.floor(picture.height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  for (const background of ["#fff", "#000"]) {
    context.fillStyle = background;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const { data } = greyOf(canvas);
    let [least, most] = [255, 0];
    for (const value of data) [least, most] = [Math.min(least, value), Math.max(most, value)];
    if (most - least >= BLANK) break;
  }
  return canvas;
}

/** ITU-R BT.601 luma in whole numbers, as Pillow computes it. */
export function greyOf(canvas) {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const grey = new Image2D(canvas.height, canvas.width);
  for (let i = 0, j = 0; i < grey.data.length; i++, j += 4) {
    grey.data[i] = (data[j] * 19595 + data[j + 1] * 38470 + data[j + 2] * 7471 + 0x8000) >> 16;
  }
  return grey;
}
