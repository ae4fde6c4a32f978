// The rules of a stated reason that the form can tell before the gate does. Pure.
import type { Camera, PurposeNumber } from '../api/types'

export const REASON_CHARACTERS_MIN = 10
export const REASON_CHARACTERS_MAX = 500
/** Different letters and digits: a row of dots has none. */
export const REASON_SIGNS_MIN = 4
/** The number of an event or a file: 4 to 20 letters, digits and what joins them, three digits at least. */
const CODE = /^(?=(?:.*[0-9]){3})[A-Za-z0-9./_-]{4,20}$/
const EVERY_PURPOSE: PurposeNumber[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]

export type ReasonFault = 'empty' | 'short' | 'nothing' | 'long'

/** Counted as a person counts: an accent or an emoji is one character. A look may be told by a code, a review may not. */
export function reasonFault(reason: string, mayBeCode = true): ReasonFault | null {
  const said = reason.trim()
  if (mayBeCode && CODE.test(said)) return null
  const count = [...said].length
  if (count === 0) return 'empty'
  if (count < REASON_CHARACTERS_MIN) return 'short'
  if (count > REASON_CHARACTERS_MAX) return 'long'
  const signs = new Set([...said.toLowerCase()].filter((sign) => /[\p{L}\p{N}]/u.test(sign)))
  return signs.size < REASON_SIGNS_MIN ? 'nothing' : null
}

/**
 * The cameras whose authorisation names the purpose. A camera without any stated purpose is asked for all the same:
 * the gate decides and says why.
 */
export function camerasFor(cameras: Camera[], purpose: PurposeNumber): Camera[] {
  return cameras.filter((camera) => camera.purposes.length === 0 || camera.purposes.includes(purpose))
}

/** One camera without its papers leaves the others of the wall alone; where all lack some, the gate says which. */
export function withPapers(cameras: Camera[]): Camera[] {
  const open = cameras.filter((camera) => !camera.missing.some((act) => act.blocks))
  return open.length === 0 ? cameras : open
}

/** The purposes that any of these cameras has; where none has one, all eleven, so that the gate can say what is missing. */
export function purposesOf(cameras: Camera[]): PurposeNumber[] {
  const own = EVERY_PURPOSE.filter((purpose) => cameras.some((camera) => camera.purposes.includes(purpose)))
  return own.length === 0 ? EVERY_PURPOSE : own
}
