import { dirname } from 'node:path'
import type { ExportOptions, ExportResult } from '../export/export-run.ts'
import { serveCommand } from '../console/models-folder.ts'
import { toUser } from '../console/paths.ts'

/** Makes the model folder of a run, with what it does as lines. */
export async function exportModel(options: Omit<ExportOptions, 'log'>): Promise<ExportResult> {
  const { exportRun } = await import('../export/export-run.ts')
  return exportRun({ ...options, log: (line: string) => console.log(line) })
}

/** Where a model is, and what serves it. */
export const madeModel = ({ folder, manifest }: Pick<ExportResult, 'folder' | 'manifest'>): string =>
  `model: ${toUser(folder)}; serve it with: ${serveCommand(dirname(dirname(folder)), manifest.name)}`
