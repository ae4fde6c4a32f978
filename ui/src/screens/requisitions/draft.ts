// A requisition as a person fills it in: texts of the form, and what the server takes. Pure.
import type { ExportWindow, Requisition, RequisitionSays } from '../../api/exports'
import { parisClock, parisInstant, shiftDate } from '../../timeline/paris'

/** A camera and clock times of one day of Paris; an end before its beginning is of the next day. */
export interface WindowDraft {
  camera: string
  date: string
  from: string
  to: string
}

export interface Draft {
  receivedDate: string
  receivedTime: string
  means: string
  name: string
  quality: string
  matricule: string
  service: string
  court: string
  framework: string
  frameworkOther: string
  reference: string
  general: string
  procedure: string
  object: string
  windows: WindowDraft[]
  scan: string | null
  calledDate: string
  calledTime: string
  calledNumber: string
  spokenTo: string
  validator: string
}

export function emptyWindow(nowMs: number): WindowDraft {
  return { camera: '', date: parisClock(nowMs).date, from: '', to: '' }
}

export function emptyDraft(nowMs: number): Draft {
  const { date, time } = parisClock(nowMs)
  return {
    // to the second: who came to the service later is no second person for it
    receivedDate: date, receivedTime: time, means: 'in-person',
    name: '', quality: 'opj', matricule: '', service: '', court: '',
    framework: 'cpp60-1', frameworkOther: '', reference: '', general: '',
    procedure: '', object: '', windows: [emptyWindow(nowMs)], scan: null,
    calledDate: '', calledTime: '', calledNumber: '', spokenTo: '', validator: '',
  }
}

export function draftOf(known: Requisition): Draft {
  const received = parisClock(Date.parse(known.received))
  const called = known.genuine === null ? null : parisClock(Date.parse(known.genuine.at))
  return {
    receivedDate: received.date, receivedTime: received.time, means: known.means,
    name: known.authority.name, quality: known.authority.quality, matricule: known.authority.matricule,
    service: known.authority.service, court: known.authority.court,
    framework: known.framework, frameworkOther: known.framework_other,
    reference: known.authorisation_reference ?? '',
    general: known.authorisation_general === null ? '' : parisClock(Date.parse(known.authorisation_general)).date,
    procedure: known.procedure, object: known.object, windows: known.windows.map(windowDraftOf), scan: known.scan,
    calledDate: called?.date ?? '', calledTime: called?.time.slice(0, 5) ?? '',
    calledNumber: known.genuine?.number ?? '', spokenTo: known.genuine?.spoken_to ?? '', validator: known.validator,
  }
}

export function windowDraftOf(window: ExportWindow): WindowDraft {
  const from = parisClock(Date.parse(window.from))
  return { camera: window.camera, date: from.date, from: from.time, to: parisClock(Date.parse(window.to)).time }
}

/** `null` for what is no camera and time, of a day at most. */
export function windowOf(draft: WindowDraft): ExportWindow | null {
  const from = parisInstant(draft.date, draft.from)
  const sameDay = parisInstant(draft.date, draft.to)
  if (draft.camera === '' || from === null || sameDay === null) return null
  const to = from < sameDay ? sameDay : parisInstant(shiftDate(draft.date, 1), draft.to)
  if (to === null || to <= from || to - from > 86_400_000) return null
  return { camera: draft.camera, from: new Date(from).toISOString(), to: new Date(to).toISOString() }
}

/** A line that nobody began says nothing. */
export function isBegun(draft: WindowDraft): boolean {
  return draft.camera !== '' || draft.from !== '' || draft.to !== ''
}

/** As far as the framework asks for it: a general instruction covers no commission rogatoire. */
function authorisationOf(draft: Draft): { reference: string; general: string } {
  const asks = draft.framework === 'cpp77-1-1' || draft.framework === 'cpp99-3'
  return { reference: asks ? draft.reference.trim() : '', general: draft.framework === 'cpp77-1-1' ? draft.general : '' }
}

export type DraftFault = 'received' | 'windows' | 'authorisation' | 'genuine'

/** What cannot be read as it stands; what is merely missing the register says by itself. */
export function faultsOf(draft: Draft): DraftFault[] {
  const faults: DraftFault[] = []
  if (parisInstant(draft.receivedDate, draft.receivedTime) === null) faults.push('received')
  if (draft.windows.some((window) => isBegun(window) && windowOf(window) === null)) faults.push('windows')
  const shown = authorisationOf(draft)
  if (shown.reference !== '' && shown.general !== '') faults.push('authorisation')
  const called = [draft.calledDate, draft.calledTime, draft.calledNumber.trim(), draft.spokenTo.trim()]
  const some = called.some((text) => text !== '')
  if (some && (called.includes('') || parisInstant(draft.calledDate, draft.calledTime) === null)) faults.push('genuine')
  return faults
}

/** Only of a draft without faults. */
export function saysOf(draft: Draft): RequisitionSays {
  const iso = (date: string, time: string) => new Date(parisInstant(date, time) ?? 0).toISOString()
  const shown = authorisationOf(draft)
  const windows = draft.windows.map(windowOf).filter((window) => window !== null)
  const genuine = { at: iso(draft.calledDate, draft.calledTime), number: draft.calledNumber.trim(), spoken_to: draft.spokenTo.trim() }
  return {
    received: iso(draft.receivedDate, draft.receivedTime),
    means: draft.means,
    authority: {
      name: draft.name.trim(), quality: draft.quality, matricule: draft.matricule.trim(), service: draft.service.trim(), court: draft.court.trim(),
    },
    framework: draft.framework,
    framework_other: draft.framework === 'other' ? draft.frameworkOther.trim() : '',
    authorisation_reference: shown.reference === '' ? null : shown.reference,
    authorisation_general: shown.general === '' ? null : iso(shown.general, '12:00'),
    procedure: draft.procedure.trim(),
    object: draft.object.trim(),
    windows,
    scan: draft.scan,
    genuine: draft.calledNumber.trim() === '' ? null : genuine,
    validator: draft.validator.trim(),
  }
}

/** Where each part of a scan begins and ends. */
export function partsOf(bytes: number, partBytes: number): { from: number; to: number }[] {
  const count = Math.ceil(bytes / partBytes)
  return Array.from({ length: count }, (_, nth) => ({ from: nth * partBytes, to: Math.min(bytes, (nth + 1) * partBytes) }))
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
