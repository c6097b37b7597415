import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { datasource } from './panel.ts'

// oxlint-disable-next-line typescript/no-deprecated -- the form that Grafana 12 of deploy/compose.yaml reads from files
const newDashboard = (title: string) => new DashboardBuilder(title)

/** A dashboard as Grafana reads it. */
export type Dashboard = ReturnType<ReturnType<typeof newDashboard>['build']>

/** A dashboard of the service. */
export interface Board {
  /** Name of its file, and the end of its uid. */
  readonly name: string
  readonly title: string
  readonly description: string
  /** From left to right and top to bottom. */
  readonly panels: readonly Builder<Panel>[]
}

/** What a person may choose in every dashboard, and where its values come from. */
export const variables = {
  job: { label: 'Job', values: 'label_values(flowers_build_info, job)' },
  instance: { label: 'Instance', values: 'label_values(flowers_build_info{job=~"$job"}, instance)' },
  model: { label: 'Model', values: 'label_values(flowers_model_info{job=~"$job"}, model)' },
} as const

/** Makes the dashboard as Grafana reads it. */
export function buildDashboard({ name, title, description, panels }: Board): Dashboard {
  const builder = newDashboard(`Flowers: ${title}`)
    .uid(`flowers-${name}`)
    .description(description)
    .tags(['flowers'])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .link(
      new DashboardLinkBuilder('Flowers')
        .type(DashboardLinkType.Dashboards)
        .tags(['flowers'])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true),
    )
  for (const [variable, { label, values }] of Object.entries(variables)) {
    builder.withVariable(
      new QueryVariableBuilder(variable)
        .label(label)
        .datasource(datasource)
        .query({ query: values, refId: 'values' })
        .definition(values)
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .sort(VariableSort.AlphabeticalAsc)
        .multi(true)
        .includeAll(true)
        .current({ text: ['All'], value: ['$__all'] }),
    )
  }
  for (const panel of panels) builder.withPanel(panel)
  const dashboard = builder.build()
  for (const [index, panel] of (dashboard.panels ?? []).entries()) panel.id = index + 1
  return dashboard
}
