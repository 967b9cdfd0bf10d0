/** What of a page is written by the bench: it stands between marks that name it. */
const begin = (name: string) => `<!-- ${name}:begin -->`;
const end = (name: string) => `<!-- ${name}:end -->`;

/** A page with what stands between the marks of that name replaced. @throws Error if it has no such marks */
export function replaceBetweenMarks(page: string, content: string, name = "bench"): string {
  const from = page.indexOf(begin(name));
  const to = page.indexOf(end(name));
  if (from < 0 || to < from) throw new Error(`the page has no ${begin(name)} followed by ${end(name)}`);
  return `${page.slice(0, from + begin(name).length)}\n\n${content}\n\n${page.slice(to)}`;
}
