import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus'
import { buildDashboard, type Dashboard } from './board.ts'
import { overview } from './overview.ts'
import { quality } from './quality.ts'
import { saturation } from './saturation.ts'
import { slo } from './objectives.ts'
import { stages } from './stages.ts'

/** A query of a panel, as Grafana would send it but for its variables. */
export interface PanelQuery {
  readonly dashboard: string
  readonly panel: string
  readonly expr: string
  /** Whether the traces of its series are shown. */
  readonly exemplar: boolean
}

/** Dashboards by the name of their file, as Grafana reads them. */
export function dashboards(): Record<string, Dashboard> {
  const boards = [overview, stages, saturation, quality, slo]
  return Object.fromEntries(boards.map((board) => [board.name, buildDashboard(board)]))
}

/** Panels of a dashboard; none is a row of others. */
export function panelsOf(dashboard: Dashboard): Panel[] {
  return dashboard.panels ?? []
}

/** Every query of every panel. */
export function panelQueries(): PanelQuery[] {
  return Object.entries(dashboards()).flatMap(([name, dashboard]) =>
    panelsOf(dashboard).flatMap(({ title, targets = [] }) =>
      (targets as Dataquery[]).map(({ expr, exemplar = false }) => ({
        dashboard: name,
        panel: title ?? '',
        expr,
        exemplar,
      })),
    ),
  )
}
