import type { ClassifyAnswer } from '@flowers/client/client'
import { make } from './dom.ts'
import type { Trouble } from './trouble.ts'
import {
  flowerName,
  heading,
  isGroup,
  knownSentence,
  meaning,
  percent,
  setSentence,
  timingSentence,
  unmeasured,
  viewName,
  viewsSentence,
} from './words.ts'

export interface AnswerActions {
  /** Shows what spoke for the class with this index in the output of the model. */
  readonly explain: (index: number) => void
}

/** The answer to a picture. `picture`: URL of it, for the small copies of the views. */
export function answerView(answer: ClassifyAnswer, picture: string, { explain }: AnswerActions): Node[] {
  return [
    make('h2', {}, heading(answer)),
    ...sayings[answer.level === 'none' ? 'none' : 'named'](answer),
    bars(answer, explain),
    ...views(answer, picture),
    make(
      'div',
      { class: 'facts quiet' },
      make('p', {}, viewsSentence(answer.views)),
      make('p', {}, timingSentence(answer.timings)),
      make('p', {}, `Model: ${answer.model.name}, version ${answer.model.version}.`),
    ),
  ]
}

/** What stands below the heading: of an answer that names something, and of one that does not. */
const sayings = {
  none: (answer: ClassifyAnswer): Node[] => [
    make('p', { class: 'sure' }, 'It is like none of the flowers that I know.'),
    ...paragraphs('known', knownSentence(answer)),
    make('p', { class: 'sure' }, 'The nearest:'),
  ],
  named: (answer: ClassifyAnswer): Node[] => [
    answer.calibrated ? sureness(answer) : make('p', { class: 'sure' }, unmeasured),
    ...paragraphs('set', setSentence(answer)),
    ...paragraphs('known', knownSentence(answer)),
  ],
} as const

/** Of the likeliest label, which is named where the heading names a group. */
function sureness(answer: ClassifyAnswer): Node {
  const { label, score } = answer.predictions[0]!
  const whose = isGroup(answer) ? `${flowerName(label)}: ` : ''
  return make('p', { class: 'sure' }, whose, make('strong', {}, percent(score)), ' sure. ', meaning(score))
}

/** One paragraph, or none where there is nothing to say. */
function paragraphs(kind: string, text: string): Node[] {
  return text === '' ? [] : [make('p', { class: kind }, text)]
}

function bars({ predictions, abstain }: ClassifyAnswer, explain: (index: number) => void): Node {
  const buttons = predictions.map(({ label, index, score }, place) => {
    const fill = make('span', { class: 'fill', 'aria-hidden': 'true' })
    fill.style.setProperty('--share', String(score))
    return make(
      'button',
      { type: 'button', 'aria-pressed': String(place === 0), 'data-index': String(index) },
      make('span', { class: 'name' }, flowerName(label)),
      make('span', { class: 'share' }, percent(score)),
      make('span', { class: 'bar', 'aria-hidden': 'true' }, fill),
    )
  })
  for (const button of buttons) {
    button.addEventListener('click', () => {
      for (const each of buttons) each.setAttribute('aria-pressed', String(each === button))
      explain(Number(button.dataset['index']))
    })
  }
  return make(
    'ol',
    { class: abstain ? 'bars unsure' : 'bars', 'aria-label': 'The likeliest; choose one to see what spoke for it' },
    ...buttons.map((button) => make('li', {}, button)),
  )
}

function views({ details, views: counts }: ClassifyAnswer, picture: string): Node[] {
  if (!details || counts.of === 1) return []
  const seen = details.views.map((view) => {
    const copy = make('img', { src: picture, alt: '' })
    const closer = view.scale > 1 ? ` closer` : ''
    return make(
      'li',
      {},
      make('span', { class: `copy ${view.flip}${closer}`, 'aria-hidden': 'true' }, copy),
      make(
        'span',
        {},
        make('span', { class: 'quiet' }, viewName(view), make('span', { class: 'unseen' }, ':')),
        ' ',
        make('span', { class: 'said' }, flowerName(view.label)),
        ' ',
        make('span', { class: 'share' }, percent(view.score)),
      ),
    )
  })
  return [make('h3', {}, 'What each look said'), make('ol', { class: 'views' }, ...seen)]
}

/** Stands where the answer will be. */
export function waitingView(stop: () => void): Node[] {
  const button = make('button', { type: 'button' }, 'Stop')
  button.addEventListener('click', stop)
  const line = (kind: string): Node => make('span', { class: `bone ${kind}` })
  return [
    make('h2', {}, 'I am looking'),
    make(
      'div',
      { class: 'bones', 'aria-hidden': 'true' },
      line('long'),
      line('bars-1'),
      line('bars-2'),
      line('bars-3'),
      line('bars-4'),
    ),
    make('p', { class: 'buttons' }, button),
  ]
}

export interface TroubleActions {
  readonly again: () => void
  readonly useToken: (token: string) => void
}

/** What went wrong, and what can be done from here. */
export function troubleView(trouble: Trouble, { again, useToken }: TroubleActions): Node[] {
  const parts: Node[] = [make('h2', {}, trouble.title), make('p', {}, trouble.text)]
  if (trouble.again) {
    const button = make('button', { type: 'button' }, 'Try again')
    button.addEventListener('click', again)
    parts.push(make('p', { class: 'buttons' }, button))
  }
  if (trouble.token) parts.push(tokenForm(useToken))
  return parts
}

function tokenForm(useToken: (token: string) => void): Node {
  const input = make('input', { type: 'password', id: 'token', autocomplete: 'current-password', required: true })
  const form = make(
    'form',
    { class: 'token' },
    make('label', { for: 'token' }, 'Token of this service'),
    input,
    make('button', { type: 'submit' }, 'Use it'),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    useToken(input.value)
  })
  return form
}
