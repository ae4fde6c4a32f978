// Decisions about what lies in the media buffer: when to read on, jump, evict. Pure; seconds throughout.
import { keyBefore } from './boxes'

export interface Range {
  start: number
  end: number
}

/** Live: further behind than this, the player jumps to the newest picture. */
export const LIVE_BEHIND_MAX_S = 3
/** Live: where a jump lands, behind the newest end; one chunk of 0.5 s and some margin, so that it does not stall. */
export const LIVE_MARGIN_S = 0.8
/** Live: what is older than this is dropped from memory. */
export const LIVE_KEEP_S = 20
/** Replay: nothing more is read from the network while this much waits ahead. */
export const REPLAY_AHEAD_MAX_S = 30
/** Replay: kept behind the current picture, so that the 10 s key needs no new request. */
export const REPLAY_KEEP_S = 45
/** Ranges closer than this are one range: encoders round a frame's length. */
const JOIN_S = 0.1

export function rangesOf(buffered: TimeRanges): Range[] {
  return Array.from({ length: buffered.length }, (_, index) => ({
    start: buffered.start(index),
    end: buffered.end(index),
  }))
}

/** Ranges in order, those that touch within `JOIN_S` joined. */
export function joined(ranges: Range[]): Range[] {
  const result: Range[] = []
  for (const range of ranges) {
    const last = result.at(-1)
    if (last !== undefined && range.start - last.end <= JOIN_S) last.end = Math.max(last.end, range.end)
    else result.push({ ...range })
  }
  return result
}

export function contains(ranges: Range[], time: number): boolean {
  return joined(ranges).some((range) => time >= range.start - JOIN_S && time < range.end)
}

/** Seconds that can be played from `time` without another byte. */
export function aheadOf(ranges: Range[], time: number): number {
  const here = joined(ranges).find((range) => time >= range.start - JOIN_S && time <= range.end)
  return here === undefined ? 0 : Math.max(0, here.end - time)
}

/** Everything buffered after `time`, gaps not counted: what back-pressure goes by. */
export function bufferedAfter(ranges: Range[], time: number): number {
  return joined(ranges).reduce((sum, range) => sum + Math.max(0, range.end - Math.max(range.start, time)), 0)
}

export function mayReadOn(ranges: Range[], time: number): boolean {
  return bufferedAfter(ranges, time) <= REPLAY_AHEAD_MAX_S
}

/** Where live play has to jump now, or `null` if it is where it should be. */
export function liveJump(ranges: Range[], time: number): number | null {
  const last = joined(ranges).at(-1)
  if (last === undefined) return null
  const newest = Math.max(last.start, last.end - LIVE_MARGIN_S)
  // Before the newest range: an older one ended, or play has not begun.
  if (time < last.start - JOIN_S) return newest
  return last.end - time > LIVE_BEHIND_MAX_S ? newest : null
}

/** Replay stands at the end of a range (or in a hole) and another range follows: its start. */
export function gapJump(ranges: Range[], time: number): { from: number; to: number } | null {
  const all = joined(ranges)
  const next = all.find((range) => range.start > time + JOIN_S)
  if (next === undefined) return null
  const here = all.find((range) => time >= range.start - JOIN_S && time <= range.end)
  if (here !== undefined && here.end - time > JOIN_S) return null
  return { from: here?.end ?? time, to: next.start }
}

/**
 * The instant before which the buffer may be emptied, or `null` when there is too little to be worth it. Always that of a key
 * picture: what is shown now cannot be decoded without the group it belongs to, and a group may last a minute.
 */
export function evictBefore(ranges: Range[], time: number, keepS: number, keys: number[]): number | null {
  const first = ranges[0]
  const limit = keyBefore(keys, time - keepS)
  // Removing less than 5 s at a time costs more calls than it frees memory.
  return first !== undefined && limit !== null && limit - first.start > 5 ? limit : null
}

/** Wait before the next attempt: 1, 2, 4, 8, then 15 s. */
export function backoffSeconds(attempt: number): number {
  return Math.min(15, 2 ** Math.max(0, attempt - 1))
}

/**
 * How far our clock is ahead of the server's, in ms. An HTTP `Date` has whole seconds and travels, so a difference
 * below 1.5 s is taken as none.
 */
export function clockAheadMs(dateHeader: string | null, nowMs: number): number {
  const server = dateHeader === null ? NaN : Date.parse(dateHeader)
  if (Number.isNaN(server)) return 0
  const ahead = nowMs - (server + 500)
  return Math.abs(ahead) < 1500 ? 0 : ahead
}
