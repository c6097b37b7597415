import { Command } from 'commander'
import { fromUser } from '../console/paths.ts'

interface ExportArguments {
  run: string
  data: string
  out: string
  notes?: string
}

export function exportCommand(): Command {
  return new Command('export')
    .description(
      'Write the best weights of a run as a model folder: ONNX, manifest, card. Fails if the ONNX file does not agree with the trainer.',
    )
    .requiredOption('--run <run>', 'a run folder of train')
    .requiredOption('--data <data>', 'the photos the run was validated on')
    .requiredOption('--out <model>', 'the folder to make, models/<name>/<version>')
    .option('--notes <file>', 'Markdown for the card: what its maker knows of the model and no run can measure')
    .action(async (options: ExportArguments) => {
      const { exportRun } = await import('../export/export-run.ts')
      await exportRun({
        run: fromUser(options.run),
        data: fromUser(options.data),
        out: fromUser(options.out),
        ...(options.notes !== undefined && { notes: fromUser(options.notes) }),
        log: (line: string) => console.log(line),
      })
    })
}
