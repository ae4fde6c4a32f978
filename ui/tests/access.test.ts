// Claims about requests for access: what a form may send, what is due first, and that the windows may follow.
import { describe, expect, it } from 'vitest'
import type { AccessRequest } from '../src/api/access'
import { SOON_MS, accessDraftOf, accessFaults, accessSays, emptyAccess, inOrder, leftMs } from '../src/screens/access/access'
import { mayAnswerAccess } from '../src/look/roles'

const NOW = Date.parse('2026-07-14T10:00:00Z')
const HOUR = 3_600_000
const iso = (ms: number) => new Date(ms).toISOString()
const WINDOW = { camera: 'ca', from: '2026-07-13T12:00:00.000Z', to: '2026-07-13T12:10:00.000Z' }

function request(more: Partial<AccessRequest>): AccessRequest {
  return {
    id: 'a', number: 'DA-2026-0001', version: 1, received: iso(NOW - HOUR), means: 'post', wish: 'view', person: 'qui', contact: 'où', words: 'là', windows: [WINDOW],
    due: iso(NOW + HOUR), dies: iso(NOW + HOUR), frozen: 'held', identity: null, viewings: [], answer: null, lacks: [], letter_fr: null, letter_en: null, ...more,
  }
}

describe('a request for access', () => {
  it('needs who asks, where the answer goes and their words; its windows may follow', () => {
    expect(accessFaults(emptyAccess(NOW), NOW)).toEqual(['person', 'contact', 'words'])
    const draft = { ...emptyAccess(NOW), person: ' qui ', contact: 'où', words: 'là' }
    expect(accessFaults(draft, NOW)).toEqual([])
    expect(accessSays(draft)).toMatchObject({ received: iso(NOW), means: 'counter', wish: 'view', person: 'qui', windows: [] })
  })
  it('asks for nothing that is not recorded yet, and did not come later than now', () => {
    const draft = { ...emptyAccess(NOW), person: 'qui', contact: 'où', words: 'là' }
    const window = (from: string, to: string) => ({ camera: 'ca', date: '2026-07-14', from, to })
    expect(accessFaults({ ...draft, windows: [window('11:00:00', '11:30:00')] }, NOW)).toEqual([])
    expect(accessFaults({ ...draft, windows: [window('11:30:00', '12:30:00')] }, NOW)).toEqual(['windows'])
    expect(accessFaults({ ...draft, windows: [window('11:00:00', '')] }, NOW)).toEqual(['windows'])
    expect(accessFaults({ ...draft, receivedTime: '12:00:01' }, NOW)).toEqual(['received'])
  })
  it('is completed from what was entered', () => {
    const known = request({})
    expect(accessSays(accessDraftOf(known, NOW))).toMatchObject({ received: known.received, means: 'post', windows: [WINDOW] })
    expect(accessDraftOf(request({ windows: [] }), NOW).windows).toHaveLength(1)
  })
  it('stands where it is due: the first before the others, the answered ones last', () => {
    const [late, soon, done] = [request({ id: 'l', due: iso(NOW + 2 * HOUR) }), request({ id: 's' }), request({ id: 'd', due: null })]
    expect(inOrder([done, late, soon]).map((each) => each.id)).toEqual(['s', 'l', 'd'])
    expect([leftMs(soon, NOW), leftMs(done, NOW)]).toEqual([HOUR, null])
    expect(SOON_MS).toBe(72 * HOUR)
  })
  it('is received by the officer and by who hands over, and by nobody else', () => {
    const roles = ['elected', 'municipal-police', 'operator', 'dpo', 'inspector', 'administrator'] as const
    expect(roles.filter((role) => mayAnswerAccess(role))).toEqual(['elected', 'municipal-police', 'dpo'])
  })
})
