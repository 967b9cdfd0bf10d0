// What a person needs to see of a difference: the steps that led to it, both answers, and how to see it again.

const limit = 1500;

const brief = (value) => {
  const text = JSON.stringify(value);
  return text.length > limit ? `${text.slice(0, limit)}... (${text.length} characters)` : text;
};

/** The arrivals around the first one that differs; other values whole. */
function around(answer, at) {
  if (!Array.isArray(answer)) return answer;
  const index = Number(at.split(".")[0]);
  return answer.slice(Math.max(0, index - 1), index + 2);
}

/**
 * @param {{play: {name: string, steps: object[], again: string}, names: string[], difference: any, context?: number}} options
 * @returns {string}
 */
export function describe({ play: { name, steps, again }, names, difference, context = 4 }) {
  const { index, step, at, left, right, answers } = difference;
  const lines = [`${name}, step ${index}, ${difference.signature}`];
  for (let i = Math.max(0, index - context); i < Math.min(index, steps.length); i++) {
    lines.push(`  ${i}: ${brief(steps[i])}`);
  }
  lines.push(`> ${index}: ${brief(step)}`);
  lines.push(`  at ${at}: ${names[0]} ${brief(left ?? null)}`, `  at ${at}: ${names[1]} ${brief(right ?? null)}`);
  lines.push(`  ${names[0]}: ${brief(around(answers[0], at))}`, `  ${names[1]}: ${brief(around(answers[1], at))}`);
  const command = `node interop/differential/run.mjs ${again} --against ${names.join(",")}`;
  lines.push(`  again:  ${command}`, `  shrink: ${command} --shrink`);
  return lines.join("\n");
}
