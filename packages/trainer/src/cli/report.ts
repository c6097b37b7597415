import { Command } from 'commander'
import { percent } from '../console/format.ts'
import { fromUser, toUser } from '../console/paths.ts'
import { stopSignal } from './stop.ts'

interface ReportArguments {
  run: string
  data?: string
  out?: string
  photos: boolean
}

export function reportCommand(): Command {
  return new Command('report')
    .description(
      'Write report.html of a run, also of one that was stopped: curves, confusions, mistakes, doubtful labels.',
    )
    .requiredOption('--run <run>', 'a run folder of train')
    .option('--data <data>', 'the photos of the run (default: where it read them)')
    .option('--out <html>', 'the file to write (default: report.html of the run folder)')
    .option('--no-photos', 'name photos instead of showing them')
    .action(async ({ run, data, out, photos }: ReportArguments) => {
      const { reportRun } = await import('../report/report-run.ts')
      const { signal, release } = stopSignal(() => console.log('stopping (again to stop at once)'))
      try {
        const { path, findings } = await reportRun({
          folder: fromUser(run),
          photos,
          signal,
          ...(data !== undefined && { data: fromUser(data) }),
          ...(out !== undefined && { out: fromUser(out) }),
        })
        console.log(
          `wrote ${toUser(path)}: ${percent(findings.measures.top1.value)} of the validation photos right, ${findings.doubtful.train.total + findings.doubtful.valid.total} doubtful labels`,
        )
      } finally {
        release()
      }
    })
}
