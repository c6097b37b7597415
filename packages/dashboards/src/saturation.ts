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
      {
        expr: `${rate(`flowers_view_duration_seconds_sum{${chosen}}`)} / sum(flowers_workers{${chosen}})`,
        legend: 'in use',
      },
      { span: 6, limits: [0.7, 0.9] },
    ),
    number(
      'Oldest image that waits',
      's',
      'Seconds since it was admitted, of the instance where it is longest.',
      { expr: `max(flowers_queue_age_seconds{${chosen}})`, legend: 'oldest' },
      { span: 6, limits: [1, 5] },
    ),
    number(
      'Memory',
      'percentunit',
      'Resident memory against its limit, of the fullest instance.',
      {
        expr: `max(process_resident_memory_bytes{${chosen}} / flowers_memory_limit_bytes{${chosen}})`,
        legend: 'memory',
      },
      { span: 6, limits: [0.8, 0.9] },
    ),
    number(
      'Event loop, 99 %',
      's',
      'Delay of the thread that answers, of the slowest instance: every request pays it.',
      { expr: `max(nodejs_eventloop_lag_p99_seconds{${chosen}})`, legend: '99 %' },
      { span: 6, limits: [0.05, 0.2] },
    ),
    lines(
      'Images that wait',
      'short',
      'Images that are admitted and of which no view was begun. At FLOWERS_QUEUE_LIMIT more are refused.',
      [{ expr: `flowers_queue_depth{${chosen}}`, legend: '{{instance}}' }],
    ),
    lines('Age of the queue', 's', 'How long the oldest image that waits has waited since it was admitted.', [
      { expr: `flowers_queue_age_seconds{${chosen}}`, legend: '{{instance}}' },
    ]),
    lines(
      'Wait for a worker',
      's',
      'What images waited for a worker: the mean that replicas are added by, and within what 95 % were.',
      [
        { expr: `flowers:queue_seconds:mean2m{${chosen}}`, legend: '{{instance}} mean' },
        {
          expr: quantile(0.95, 'flowers_stage_duration_seconds', `${chosen}, stage="queue"`, 'instance'),
          legend: '{{instance}} 95 %',
        },
      ],
    ),
    lines('Work ahead', 's', 'Seconds of one thread that all admitted images still need, as the service expects.', [
      { expr: `flowers_backlog_seconds{${chosen}}`, legend: '{{instance}}' },
    ]),
    lines(
      'Inference workers',
      'short',
      'Workers that run views, those that are warm, and those that were planned: fewer warm, some were lost.',
      [
        { expr: `sum(flowers_workers_busy{${chosen}})`, legend: 'busy' },
        { expr: `sum(flowers_workers{${chosen}})`, legend: 'warm' },
        { expr: `sum(flowers_workers_planned{${chosen}})`, legend: 'planned' },
      ],
    ),
    lines('Processor', 'short', 'Cores that each instance uses, and may use by its control group.', [
      { expr: `rate(process_cpu_seconds_total{${chosen}}[${window}])`, legend: '{{instance}} used' },
      { expr: `flowers_cpu_allowance_cores{${chosen}}`, legend: '{{instance}} allowed' },
    ]),
    lines(
      'Memory of the process',
      'bytes',
      'Resident memory, its limit, and what the sessions of the model were planned to need.',
      [
        { expr: `process_resident_memory_bytes{${chosen}}`, legend: '{{instance}} resident' },
        { expr: `flowers_memory_limit_bytes{${chosen}}`, legend: '{{instance}} limit' },
        { expr: `flowers_sessions_bytes{${chosen}}`, legend: '{{instance}} sessions' },
      ],
    ),
    lines(
      'Memory of JavaScript',
      'bytes',
      'Heap in use, and memory outside of it that JavaScript holds: bodies and pictures.',
      [
        { expr: `nodejs_heap_size_used_bytes{${chosen}}`, legend: '{{instance}} heap' },
        { expr: `nodejs_external_memory_bytes{${chosen}}`, legend: '{{instance}} external' },
      ],
    ),
    lines(
      'Delay of the event loop',
      's',
      'How late the thread that answers comes to its next task. It runs no inference, so it stays low.',
      [
        { expr: `nodejs_eventloop_lag_p50_seconds{${chosen}}`, legend: '{{instance}} 50 %' },
        { expr: `nodejs_eventloop_lag_p99_seconds{${chosen}}`, legend: '{{instance}} 99 %' },
        { expr: `nodejs_eventloop_lag_max_seconds{${chosen}}`, legend: '{{instance}} most' },
      ],
    ),
    lines('Garbage collection', 'percentunit', 'Share of the time of the thread that answers that collects garbage.', [
      { expr: rate(`nodejs_gc_duration_seconds_sum{${chosen}}`, 'instance'), legend: '{{instance}}' },
    ]),
    lines('Open files', 'short', 'Files and connections that are open, and how many may be.', [
      { expr: `process_open_fds{${chosen}}`, legend: '{{instance}} open' },
      { expr: `process_max_fds{${chosen}}`, legend: '{{instance}} limit' },
    ]),
    lines('Requests in flight', 'short', 'Requests that are being answered: uploads under way, images, probes.', [
      { expr: `flowers_http_requests_in_flight{${chosen}}`, legend: '{{instance}}' },
    ]),
  ],
}
