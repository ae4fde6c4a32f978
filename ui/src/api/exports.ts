// The register of requisitions and what leaves under it, as the web server tells it.
import type { Iso, PurposeNumber } from './types'

export interface ExportWindow {
  camera: string
  from: Iso
  /** Exclusive. */
  to: Iso
}

export interface RequisitionSays {
  received: Iso
  means: string
  authority: { name: string; quality: string; matricule: string; service: string; court: string }
  framework: string
  framework_other: string
  authorisation_reference: string | null
  authorisation_general: Iso | null
  procedure: string
  object: string
  windows: ExportWindow[]
  /** SHA-256 of the scan, in hexadecimal. */
  scan: string | null
  genuine: { at: Iso; number: string; spoken_to: string } | null
  validator: string
}

export interface Answer {
  at: Iso
  outcome: string
  ground: string | null
  reason: string
}

/** Fields 13 to 17 and 19 of the register. */
export interface Delivery {
  /** Id of the export. */
  export: string
  at: Iso
  medium: string
  key_means: string
  recipient: string
  quality: string
  /** SHA-256 of the scanned receipt, in hexadecimal. */
  receipt: string | null
  copies: number
  notes: string
}

export interface Lack {
  field: string
  article: string
  text_fr: string
  text_en: string
}

/** The last one of each adviser counts. */
export interface Opinion {
  at: Iso
  adviser: 'head-of-service' | 'dpo'
  /** In French, as the register prints it. */
  title: string
  by: string
  favourable: boolean
  reason: string
}

/** What is asked under another text than the requisitions of the CPP, without a name of who asks. */
export interface OpinionRequest {
  id: string
  number: string
  received: Iso
  framework: string
  service: string
  procedure: string
  object: string
  pictures: { camera: string; place: string; from: Iso; to: Iso }[]
  has_act: boolean
  is_genuine: boolean
  opinions: Opinion[]
  /** Which opinion whoever asks may give; null: they wrote it. */
  may: 'head-of-service' | 'dpo' | null
}

export interface Requisition extends RequisitionSays {
  id: string
  /** `2026-0001` */
  number: string
  version: number
  lacks: Lack[]
  exports: Export[]
  answer: Answer | null
  deliveries: Delivery[]
  /** Looks on site of who requires. */
  viewings: { at: Iso; by: string; present: string }[]
  /** Where another text than the CPP asks for them. */
  opinions: Opinion[]
  letter_fr: string[] | null
  letter_en: string[] | null
}

export interface Choice {
  code: string
  /** The term of the law, in French. */
  title: string
}

export interface Requisitions {
  now: Iso
  /** There are older ones. */
  more: boolean
  /** The town offers links (`public.address`). */
  links_offered: boolean
  requisitions: Requisition[]
  frameworks: Choice[]
  qualities: Choice[]
  means: Choice[]
  outcomes: Choice[]
  grounds: Choice[]
}

export type ExportState = 'open' | 'pictures' | 'reels' | 'copies' | 'log' | 'timestamp' | 'ready' | 'cancelled' | 'failed'

export type Stamping = 'made' | 'away' | 'refused' | 'unset'

export type Copying = 'made' | 'partly' | 'failed' | 'away'

export interface Export {
  id: string
  /** Opened by who is signed in: nobody else makes or takes its package. */
  is_own: boolean
  entry: number
  opened: Iso
  until: Iso
  windows: ExportWindow[]
  manifest: string | null
  state: ExportState
  window: number | null
  /** Of 1000. */
  share: number | null
  bytes: number | null
  sha256: string | null
  /** What came of the timestamp; null: the town has no authority for it, or the console started since. */
  timestamp: Stamping | null
  /** What came of viewing copies; null: nothing in it is in H.265, or the console started since. */
  viewing_copies: Copying | null
  /** Whole, but nobody printed its report. */
  is_without_report: boolean
  /** The oldest first. */
  links: PackageLink[]
  problem_fr: string | null
  problem_en: string | null
}

export type LinkEnd = 'expired' | 'used' | 'wrong-codes' | 'revoked' | 'delivered' | 'copy-gone'

export interface LinkStep {
  at: Iso
  step: 'wrong-code' | 'late' | 'fetch' | 'again' | 'sent' | 'broke-off' | 'ended'
  /** Which download, from 1. */
  nth: number | null
  why: LinkEnd | null
}

/** A one-time link to a package, and all that happened at it. */
export interface PackageLink {
  id: string
  entry: number
  made: Iso
  who: string
  recipient: string
  until: Iso
  downloads: number
  /** Null: it lives. */
  over: LinkEnd | null
  steps: LinkStep[]
}

export interface LinkRequest {
  recipient: string
  minutes: number
  downloads: number
}

/** Link and code are told once. */
export interface LinkMade {
  link: PackageLink
  url: string
  code: string
}

export interface ExportRequest {
  requisition: string
  windows: ExportWindow[]
  purpose: PurposeNumber
  /** Public key (age) of the service; null: by a passphrase. */
  recipient: string | null
  password: string
  code: string
  second_name: string
  second_password: string
  second_code: string
}
