// Claims about the address, the stated reason and what a failed request becomes.
import { describe, expect, it } from 'vitest'
import { problemOf } from '../src/api/problem'
import { cameBack } from '../src/api/provider'
import type { Camera } from '../src/api/types'
import { camerasFor, reasonFault } from '../src/look/statement'
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
    expect(reasonFault('é'.repeat(10))).toBeNull()
    expect(reasonFault('x'.repeat(500))).toBeNull()
    expect(reasonFault('x'.repeat(501))).toBe('long')
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
