import { ProblemError } from '@flowers/client/client'
import type { Problem } from '@flowers/client/client'
import { expect, it } from 'vitest'
import { tooLarge, troubleOf } from './trouble.ts'

const problem = (status: number, code: Problem['code']): Problem => ({
  type: `/docs/errors/${code}`,
  title: 'A title',
  status,
  detail: 'What happened. What to do.',
  code,
})

it('passes on what the service says, and offers another try where that may help', () => {
  expect(troubleOf(new ProblemError(problem(415, 'SERVICE_MEDIA_TYPE'), null))).toEqual({
    title: 'A title',
    text: 'What happened. What to do.',
    again: false,
    token: false,
  })
  expect(troubleOf(new ProblemError(problem(503, 'SERVICE_OVERLOADED'), 3))).toMatchObject({
    title: 'I am busy',
    text: 'What happened. What to do. It should be free in about 3 seconds.',
    again: true,
  })
  expect(troubleOf(new ProblemError(problem(401, 'SERVICE_UNAUTHORIZED'), null))).toMatchObject({ token: true })
})

it('takes everything else for a service that is not there', () => {
  expect(troubleOf(new TypeError('Failed to fetch'))).toMatchObject({ title: 'I cannot be reached', again: true })
})

it('refuses a picture that is larger than the limit, and no other', () => {
  expect(tooLarge(1_000_000, 1)).toBeNull()
  expect(tooLarge(1_000_001, 1)).toMatchObject({ title: 'Picture too large', again: false })
})
