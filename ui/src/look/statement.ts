// The rules of a stated reason that the form can tell before the gate does. Pure.
import type { Camera, PurposeNumber } from '../api/types'

export const REASON_CHARACTERS_MIN = 10
export const REASON_CHARACTERS_MAX = 500

/** Counted as a person counts: an accent or an emoji is one character. */
export function reasonFault(reason: string): 'short' | 'long' | null {
  const count = [...reason.trim()].length
  if (count < REASON_CHARACTERS_MIN) return 'short'
  return count > REASON_CHARACTERS_MAX ? 'long' : null
}

/**
 * The cameras whose authorisation names the purpose. A camera without any stated purpose is asked for all the same:
 * the gate decides and says why.
 */
export function camerasFor(cameras: Camera[], purpose: PurposeNumber): Camera[] {
  return cameras.filter((camera) => camera.purposes.length === 0 || camera.purposes.includes(purpose))
}
