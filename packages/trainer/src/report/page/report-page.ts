import { html } from '@flowers/shared/html'
import type { Findings, RunFacts } from '../facts.ts'
import { calibrationSection } from './calibration.ts'
import { classSection } from './classes.ts'
import { confusionSection } from './confusion.ts'
import { dataSection } from './data.ts'
import { headline } from './headline.ts'
import { labelsSection, mistakesSection } from './mistakes.ts'
import { pageOf } from './page.ts'
import { section } from './parts.ts'
import type { Pictures } from './photos.ts'
import { environmentSection, recipeSection } from './settings.ts'
import { trainingSection } from './training.ts'

/** A run as one HTML document that needs nothing besides itself. */
export function reportPage(facts: RunFacts, findings: Findings, pictures: Pictures): string {
  const sections = [
    mistakesSection(facts, findings, pictures),
    labelsSection(facts, findings, pictures),
    confusionSection(facts, findings, pictures),
    classSection(facts, findings),
    trainingSection(facts),
    calibrationSection(findings),
    dataSection(facts),
    recipeSection(facts),
    environmentSection(facts),
  ]
  return pageOf(
    `Training on ${facts.source}`,
    html`${headline(facts, findings)}
      <nav aria-label="Contents">
        <ul>
          ${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}
        </ul>
      </nav>
      <main>${sections.map(section)}</main>
      <footer>Made by <code>trainer report</code>${pictures === null ? ', without photos' : ''}.</footer>`,
  )
}
