// Holds as the screen counts them: their numbers, what ends first, what fits the reserve, and the form's texts. Pure.
import type { ExportWindow, Requisition } from '../../api/exports'
import type { Hold, HoldRequest, HoldWeight, Reserve } from '../../api/holds'
import { reasonFault } from '../../look/statement'
import { HOUR_MS } from '../../timeline/arithmetic'
import { type WindowDraft, emptyWindow, isBegun, windowDraftOf, windowOf } from './draft'

/** Below that, a hold without its requisition is a warning: a paper takes a working day, and a weekend has two of rest. */
export const URGENT_MS = 48 * HOUR_MS
export const REQUESTER_CHARACTERS_MAX = 200

export function holdNumber(number: number): string {
  return `G-${String(number).padStart(4, '0')}`
}

/** When the first of its pictures end, and the last; `null` once all have. */
export function endsOf(hold: Hold): { firstMs: number; lastMs: number } | null {
  const all = [...(hold.ends === null ? [] : [hold.ends]), ...hold.hours.map((hour) => hour.dies)].map((at) => Date.parse(at))
  return hold.ended !== null || all.length === 0 ? null : { firstMs: Math.min(...all), lastMs: Math.max(...all) }
}

/** The paper has not come, and little time is left for it. */
export function isUrgent(hold: Hold, nowMs: number): boolean {
  const ends = endsOf(hold)
  return ends !== null && hold.requisition === null && ends.firstMs - nowMs < URGENT_MS
}

/** The server will soon have something else to tell of it: a copy, an end, a confirmation. */
export function isMoving(hold: Hold, nowMs: number): boolean {
  const ends = endsOf(hold)
  return ends === null ? !hold.is_destroyed : hold.kept_bytes === null || ends.firstMs <= nowMs
}

/** What stands, the one that ends first before the others. */
export function standing(holds: Hold[]): Hold[] {
  const first = (hold: Hold) => endsOf(hold)?.firstMs ?? 0
  return holds.filter((hold) => hold.ended === null).sort((a, b) => first(a) - first(b))
}

/** What has ended, the newest end first. */
export function over(holds: Hold[]): Hold[] {
  const at = (hold: Hold) => Date.parse(hold.ended ?? '')
  return holds.filter((hold) => hold.ended !== null).sort((a, b) => at(b) - at(a))
}

/** Rounded up: never shown emptier than it is. A reserve that is away is full. */
export function percentOf(usedBytes: number, maxBytes: number): number {
  return maxBytes <= 0 ? 100 : Math.min(100, Math.ceil((100 * usedBytes) / maxBytes))
}

export function freeBytes(reserve: Reserve): number {
  return Math.max(0, reserve.max_bytes - reserve.used_bytes)
}

export function fits(weight: HoldWeight): boolean {
  return weight.bytes <= freeBytes(weight)
}

/** Whether it asks for all of this; the gate says so with a reason, this only before. */
export function asksForAll(requisition: Requisition, windows: ExportWindow[]): boolean {
  const covers = (asked: ExportWindow, held: ExportWindow) =>
    asked.camera === held.camera && Date.parse(asked.from) <= Date.parse(held.from) && Date.parse(held.to) <= Date.parse(asked.to)
  return windows.every((held) => requisition.windows.some((asked) => covers(asked, held)))
}

/** As a list to choose from names it. */
export function titleOf(requisition: Requisition): string {
  return [requisition.number, requisition.authority.service].filter((text) => text !== '').join(' · ')
}

/** Nothing is held for what the town refused. */
export function notRefused(requisitions: Requisition[]): Requisition[] {
  return requisitions.filter((each) => each.answer?.outcome !== 'refused')
}

/** A hold as a person fills it in. */
export interface HoldDraft {
  requester: string
  reason: string
  windows: WindowDraft[]
  /** Id, or nothing: it follows. */
  requisition: string
}

export function emptyHold(nowMs: number): HoldDraft {
  return { requester: '', reason: '', windows: [emptyWindow(nowMs)], requisition: '' }
}

/** What its requisition says, where nothing was typed yet. */
export function filledFrom(draft: HoldDraft, requisition: Requisition): HoldDraft {
  const { name, service } = requisition.authority
  const asked = requisition.windows.map(windowDraftOf)
  return {
    ...draft,
    requester: draft.requester.trim() === '' ? [name, service].filter((text) => text !== '').join(', ') : draft.requester,
    windows: draft.windows.some(isBegun) || asked.length === 0 ? draft.windows : asked,
  }
}

export type HoldFault = 'requester' | 'reason' | 'windows'

/** What cannot be held as it stands: what is not recorded yet cannot be kept either. */
export function holdFaults(draft: HoldDraft, nowMs: number): HoldFault[] {
  const faults: HoldFault[] = []
  const requester = [...draft.requester.trim()].length
  if (requester === 0 || requester > REQUESTER_CHARACTERS_MAX) faults.push('requester')
  if (reasonFault(draft.reason, false) !== null) faults.push('reason')
  const begun = draft.windows.filter(isBegun).map(windowOf)
  const isPast = (window: ExportWindow | null) => window !== null && Date.parse(window.to) <= nowMs
  if (begun.length === 0 || !begun.every(isPast)) faults.push('windows')
  return faults
}

/** Only of a draft without faults. */
export function requestOf(draft: HoldDraft): HoldRequest {
  return {
    requester: draft.requester.trim(),
    reason: draft.reason.trim(),
    windows: draft.windows.map(windowOf).filter((window) => window !== null),
    requisition: draft.requisition === '' ? null : draft.requisition,
  }
}
