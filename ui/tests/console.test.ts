// Claims about the address, the stated reason and what a failed request becomes.
import { describe, expect, it } from 'vitest'
import { problemOf } from '../src/api/problem'
import { cameBack } from '../src/api/provider'
import type { Camera } from '../src/api/types'
import { camerasFor, purposesOf, reasonFault, withPapers } from '../src/look/statement'
import { dayHash, parseRoute } from '../src/route'

describe('the address', () => {
  it('names each screen, and anything else is home', () => {
    expect(parseRoute('#/live')).toEqual({ screen: 'wall' })
    expect(parseRoute('#/health')).toEqual({ screen: 'health' })
    expect(parseRoute('')).toEqual({ screen: 'home' })
    expect(parseRoute('#/nowhere')).toEqual({ screen: 'home' })
  })
  it('carries the setup token as it was given', () => {
    expect(parseRoute('#setup=a%2Fb-_=')).toEqual({ screen: 'setup', token: 'a/b-_=' })
  })
  it('goes to a camera’s day and back, whatever the camera’s id', () => {
    expect(parseRoute(dayHash('a/b é', '2026-03-12'))).toEqual({ screen: 'day', camera: 'a/b é', date: '2026-03-12' })
    expect(parseRoute(dayHash('c1'))).toEqual({ screen: 'day', camera: 'c1', date: null })
  })
  it('takes no date that is none', () => {
    expect(parseRoute('#/day/c1/2026-13-45')).toEqual({ screen: 'day', camera: 'c1', date: null })
  })
})

describe('what a provider brought back', () => {
  it('is state and code, on its own page only', () => {
    expect(cameBack('/oidc', '?code=c&state=s&iss=x')).toEqual({ state: 's', code: 'c' })
    expect(cameBack('/', '?code=c&state=s')).toBeNull()
    expect(cameBack('/oidc', '?code=c')).toBeNull()
  })
  it('has no code where the provider says why not', () => {
    expect(cameBack('/oidc', '?error=access_denied&state=s&code=c')).toEqual({ state: 's', code: '' })
  })
})

describe('the stated reason', () => {
  it('has 10 to 500 characters, as a person counts, spaces at the ends not counted', () => {
    expect(reasonFault('  accident  ')).toBe('short')
    expect(reasonFault('éàùç'.repeat(3))).toBeNull()
    expect(reasonFault('abcde'.repeat(100))).toBeNull()
    expect(reasonFault('abcde'.repeat(100) + '!')).toBe('long')
  })
  it('says something: a row of dots or one key held down is no reason, the number of an event is one', () => {
    for (const nothing of ['..........', '- - - - - - -', 'aaaaaaaaaaaa', 'ha ha ha ha ha']) expect(reasonFault(nothing), nothing).toBe('nothing')
    for (const empty of ['', '   ']) expect(reasonFault(empty)).toBe('empty')
    for (const short of ['x', 'motif', '12', 'MC 2041', 'A-12']) expect(reasonFault(short), short).toBe('short')
    for (const code of ['MC-2041', '2026/118', '18.4417', ' 0042 ']) expect(reasonFault(code), code).toBeNull()
  })
  it('is asked for the cameras that have their papers; where none has, the gate says which are missing', () => {
    const of = (id: string, ...blocks: boolean[]) => ({ id, missing: blocks.map((each) => ({ blocks: each })) }) as unknown as Camera
    const ids = (cameras: Camera[]) => withPapers(cameras).map((camera) => camera.id)
    expect(ids([of('a'), of('b', true), of('c', false)])).toEqual(['a', 'c'])
    expect(ids([of('b', true), of('d', false, true)])).toEqual(['b', 'd'])
  })
  it('is stated for one of the cameras\' own purposes; where none has any, the gate says what is missing', () => {
    const of = (...purposes: number[][]) => purposesOf(purposes.map((each) => ({ purposes: each })) as unknown as Camera[])
    expect(of([5, 1], [11, 5])).toEqual([1, 5, 11])
    expect(of([8])).toEqual([8])
    expect(of([], []).length).toBe(11)
  })
  it('asks for the cameras whose authorisation names the purpose, and leaves an unnamed one to the gate', () => {
    const cameras = [{ id: 'a', purposes: [5] }, { id: 'b', purposes: [11] }, { id: 'c', purposes: [] }] as unknown as Camera[]
    expect(camerasFor(cameras, 5).map((camera) => camera.id)).toEqual(['a', 'c'])
  })
})

describe('a failed request', () => {
  it('keeps the problem of the server, with the status that was sent', async () => {
    const body = { type: 'x', title: 'refused', status: 200, title_fr: 'Refusé', reasons: [] }
    const response = new Response(JSON.stringify(body), { status: 403, headers: { 'content-type': 'application/problem+json' } })
    expect(await problemOf(response)).toMatchObject({ title_fr: 'Refusé', status: 403 })
  })
  it('without a problem in it still has words in both languages', async () => {
    for (const status of [401, 429, 500]) {
      const problem = await problemOf(new Response('<html>', { status }))
      expect(problem.title_fr).toBeTruthy()
      expect(problem.title_en).toBeTruthy()
    }
  })
})
