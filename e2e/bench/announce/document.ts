const begin = '<!-- make bench-announce: begin -->';
const end = '<!-- make bench-announce: end -->';

/** A document with what stands between its marks replaced; throws where there are none. */
export function replaceFindings(document: string, findings: string): string {
  const [before, ...others] = document.split(begin);
  const [, after] = others.join(begin).split(end);
  if (others.length !== 1 || before === undefined || after === undefined)
    throw new Error(`the document does not have ${begin} and ${end} once`);
  return `${before}${begin}\n\n${findings}\n\n${end}${after}`;
}
