// Holds (gels): footage that is kept for an authority while its paper is on the way, as the web server tells it.
import type { ExportWindow } from './exports'
import type { Iso } from './types'

export type HoldEnd = 'deadline' | 'delivered' | 'uncollected' | 'refused' | 'lifted'

export interface Hold {
  id: string
  /** Shown as `G-0007`. */
  number: number
  /** Number of its entry in the ledger. */
  leaf: number
  opened: Iso
  who: string
  requester: string
  reason: string
  windows: ExportWindow[]
  /** Those of which it still has keys, and when these die. */
  hours: { hour: Iso; dies: Iso }[]
  /** When the first of its hours ends; null: all have. */
  ends: Iso | null
  /** Id of the requisition under which it waits to be handed over. */
  requisition: string | null
  requisition_number: string | null
  /** Of what lies in the reserve; null: it is still being copied. */
  kept_bytes: number | null
  /** Reels of which nothing could be kept: their keys had died, or they are gone. */
  missing: number
  ended: Iso | null
  why: HoldEnd | null
  why_fr: string | null
  /** Of what has ended: every copy of the keyring confirmed that its keys are dead. */
  is_destroyed: boolean
  /** Then: paragraphs of the certificate, ready to be printed and signed. */
  certificate_fr: string[] | null
  certificate_en: string[] | null
}

/** How full the reserve is; of a disk that is away nothing is known, and both are 0. */
export interface Reserve {
  used_bytes: number
  max_bytes: number
}

export interface Holds {
  now: Iso
  /** The newest first. */
  holds: Hold[]
  reserve: Reserve
}

export interface HoldRequest {
  requester: string
  reason: string
  windows: ExportWindow[]
  /** Id of its requisition, where it is there already. */
  requisition: string | null
}

/** What a hold would take of the reserve. */
export interface HoldWeight extends Reserve {
  bytes: number
}
