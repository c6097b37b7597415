/** Lines of a Markdown table with columns of even width, as the formatter writes it. `|` and `<` in cells are escaped. */
export function markdownTable(head: readonly string[], rows: readonly (readonly unknown[])[]): string[] {
  const cells = [head, ...rows].map((row) => row.map((cell) => String(cell).replace(/[|<]/g, String.raw`\$&`)))
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]!.length)))
  const lines = cells.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`)
  return lines.toSpliced(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`)
}

/** A Markdown list, an item a line. */
export const markdownList = (items: readonly string[]): string => items.map((item) => `- ${item}`).join('\n')
