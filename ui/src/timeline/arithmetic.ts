// The arithmetic of a day's timeline: instants to pixels, zoom, ticks, and what lies at an instant. Pure; times in ms.
import type { Day, DayHour, Gap } from '../api/types'

export interface Window {
  fromMs: number
  toMs: number
}

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
/** Nothing shorter than a minute is shown on the whole width. */
export const WINDOW_MS_MIN = MINUTE_MS
const TICK_STEPS_MS = [
  5_000, 10_000, 30_000, MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS,
  HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS,
]

export function xOf(timeMs: number, window: Window, width: number): number {
  return ((timeMs - window.fromMs) / (window.toMs - window.fromMs)) * width
}

export function timeOf(x: number, window: Window, width: number): number {
  return window.fromMs + (x / Math.max(1, width)) * (window.toMs - window.fromMs)
}

/** The part of a span inside the window, as pixels; `null` when it lies outside. Never thinner than 1 px. */
export function bar(fromMs: number, toMs: number, window: Window, width: number): { x: number; width: number } | null {
  const start = Math.max(fromMs, window.fromMs)
  const end = Math.min(toMs, window.toMs)
  if (end <= start) return null
  const x = xOf(start, window, width)
  return { x, width: Math.max(1, xOf(end, window, width) - x) }
}

/** The window moved and cut so that it lies inside the day. */
export function clampWindow(window: Window, day: Window): Window {
  const length = Math.min(Math.max(window.toMs - window.fromMs, WINDOW_MS_MIN), day.toMs - day.fromMs)
  const fromMs = Math.min(Math.max(window.fromMs, day.fromMs), day.toMs - length)
  return { fromMs, toMs: fromMs + length }
}

/** `factor` below 1 looks closer; the instant `aroundMs` keeps its place on the screen. */
export function zoom(window: Window, factor: number, aroundMs: number, day: Window): Window {
  const length = window.toMs - window.fromMs
  const share = Math.min(1, Math.max(0, (aroundMs - window.fromMs) / length))
  const next = Math.min(Math.max(length * factor, WINDOW_MS_MIN), day.toMs - day.fromMs)
  const fromMs = aroundMs - share * next
  return clampWindow({ fromMs, toMs: fromMs + next }, day)
}

/** Moves the window only as far as needed to show the instant. */
export function reveal(window: Window, timeMs: number, day: Window): Window {
  const length = window.toMs - window.fromMs
  if (timeMs < window.fromMs) return clampWindow({ fromMs: timeMs - length / 10, toMs: timeMs + length * 0.9 }, day)
  if (timeMs > window.toMs) return clampWindow({ fromMs: timeMs - length * 0.9, toMs: timeMs + length / 10 }, day)
  return window
}

/** Instants to label, at least `labelPx` apart, counted from the day's midnight. */
export function ticks(window: Window, width: number, dayFromMs: number, labelPx: number): number[] {
  const length = window.toMs - window.fromMs
  const wanted = (length * labelPx) / Math.max(1, width)
  const step = TICK_STEPS_MS.find((candidate) => candidate >= wanted) ?? 12 * HOUR_MS
  const first = dayFromMs + Math.ceil((window.fromMs - dayFromMs) / step) * step
  const result: number[] = []
  for (let at = first; at <= window.toMs; at += step) result.push(at)
  return result
}

/** What an arrow key moves by: about a hundredth of what is seen, in whole seconds a person can name. */
export function keyStep(window: Window): number {
  const wanted = (window.toMs - window.fromMs) / 100
  return [1_000, 5_000, 10_000, 30_000, MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS].find((step) => step >= wanted) ?? 15 * MINUTE_MS
}

export type Moment =
  | { kind: 'footage' }
  | { kind: 'gap'; gap: Gap }
  | { kind: 'closed'; hour: DayHour }
  | { kind: 'destroyed'; hour: DayHour }
  | { kind: 'future' }
  | { kind: 'nothing' }

/** What lies at an instant; what is closed or destroyed goes before what was once recorded. */
export function momentAt(day: Day, timeMs: number): Moment {
  const hour = hourAt(day, timeMs)
  if (hour?.state === 'destroyed') return { kind: 'destroyed', hour }
  if (hour?.state === 'closed') return { kind: 'closed', hour }
  if (timeMs >= Date.parse(day.now)) return { kind: 'future' }
  if (day.footage.some((span) => within(timeMs, span.from, span.to))) return { kind: 'footage' }
  const gap = day.gaps.find((each) => within(timeMs, each.from, each.to ?? day.now))
  return gap === undefined ? { kind: 'nothing' } : { kind: 'gap', gap }
}

/** What is said of a gap: the situation, and the remedy only while it lasts. */
export function gapFields(gap: Gap): ('cause' | 'remedy')[] {
  return gap.to === null ? ['cause', 'remedy'] : ['cause']
}

/** Hours that have begun: keys are made two hours ahead, and an hour to come holds nothing. */
export function begun(hours: DayHour[], nowMs: number): DayHour[] {
  return hours.filter((hour) => Date.parse(hour.from) <= nowMs)
}

export interface GapPart extends Window {
  gap: Gap
}

/** The gaps of an hour cut to it, in their order; one that lasts ends now. */
export function gapsWithin(gaps: Gap[], hour: DayHour, nowMs: number): GapPart[] {
  const [start, end] = [Date.parse(hour.from), Date.parse(hour.to)]
  return gaps
    .map((gap) => ({
      gap,
      fromMs: Math.max(start, Date.parse(gap.from)),
      toMs: Math.min(end, gap.to === null ? nowMs : Date.parse(gap.to)),
    }))
    .filter((part) => part.fromMs < part.toMs)
    .sort((a, b) => a.fromMs - b.fromMs)
}

/** Of an hour's gaps those that are always seen: the first few, and one that lasts; and the rest, to unfold. */
export function foldGaps(parts: GapPart[], few: number): { seen: GapPart[]; folded: GapPart[] } {
  const isSeen = (part: GapPart, index: number) => index < few || part.gap.to === null
  return { seen: parts.filter(isSeen), folded: parts.filter((part, index) => !isSeen(part, index)) }
}

/** The end of the span asked for: `lengthMin` on, but no instant that has not come; a second at least. */
export function askedUntil(fromMs: number, lengthMin: number, nowMs: number): number {
  return Math.max(fromMs + 1000, Math.min(fromMs + lengthMin * MINUTE_MS, nowMs))
}

export function hourAt(day: Day, timeMs: number): DayHour | undefined {
  return day.hours.find((hour) => within(timeMs, hour.from, hour.to))
}

/** Neighbouring hours that may still be opened and for which the words are the same, as one. */
export function hourGroups(hours: DayHour[], words: (hour: DayHour) => string): (Window & { words: string })[] {
  const groups: (Window & { words: string })[] = []
  for (const hour of hours) {
    if (hour.state !== 'live' || hour.deadline === null) continue
    const [fromMs, toMs, said, last] = [Date.parse(hour.from), Date.parse(hour.to), words(hour), groups.at(-1)]
    if (last !== undefined && last.toMs === fromMs && last.words === said) last.toMs = toMs
    else groups.push({ fromMs, toMs, words: said })
  }
  return groups
}

/** The first recorded instant at or after this one that may still be opened. */
export function nextFootage(day: Day, timeMs: number): number | null {
  for (const span of [...day.footage].sort((a, b) => Date.parse(a.from) - Date.parse(b.from))) {
    const end = Date.parse(span.to)
    for (let at = Math.max(Date.parse(span.from), timeMs); at < end; ) {
      const hour = hourAt(day, at)
      if (hour === undefined || hour.state === 'live') return at
      at = Math.max(Date.parse(hour.to), at + 1)
    }
  }
  return null
}

/** Recorded milliseconds within a span. */
export function recordedMs(day: Day, from: string, to: string): number {
  const start = Date.parse(from)
  const end = Date.parse(to)
  return day.footage.reduce(
    (sum, span) => sum + Math.max(0, Math.min(end, Date.parse(span.to)) - Math.max(start, Date.parse(span.from))),
    0,
  )
}

export type Remaining = { unit: 'days' | 'hours' | 'minutes'; count: number } | { unit: 'due'; count: 0 }

/** Whole units left until the deadline, rounded down: never promises longer than is true. */
export function remaining(deadlineMs: number, nowMs: number): Remaining {
  const left = deadlineMs - nowMs
  if (left >= 48 * HOUR_MS) return { unit: 'days', count: Math.floor(left / (24 * HOUR_MS)) }
  if (left >= 2 * HOUR_MS) return { unit: 'hours', count: Math.floor(left / HOUR_MS) }
  if (left >= MINUTE_MS) return { unit: 'minutes', count: Math.floor(left / MINUTE_MS) }
  return { unit: 'due', count: 0 }
}

function within(timeMs: number, from: string, to: string): boolean {
  return timeMs >= Date.parse(from) && timeMs < Date.parse(to)
}
