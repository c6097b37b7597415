import { FlowersClient, type ClassifyAnswer, type ExplainAnswer } from '@flowers/client/client'
import { answerView, troubleView, waitingView } from './answer.ts'
import { byId } from './dom.ts'
import { LookedLayer } from './looked.ts'
import { listenForPictures } from './sources.ts'
import { tooLarge, troubleOf, type Trouble } from './trouble.ts'
import { announcement } from './words.ts'

const main = byId('main', HTMLElement)
const answerSection = byId('answer', HTMLElement)
const image = byId('shown', HTMLImageElement)
const status = byId('status', HTMLElement)
const limitMb = Number(document.documentElement.dataset['limitMb'])
const looked = new LookedLayer()

let client = new FlowersClient({ baseUrl: location.origin })
/** Ends what is asked for the picture before. */
let asking = new AbortController()

listenForPictures((picture) => void ask(picture))

async function ask(picture: Blob): Promise<void> {
  asking.abort()
  asking = new AbortController()
  const { signal } = asking
  looked.clear()
  const loaded = show(picture)
  byId('picture', HTMLElement).scrollIntoView({ block: 'nearest' })
  const refused = tooLarge(picture.size, limitMb)
  if (refused) return fail(refused, picture)
  enter('asking', waitingView(stop), 'I am looking at the picture.')
  try {
    const answer = await client.classify(picture, { details: true, signal })
    const explain = (index: number): void => void explainClass(picture, answer, index, signal, loaded)
    enter('answered', answerView(answer, image.src, { explain }), announcement(answer))
    explain(answer.predictions[0]!.index)
  } catch (error) {
    // Stopped, or another picture came.
    if (!signal.aborted) fail(troubleOf(error), picture)
  }
}

function stop(): void {
  asking.abort()
  enter('idle', [], 'Stopped.')
  byId('choose', HTMLButtonElement).focus()
}

function fail(trouble: Trouble, picture: Blob): void {
  const again = (): void => void ask(picture)
  const useToken = (token: string): void => {
    client = new FlowersClient({ baseUrl: location.origin, token })
    again()
  }
  enter('failed', troubleView(trouble, { again, useToken }), `${trouble.title}. ${trouble.text}`)
}

type State = 'idle' | 'asking' | 'answered' | 'failed'

/** `spoken` is what a screen reader says. */
function enter(state: State, content: readonly Node[], spoken: string): void {
  main.dataset['state'] = state
  answerSection.ariaBusy = String(state === 'asking')
  const hadFocus = answerSection.contains(document.activeElement)
  answerSection.replaceChildren(...content)
  // It would fall to the top of the page with the button that is gone.
  if (hadFocus) focusAnswer(state)
  status.textContent = spoken
}

/** The way to stop what is asked, else the first words of what came. */
function focusAnswer(state: State): void {
  const target = answerSection.querySelector<HTMLElement>(state === 'asking' ? 'button' : 'h2')
  if (state !== 'asking') target?.setAttribute('tabindex', '-1')
  target?.focus()
}

/** Shows the picture; resolves when its size is known, also when the browser cannot show it. */
function show(picture: Blob): Promise<void> {
  URL.revokeObjectURL(image.src)
  byId('drop', HTMLElement).hidden = true
  byId('picture', HTMLElement).hidden = false
  const url = URL.createObjectURL(picture)
  image.src = url
  const settle = (shown: boolean) => (): void => {
    // Another picture may have come.
    if (image.src !== url) return
    image.hidden = !shown
    byId('unshown', HTMLElement).hidden = shown
  }
  return image.decode().then(settle(true), settle(false))
}

/** Maps that came already, by answer and class. */
const explanations = new WeakMap<ClassifyAnswer, Map<number, Promise<ExplainAnswer>>>()

/** The name is the answer; a model that cannot show where it looked only lacks this picture. */
async function explainClass(
  picture: Blob,
  answer: ClassifyAnswer,
  index: number,
  signal: AbortSignal,
  loaded: Promise<void>,
): Promise<void> {
  const known = explanations.get(answer) ?? new Map<number, Promise<ExplainAnswer>>()
  explanations.set(answer, known)
  const label = answer.predictions.find((prediction) => prediction.index === index)!.label
  const asked = known.get(index) ?? client.explain(picture, { labels: [label], signal })
  known.set(index, asked)
  const isWanted = (): boolean => {
    const pressed = answerSection.querySelector<HTMLElement>('[aria-pressed="true"]')
    return !signal.aborted && pressed?.dataset['index'] === String(index)
  }
  try {
    const [explanation] = await Promise.all([asked, loaded])
    if (isWanted()) looked.show(explanation, explanation.maps[0]!)
  } catch {
    known.delete(index)
    if (isWanted()) looked.clear()
  }
}
