import { ProblemError, type Problem } from '@flowers/client/client'
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

it('says that something before the service answered, and offers another try where that may help', () => {
  const stranger = (status: number): ProblemError =>
    new ProblemError(
      { type: 'about:blank', title: 'A title', status, detail: `HTTP ${status}, not of the service.`, code: null },
      null,
    )
  for (const status of [502, 503, 504]) {
    expect(troubleOf(stranger(status))).toEqual({
      title: 'I cannot be reached',
      text: `What stands before the service answered in its place (HTTP ${status}). Try again in a moment.`,
      again: true,
      token: false,
    })
  }
  expect(troubleOf(stranger(413))).toMatchObject({
    title: 'Picture too large',
    text: expect.stringContaining('HTTP 413'),
    again: false,
  })
  expect(troubleOf(stranger(403))).toMatchObject({ title: 'I cannot be reached', again: false })
  // The form is for the token of the service.
  expect(troubleOf(stranger(401))).toMatchObject({ token: false })
})

it('takes everything else for a service that is not there', () => {
  expect(troubleOf(new TypeError('Failed to fetch'))).toMatchObject({ title: 'I cannot be reached', again: true })
})

it('refuses a picture that is larger than the limit, and no other', () => {
  expect(tooLarge(1_000_000, 1)).toBeNull()
  expect(tooLarge(1_000_001, 1)).toMatchObject({ title: 'Picture too large', again: false })
})
