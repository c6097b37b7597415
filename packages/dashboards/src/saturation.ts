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
      {
        title: 'Workers in use',
        description: 'Share of the time of all inference workers that was used, over the window.',
        unit: 'percentunit',
      },
      {
        expr: `${rate(`flowers_view_duration_seconds_sum{${chosen}}`)} / sum(flowers_workers{${chosen}})`,
        legend: 'in use',
      },
      { span: 6, limits: [0.7, 0.9] },
    ),
    number(
      {
        title: 'Oldest image that waits',
        description: 'Seconds since it was admitted, of the instance where it is longest.',
        unit: 's',
      },
      { expr: `max(flowers_queue_age_seconds{${chosen}})`, legend: 'oldest' },
      { span: 6, limits: [1, 5] },
    ),
    number(
      {
        title: 'Memory',
        description: 'Resident memory against its limit, of the fullest instance.',
        unit: 'percentunit',
      },
      {
        expr: `max(process_resident_memory_bytes{${chosen}} / flowers_memory_limit_bytes{${chosen}})`,
        legend: 'memory',
      },
      { span: 6, limits: [0.8, 0.9] },
    ),
    number(
      {
        title: 'Event loop, 99 %',
        description: 'Delay of the thread that answers, of the slowest instance: every request pays it.',
        unit: 's',
      },
      { expr: `max(nodejs_eventloop_lag_p99_seconds{${chosen}})`, legend: '99 %' },
      { span: 6, limits: [0.05, 0.2] },
    ),
    lines(
      {
        title: 'Images that wait',
        description:
          'Images that are admitted and of which no view was begun. At FLOWERS_QUEUE_LIMIT more are refused.',
        unit: 'short',
      },
      [{ expr: `flowers_queue_depth{${chosen}}`, legend: '{{instance}}' }],
    ),
    lines(
      {
        title: 'Age of the queue',
        description: 'How long the oldest image that waits has waited since it was admitted.',
        unit: 's',
      },
      [{ expr: `flowers_queue_age_seconds{${chosen}}`, legend: '{{instance}}' }],
    ),
    lines(
      {
        title: 'Wait for a worker',
        description: 'What images waited for a worker: the mean that replicas are added by, and within what 95 % were.',
        unit: 's',
      },
      [
        { expr: `flowers:queue_seconds:mean2m{${chosen}}`, legend: '{{instance}} mean' },
        {
          expr: quantile(0.95, 'flowers_stage_duration_seconds', `${chosen}, stage="queue"`, 'instance'),
          legend: '{{instance}} 95 %',
        },
      ],
    ),
    lines(
      {
        title: 'Work ahead',
        description: 'Seconds of one thread that all admitted images still need, as the service expects.',
        unit: 's',
      },
      [{ expr: `flowers_backlog_seconds{${chosen}}`, legend: '{{instance}}' }],
    ),
    lines(
      {
        title: 'Inference workers',
        description:
          'Workers that run views, those that are warm, and those that were planned: fewer warm, some were lost.',
        unit: 'short',
      },
      [
        { expr: `sum(flowers_workers_busy{${chosen}})`, legend: 'busy' },
        { expr: `sum(flowers_workers{${chosen}})`, legend: 'warm' },
        { expr: `sum(flowers_workers_planned{${chosen}})`, legend: 'planned' },
      ],
    ),
    lines(
      {
        title: 'Processor',
        description: 'Cores that each instance uses, and may use by its control group.',
        unit: 'short',
      },
      [
        { expr: `rate(process_cpu_seconds_total{${chosen}}[${window}])`, legend: '{{instance}} used' },
        { expr: `flowers_cpu_allowance_cores{${chosen}}`, legend: '{{instance}} allowed' },
      ],
    ),
    lines(
      {
        title: 'Memory of the process',
        description: 'Resident memory, its limit, and what the sessions of the model were planned to need.',
        unit: 'bytes',
      },
      [
        { expr: `process_resident_memory_bytes{${chosen}}`, legend: '{{instance}} resident' },
        { expr: `flowers_memory_limit_bytes{${chosen}}`, legend: '{{instance}} limit' },
        { expr: `flowers_sessions_bytes{${chosen}}`, legend: '{{instance}} sessions' },
      ],
    ),
    lines(
      {
        title: 'Memory of JavaScript',
        description: 'Heap in use, and memory outside of it that JavaScript holds: bodies and pictures.',
        unit: 'bytes',
      },
      [
        { expr: `nodejs_heap_size_used_bytes{${chosen}}`, legend: '{{instance}} heap' },
        { expr: `nodejs_external_memory_bytes{${chosen}}`, legend: '{{instance}} external' },
      ],
    ),
    lines(
      {
        title: 'Delay of the event loop',
        description: 'How late the thread that answers comes to its next task. It runs no inference, so it stays low.',
        unit: 's',
      },
      [
        { expr: `nodejs_eventloop_lag_p50_seconds{${chosen}}`, legend: '{{instance}} 50 %' },
        { expr: `nodejs_eventloop_lag_p99_seconds{${chosen}}`, legend: '{{instance}} 99 %' },
        { expr: `nodejs_eventloop_lag_max_seconds{${chosen}}`, legend: '{{instance}} most' },
      ],
    ),
    lines(
      {
        title: 'Garbage collection',
        description: 'Share of the time of the thread that answers that collects garbage.',
        unit: 'percentunit',
      },
      [{ expr: rate(`nodejs_gc_duration_seconds_sum{${chosen}}`, 'instance'), legend: '{{instance}}' }],
    ),
    lines(
      {
        title: 'Open files',
        description: 'Files and connections that are open, and how many may be.',
        unit: 'short',
      },
      [
        { expr: `process_open_fds{${chosen}}`, legend: '{{instance}} open' },
        { expr: `process_max_fds{${chosen}}`, legend: '{{instance}} limit' },
      ],
    ),
    lines(
      {
        title: 'Requests in flight',
        description: 'Requests that are being answered: uploads under way, images, probes.',
        unit: 'short',
      },
      [{ expr: `flowers_http_requests_in_flight{${chosen}}`, legend: '{{instance}}' }],
    ),
  ],
}
