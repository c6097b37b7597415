import { exists } from '@flowers/shared/files'
import { Command } from 'commander'
import { plural, withInterval } from '../console/format.ts'
import { fromUser, toUser } from '../console/paths.ts'
import { ownFolder } from '../run/owner.ts'

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
      const folder = fromUser(run)
      // Beside a run that goes on, a report can be written elsewhere.
      const release = out === undefined && (await exists(folder)) ? await ownFolder(folder) : async () => {}
      try {
        const { path, findings } = await reportRun({
          folder,
          photos,
          log: (line) => console.log(line),
          ...(data !== undefined && { data: fromUser(data) }),
          ...(out !== undefined && { out: fromUser(out) }),
        })
        console.log(
          `wrote ${toUser(path)}: ${withInterval(findings.measures.top1)} of ${plural(findings.measures.top1.count, 'validation photo')} right, ${findings.doubtful.train.total + findings.doubtful.valid.total} doubtful labels`,
        )
      } finally {
        await release()
      }
    })
}
