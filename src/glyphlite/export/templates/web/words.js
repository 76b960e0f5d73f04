/* Numbers as people read them. */

/** A probability; never "100 %", of which no model can be sure. */
export const confidence = (part, digits = 0) => {
  const step = 10 ** -digits;
  if (100 * part >= 100 - step / 2) return `> ${(100 - step).toFixed(digits)} %`;
  return part >= step / 2000 && 100 * part < step ? `< ${step.toFixed(digits)} %` : `${(100 * part).toFixed(digits)} %`;
};

export const bytes = (count) => {
  if (count < 1024) return `${count} B`;
  return count < 2 ** 20 ? `${(count / 1024).toFixed(count < 10240 ? 1 : 0)} KB` : `${(count / 2 ** 20).toFixed(1)} MB`;
};

export const milliseconds = (ms) => `${ms < 0.1 ? ms.toFixed(3) : ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;

export const thousands = (count) => count.toLocaleString("en");
