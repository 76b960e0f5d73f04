/* Numbers as people read them. */

export const percent = (part) => (part >= 0.0005 && part < 0.01 ? "<1 %" : `${Math.round(100 * part)} %`);

export const bytes = (count) => {
  if (count < 1024) return `${count} B`;
  return count < 2 ** 20 ? `${(count / 1024).toFixed(count < 10240 ? 1 : 0)} KB` : `${(count / 2 ** 20).toFixed(1)} MB`;
};

export const milliseconds = (ms) => `${ms < 0.1 ? ms.toFixed(3) : ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;

export const thousands = (count) => count.toLocaleString("en");
