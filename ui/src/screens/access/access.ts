// A request for access as a person fills it in, and how much time is left to answer it. Pure.
import type { AccessRequest, AccessSays } from '../../api/access'
import { HOUR_MS } from '../../timeline/arithmetic'
import { parisClock, parisInstant } from '../../timeline/paris'
import { type WindowDraft, emptyWindow, isBegun, windowDraftOf, windowOf } from '../requisitions/draft'

/** Below that, an answer that is still missing is a warning. */
export const SOON_MS = 72 * HOUR_MS

export interface AccessDraft {
  receivedDate: string
  receivedTime: string
  means: string
  wish: string
  person: string
  contact: string
  words: string
  windows: WindowDraft[]
}

export function emptyAccess(nowMs: number): AccessDraft {
  const { date, time } = parisClock(nowMs)
  return { receivedDate: date, receivedTime: time, means: 'counter', wish: 'view', person: '', contact: '', words: '', windows: [emptyWindow(nowMs)] }
}

export function accessDraftOf(known: AccessRequest, nowMs: number): AccessDraft {
  const { date, time } = parisClock(Date.parse(known.received))
  const { means, wish, person, contact, words } = known
  const windows = known.windows.length === 0 ? [emptyWindow(nowMs)] : known.windows.map(windowDraftOf)
  return { receivedDate: date, receivedTime: time, means, wish, person, contact, words, windows }
}

export type AccessFault = 'received' | 'person' | 'contact' | 'words' | 'windows'

/** The windows may follow: a person does not know the town's cameras. Those that are begun are of the past. */
export function accessFaults(draft: AccessDraft, nowMs: number): AccessFault[] {
  const faults: AccessFault[] = []
  const received = parisInstant(draft.receivedDate, draft.receivedTime)
  if (received === null || nowMs < received) faults.push('received')
  if (draft.person.trim() === '') faults.push('person')
  if (draft.contact.trim() === '') faults.push('contact')
  if (draft.words.trim() === '') faults.push('words')
  const begun = draft.windows.filter(isBegun).map(windowOf)
  if (!begun.every((window) => window !== null && Date.parse(window.to) <= nowMs)) faults.push('windows')
  return faults
}

/** Only of a draft without faults. */
export function accessSays(draft: AccessDraft): AccessSays {
  return {
    received: new Date(parisInstant(draft.receivedDate, draft.receivedTime) ?? 0).toISOString(),
    means: draft.means,
    wish: draft.wish,
    person: draft.person.trim(),
    contact: draft.contact.trim(),
    words: draft.words.trim(),
    windows: draft.windows.map(windowOf).filter((window) => window !== null),
  }
}

/** How long there is to answer; negative: too long ago. `null`: it is answered. */
export function leftMs(request: AccessRequest, nowMs: number): number | null {
  return request.due === null ? null : Date.parse(request.due) - nowMs
}

/** What waits, the one that is due first before the others; then what is answered, as it comes. */
export function inOrder(requests: AccessRequest[]): AccessRequest[] {
  const due = (request: AccessRequest) => (request.due === null ? Infinity : Date.parse(request.due))
  return requests.map((request, nth) => ({ request, nth })).sort((a, b) => due(a.request) - due(b.request) || a.nth - b.nth).map(({ request }) => request)
}
