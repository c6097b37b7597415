import type { Board } from './board.ts'
import { heat, lines } from './panel.ts'
import { chosen, mean, ofModel, quantile, rate } from './select.ts'

const seconds = 'flowers_stage_duration_seconds'

/** Where the time of an image goes. */
export const stages: Board = {
  name: 'stages',
  title: 'stages',
  description: 'Where the time of an image goes: receive, decode, preprocess, queue, infer, merge.',
  panels: [
    lines(
      'Mean time of an image by stage',
      's',
      'The stages add up to the time from the headers of a request to the answer of its image.',
      { '{{stage}}': mean(seconds, chosen, 'stage') },
      { stack: 'values' },
    ),
    lines(
      'Share of the time by stage',
      'percentunit',
      'A growing share of queue asks for more cores, one of receive for faster clients.',
      {
        '{{stage}}': `${rate(`${seconds}_sum{${chosen}}`, 'stage')} / on () group_left () ${rate(`${seconds}_sum{${chosen}}`)}`,
      },
      { stack: 'percent' },
    ),
    ...([0.5, 0.95] as const).map((share) =>
      lines(
        `Time by stage, ${share * 100} %`,
        's',
        `Seconds within which ${share * 100} % of the images passed each stage.`,
        { '{{stage}}': quantile(share, seconds, chosen, 'stage') },
      ),
    ),
    ...['receive', 'decode', 'preprocess', 'queue', 'infer', 'merge'].map((stage) =>
      heat(
        `Times: ${stage}`,
        's',
        `${aboutStage(stage)} A point is a trace.`,
        { '{{le}}': rate(`${seconds}_bucket{${chosen}, stage="${stage}"}`, 'le') },
        { span: 8, traces: '{{le}}' },
      ),
    ),
    lines(
      'Time of a view',
      's',
      'Seconds of a view in a worker, normalised and run. It grows when cores are shared with others.',
      Object.fromEntries(
        [0.5, 0.95].map((share) => [
          `{{model}} ${share * 100} %`,
          quantile(share, 'flowers_view_duration_seconds', ofModel, 'model'),
        ]),
      ),
    ),
    lines('Views of a run', 'short', 'Mean number of views that a worker takes at once, of one or several images.', {
      '{{model}}': mean('flowers_run_views', ofModel, 'model'),
    }),
  ],
}

function aboutStage(stage: string): string {
  return {
    receive: 'From the headers of the request until its image is admitted: mostly the upload.',
    decode: 'The wait for a thread that decodes, and the decoding to RGB.',
    preprocess: 'Resizing and cropping, once for each scale of the views.',
    queue: 'From there until a worker begins the first view.',
    infer: 'From there to the last view that the answer needs, with waits between.',
    merge: 'From the last view to the answer.',
  }[stage]!
}
