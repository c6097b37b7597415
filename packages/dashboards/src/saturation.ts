import type { Board } from './board.ts'
import { lines, number } from './panel.ts'
import { chosen, quantile, rate, window } from './select.ts'

/** What runs out first. */
export const saturation: Board = {
  name: 'saturation',
  title: 'saturation',
  description: 'What runs out first: workers, time, memory, the thread that answers.',
  panels: [
    number(
      'Workers in use',
      'percentunit',
      'Share of the time of all inference workers that was used, over the window.',
      { 'in use': `${rate(`flowers_view_duration_seconds_sum{${chosen}}`)} / sum(flowers_workers{${chosen}})` },
      { span: 6, limits: [0.7, 0.9] },
    ),
    number(
      'Oldest image that waits',
      's',
      'Seconds since it was admitted, of the instance where it is longest.',
      { oldest: `max(flowers_queue_age_seconds{${chosen}})` },
      { span: 6, limits: [1, 5] },
    ),
    number(
      'Memory',
      'percentunit',
      'Resident memory against its limit, of the fullest instance.',
      { memory: `max(process_resident_memory_bytes{${chosen}} / flowers_memory_limit_bytes{${chosen}})` },
      { span: 6, limits: [0.8, 0.9] },
    ),
    number(
      'Event loop, 99 %',
      's',
      'Delay of the thread that answers, of the slowest instance: every request pays it.',
      { '99 %': `max(nodejs_eventloop_lag_p99_seconds{${chosen}})` },
      { span: 6, limits: [0.05, 0.2] },
    ),
    lines(
      'Images that wait',
      'short',
      'Images that are admitted and of which no view was begun. At FLOWERS_QUEUE_LIMIT more are refused.',
      { '{{instance}}': `flowers_queue_depth{${chosen}}` },
    ),
    lines('Age of the queue', 's', 'How long the oldest image that waits has waited since it was admitted.', {
      '{{instance}}': `flowers_queue_age_seconds{${chosen}}`,
    }),
    lines(
      'Wait for a worker',
      's',
      'What images waited for a worker: the mean that replicas are added by, and within what 95 % were.',
      {
        '{{instance}} mean': `flowers:queue_seconds:mean2m{${chosen}}`,
        '{{instance}} 95 %': quantile(0.95, 'flowers_stage_duration_seconds', `${chosen}, stage="queue"`, 'instance'),
      },
    ),
    lines('Work ahead', 's', 'Seconds of one thread that all admitted images still need, as the service expects.', {
      '{{instance}}': `flowers_backlog_seconds{${chosen}}`,
    }),
    lines(
      'Inference workers',
      'short',
      'Workers that run views, those that are warm, and those that were planned: fewer warm, some were lost.',
      {
        busy: `sum(flowers_workers_busy{${chosen}})`,
        warm: `sum(flowers_workers{${chosen}})`,
        planned: `sum(flowers_workers_planned{${chosen}})`,
      },
    ),
    lines('Processor', 'short', 'Cores that each instance uses, and may use by its control group.', {
      '{{instance}} used': `rate(process_cpu_seconds_total{${chosen}}[${window}])`,
      '{{instance}} allowed': `flowers_cpu_allowance_cores{${chosen}}`,
    }),
    lines(
      'Memory of the process',
      'bytes',
      'Resident memory, its limit, and what the sessions of the model were planned to need.',
      {
        '{{instance}} resident': `process_resident_memory_bytes{${chosen}}`,
        '{{instance}} limit': `flowers_memory_limit_bytes{${chosen}}`,
        '{{instance}} sessions': `flowers_sessions_bytes{${chosen}}`,
      },
    ),
    lines(
      'Memory of JavaScript',
      'bytes',
      'Heap in use, and memory outside of it that JavaScript holds: bodies and pictures.',
      {
        '{{instance}} heap': `nodejs_heap_size_used_bytes{${chosen}}`,
        '{{instance}} external': `nodejs_external_memory_bytes{${chosen}}`,
      },
    ),
    lines(
      'Delay of the event loop',
      's',
      'How late the thread that answers comes to its next task. It runs no inference, so it stays low.',
      {
        '{{instance}} 50 %': `nodejs_eventloop_lag_p50_seconds{${chosen}}`,
        '{{instance}} 99 %': `nodejs_eventloop_lag_p99_seconds{${chosen}}`,
        '{{instance}} most': `nodejs_eventloop_lag_max_seconds{${chosen}}`,
      },
    ),
    lines('Garbage collection', 'percentunit', 'Share of the time of the thread that answers that collects garbage.', {
      '{{instance}}': rate(`nodejs_gc_duration_seconds_sum{${chosen}}`, 'instance'),
    }),
    lines('Open files', 'short', 'Files and connections that are open, and how many may be.', {
      '{{instance}} open': `process_open_fds{${chosen}}`,
      '{{instance}} limit': `process_max_fds{${chosen}}`,
    }),
    lines('Requests in flight', 'short', 'Requests that are being answered: uploads under way, images, probes.', {
      '{{instance}}': `flowers_http_requests_in_flight{${chosen}}`,
    }),
  ],
}
