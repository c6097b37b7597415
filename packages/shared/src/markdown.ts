import { oneLine } from './printable.ts'

/**
 * Lines of a Markdown table with columns of even width, as the formatter writes it. `|` and `<` in cells are escaped
 * where they are not yet.
 */
export function markdownTable(head: readonly string[], rows: readonly (readonly unknown[])[]): string[] {
  const cells = [head, ...rows].map((row) =>
    row.map((cell) => String(cell).replace(/(\\.)|[|<]/gs, (found, pair?: string) => pair ?? `\\${found}`)),
  )
  const widths = head.map((_, column) => cells.reduce((width, row) => Math.max(width, row[column]!.length), 3))
  const lines = cells.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`)
  return lines.toSpliced(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`)
}

/** A Markdown list, an item a line. */
export const markdownList = (items: readonly string[]): string => items.map((item) => `- ${item}`).join('\n')

/** A name as Markdown that shows it as it is, within a line or a cell. */
export const markdownText = (name: string): string => oneLine(name).replace(/[\\`*_~[\]<>|&$]/g, String.raw`\$&`)
