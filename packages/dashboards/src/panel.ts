import { PanelBuilder as BarGauge } from '@grafana/grafana-foundation-sdk/bargauge'
import {
  BarGaugeDisplayMode,
  BigValueGraphMode,
  GraphGradientMode,
  HeatmapCellLayout,
  LegendDisplayMode,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import { ThresholdsConfigBuilder, ThresholdsMode, type Panel } from '@grafana/grafana-foundation-sdk/dashboard'
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  PanelBuilder as Heatmap,
  RowsHeatmapOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries'

/** The data source of deploy/grafana/provisioning. */
export const datasource = { type: 'prometheus', uid: 'prometheus' }

/** Expressions by the names of their series, with labels as `{{label}}`. */
export type Queries = Readonly<Record<string, string>>

interface Shape {
  /** Columns of 24. */
  readonly span?: number
  readonly max?: number
  readonly decimals?: number
  /** Where the colour turns to yellow, then to red; ascending. */
  readonly limits?: readonly [number, number]
  /** Name of the series that the traces which Prometheus holds are shown of. */
  readonly traces?: string
}

// A panel has a title, a unit (an id of Grafana's units), and a description: what it shows and what to make of it.

/** Rows of a panel over time, and of a number. */
const heights = { graph: 8, number: 4 }

/** Lines over time. `stack`: one above the other, as values or as percentages of their sum. */
export function lines(
  title: string,
  unit: string,
  description: string,
  queries: Queries,
  { span = 12, max, limits, traces, stack }: Shape & { readonly stack?: 'values' | 'percent' } = {},
): Builder<Panel> {
  const panel = new TimeSeries()
    .title(title)
    .description(description)
    .unit(unit)
    .min(0)
    .datasource(datasource)
    .targets(targets(queries, traces))
    .span(span)
    .height(heights.graph)
    .lineWidth(1)
    .fillOpacity(stack ? 40 : 10)
    .gradientMode(GraphGradientMode.None)
    .showPoints(VisibilityMode.Never)
    .legend(
      new VizLegendOptionsBuilder().showLegend(true).displayMode(LegendDisplayMode.Table).calcs(['lastNotNull', 'max']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
  if (max !== undefined) panel.max(max)
  if (limits) panel.thresholds(thresholds(limits))
  if (stack) {
    panel.stacking(new StackingConfigBuilder().mode(stack === 'percent' ? StackingMode.Percent : StackingMode.Normal))
  }
  return panel
}

/** One number, the newest, over its recent course. */
export function number(
  title: string,
  unit: string,
  description: string,
  query: Queries,
  { span = 4, max, decimals, limits }: Shape = {},
): Builder<Panel> {
  const panel = new Stat()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(datasource)
    .targets(targets(query))
    .span(span)
    .height(heights.number)
    .graphMode(BigValueGraphMode.Area)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .thresholds(thresholds(limits))
  if (max !== undefined) panel.max(max)
  if (decimals !== undefined) panel.decimals(decimals)
  return panel
}

/** Counts of a histogram's buckets over time. `expr` gives rates by `le`. */
export function heat(
  title: string,
  unit: string,
  description: string,
  query: Queries,
  { span = 12, traces }: Shape = {},
): Builder<Panel> {
  return new Heatmap()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(datasource)
    .targets(targets(query, traces).map((each) => each.format(PromQueryFormat.Heatmap)))
    .span(span)
    .height(heights.graph)
    .calculate(false)
    .rowsFrame(new RowsHeatmapOptionsBuilder().layout(HeatmapCellLayout.Auto))
    .yAxis(new YAxisConfigBuilder().unit(unit))
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Oranges').steps(64))
    .exemplarsColor('rgba(0,120,255,0.8)')
    .showLegend()
}

/** The newest value of each series as a bar. */
export function bars(
  title: string,
  unit: string,
  description: string,
  queries: Queries,
  { span = 12, max }: Shape = {},
): Builder<Panel> {
  const panel = new BarGauge()
    .title(title)
    .description(description)
    .unit(unit)
    .datasource(datasource)
    .targets(targets(queries).map((each) => each.instant()))
    .span(span)
    .height(heights.graph)
    .orientation(VizOrientation.Horizontal)
    .displayMode(BarGaugeDisplayMode.Basic)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .thresholds(thresholds())
  if (max !== undefined) panel.max(max)
  return panel
}

function targets(queries: Queries, traces?: string): (DataqueryBuilder & Builder<Dataquery>)[] {
  return Object.entries(queries).map(([legend, expr], index) =>
    new DataqueryBuilder()
      .datasource(datasource)
      .refId(String.fromCodePoint('A'.codePointAt(0)! + index))
      .expr(expr)
      .legendFormat(legend)
      .exemplar(legend === traces),
  )
}

function thresholds(limits?: readonly [number, number]): ThresholdsConfigBuilder {
  const [warning, bad] = limits ?? []
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([
      { value: null, color: 'green' },
      ...(warning === undefined ? [] : [{ value: warning, color: 'yellow' }]),
      ...(bad === undefined ? [] : [{ value: bad, color: 'red' }]),
    ])
}
