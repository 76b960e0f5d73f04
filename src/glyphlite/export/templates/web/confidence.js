/* Whether to believe an answer. The same computation as `calibrated` and `is_refused` of src/glyphlite/evaluation/confidence.py. */

import { confidence } from "./words.js";

/** Probabilities at the temperature fitted for the model; themselves where none is known. @param certainty of model.json, or null. */
export function calibrated(probabilities, certainty) {
  if (!certainty) return probabilities;
  const log = (value) => Math.log(Math.max(value, certainty.floor));
  if (certainty.independent) {
    return probabilities.map((value) => 1 / (1 + Math.exp((log(1 - value) - log(value)) / certainty.temperature)));
  }
  const logits = probabilities.map((value) => log(value) / certainty.temperature);
  const most = Math.max(...logits);
  const powers = logits.map((value) => Math.exp(value - most));
  const all = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / all);
}

/** Why not to believe calibrated probabilities, in words, or null. */
export function refusalOf(believed, { certainty, labels }) {
  const sure = Math.max(...believed);
  if (!certainty || sure >= certainty.leastCertainty) return null;
  const digits = labels.every((label) => /^\d+$/.test(label));
  const [images, one] = digits ? ["digits", "digit"] : ["images", "glyph of these classes"];
  const least = confidence(certainty.leastCertainty, 1);
  const reach = certainty.twin ? `reached ${least} before the model was trained on them, too` : `reach ${least}`;
  const reached = `99 % of validation ${images} ${reach}`;
  return `Unsure (${confidence(sure, 1)}): ${reached}, so this may not be one single ${one}.`;
}
