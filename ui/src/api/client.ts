// The only place that calls /api: one function per route, errors always an ApiError with a Problem.
import { clock } from '../clock.svelte'
import type { Delivery, Export, ExportRequest, ExportWindow, Lack, LinkMade, LinkRequest, OpinionRequest, RequisitionSays, Requisitions } from './exports'
import type { AccessEntered, AccessRequests, AccessSays, AccessStep } from './access'
import type { Hold, HoldRequest, HoldWeight, Holds } from './holds'
import { ApiError, networkProblem, problemOf } from './problem'
import type { Accounts, Name, NameRequest, Period, Questions, Trace } from './reviews'
import type { Account, BreakGlass, BreakGlassBegun, Camera, Ceremony, Day, Health, Look, LookRequest, Passkey, Reasons, Session, SetupBegun, Site, StreamKind } from './types'

export const api = {
  site: () => call<Site>('GET', '/api/site'),
  /** `null` when nobody is signed in. */
  session: () => orNullAt401(call<Session>('GET', '/api/session')),
  signIn: (name: string, password: string, code: string) => call<Session>('POST', '/api/session', { name, password, code }),
  passkeyAsk: () => call<Ceremony>('POST', '/api/session/passkey/begin'),
  signInByPasskey: (ceremony: string, credential: unknown) => call<Session>('POST', '/api/session/passkey', { ceremony, credential }),
  /** Where the browser goes to sign in by the provider. */
  providerBegin: () => call<{ address: string }>('POST', '/api/session/oidc/begin'),
  signInByProvider: (state: string, code: string) => call<Session>('POST', '/api/session/oidc', { state, code }),
  signInByProviderCode: (code: string) => call<Session>('POST', '/api/session/oidc/code', { code }),
  /** Where one signs out at the provider too. */
  providerLeave: () => call<{ address: string }>('POST', '/api/session/oidc/leave'),
  passkeys: () => call<Passkey[]>('GET', '/api/passkeys'),
  passkeyBegin: (password: string, code: string) => call<Ceremony>('POST', '/api/passkeys/begin', { password, code }),
  passkeyAdd: (ceremony: string, label: string, credential: unknown) => call<void>('POST', '/api/passkeys', { ceremony, label, credential }),
  passkeyRemove: (id: string) => call<void>('DELETE', `/api/passkeys/${encodeURIComponent(id)}`),
  /** A person moved: the session locks later. */
  active: () => call<Session>('POST', '/api/session/active'),
  signOut: () => call<void>('DELETE', '/api/session'),
  /** Whose link it is, and the seed for an authenticator; the link stays as it is. */
  setupBegin: (token: string) => call<SetupBegun>('POST', '/api/setup/begin', { token }),
  setup: (token: string, password: string, code: string) => call<Account>('POST', '/api/setup', { token, password, code }),
  cameras: () => call<Camera[]>('GET', '/api/cameras'),
  day: (camera: string, date: string) =>
    call<Day>('GET', `/api/cameras/${encodeURIComponent(camera)}/day?date=${encodeURIComponent(date)}`),
  look: (request: LookRequest) => call<Look>('POST', '/api/looks', request),
  /** Ends a permit; `keepalive` lets it leave while the page closes. */
  endLook: (permit: string) => call<void>('DELETE', `/api/looks/${encodeURIComponent(permit)}`, undefined, true),
  reviewTrace: (period: Period, reason: string, before: number | null) => call<Trace>('POST', '/api/reviews/trace', { ...period, reason, before }),
  reviewAccounts: (reason: string) => call<Accounts>('POST', '/api/reviews/accounts', { reason }),
  reviewQuestions: (period: Period, reason: string) => call<Questions>('POST', '/api/reviews/questions', { ...period, reason }),
  /** Two persons are shown who stands behind a pseudonym. */
  reviewName: (request: NameRequest) => call<Name>('POST', '/api/reviews/name', request),
  ownTrace: ({ from, to }: Period, before: number | null) =>
    call<Trace>('GET', `/api/trace?${new URLSearchParams({ from, to, ...(before === null ? {} : { before: String(before) }) })}`),
  breakGlass: () => call<BreakGlass>('GET', '/api/break-glass'),
  breakGlassAsk: (cameras: string[], reason: string, password: string, code: string) =>
    call<BreakGlassBegun>('POST', '/api/break-glass', { cameras, reason, password, code }),
  /** A second person, on anybody's screen. */
  breakGlassConfirm: (id: string, name: string, password: string, code: string) =>
    call<BreakGlassBegun>('POST', `/api/break-glass/${encodeURIComponent(id)}/confirm`, { name, password, code }),
  breakGlassEnd: (id: string) => call<void>('DELETE', `/api/break-glass/${encodeURIComponent(id)}`),
  breakGlassAcknowledge: (id: string) => call<void>('POST', `/api/break-glass/${encodeURIComponent(id)}/acknowledge`),
  reasons: () => call<Reasons>('GET', '/api/reason'),
  endReason: () => call<void>('DELETE', '/api/reason'),
  /** The newest, or those before a number. */
  requisitions: (before: string | null = null) =>
    call<Requisitions>('GET', `/api/requisitions${before === null ? '' : `?before=${encodeURIComponent(before)}`}`),
  /** A requisition came in, or with `known` that one gets a further version. */
  register: (known: string | null, says: RequisitionSays) =>
    call<{ id: string; number: string; lacks: Lack[] }>('POST', '/api/requisitions', { known, ...says }),
  answer: (id: string, outcome: string, ground: string | null, reason: string) =>
    call<void>('POST', `/api/requisitions/${encodeURIComponent(id)}/answer`, { outcome, ground, reason }),
  enterSightOnSite: (id: string, present: string) => call<void>('POST', `/api/requisitions/${encodeURIComponent(id)}/viewings`, { present }),
  /** What waits for an opinion, and what was said of it. */
  opinions: () => call<{ requests: OpinionRequest[] }>('GET', '/api/opinions'),
  giveOpinion: (id: string, favourable: boolean, reason: string) =>
    call<void>('POST', `/api/requisitions/${encodeURIComponent(id)}/opinion`, { favourable, reason }),
  /** A package was handed over: the town's copy goes. */
  deliver: (id: string, delivery: Delivery) => call<void>('POST', `/api/requisitions/${encodeURIComponent(id)}/deliveries`, delivery),
  scanPart: (digest: string, total: number, offset: number, part: Uint8Array<ArrayBuffer>) =>
    call<{ bytes: number }>('POST', `/api/requisitions/scan?digest=${digest}&total=${total}&offset=${offset}`, part),
  openExport: (request: ExportRequest) => call<Export>('POST', '/api/exports', request),
  export: (id: string) => call<Export>('GET', `/api/exports/${encodeURIComponent(id)}`),
  /** Where no public key was named, the passphrase is told here only. */
  makePackage: (id: string) => call<{ passphrase: string | null }>('POST', `/api/exports/${encodeURIComponent(id)}/package`),
  dropPackage: (id: string) => call<void>('DELETE', `/api/exports/${encodeURIComponent(id)}/package`),
  makeLink: (id: string, request: LinkRequest) => call<LinkMade>('POST', `/api/exports/${encodeURIComponent(id)}/links`, request),
  revokeLink: (id: string, link: string) => call<void>('DELETE', `/api/exports/${encodeURIComponent(id)}/links/${encodeURIComponent(link)}`),
  holds: () => call<Holds>('GET', '/api/holds'),
  /** What it would take of the reserve, before it is made. */
  weighHold: (windows: ExportWindow[]) => call<HoldWeight>('POST', '/api/holds/weigh', { windows }),
  hold: (request: HoldRequest) => call<Hold>('POST', '/api/holds', request),
  /** Its requisition has come. */
  bindHold: (id: string, requisition: string) => call<void>('POST', `/api/holds/${encodeURIComponent(id)}/requisition`, { requisition }),
  liftHold: (id: string) => call<void>('POST', `/api/holds/${encodeURIComponent(id)}/lift`),
  /** Requests for access: the newest, or those before a number. */
  access: (before: string | null = null) => call<AccessRequests>('GET', `/api/access${before === null ? '' : `?before=${encodeURIComponent(before)}`}`),
  /** One came in, or with `known` that one gets a further version; what lives of its windows is frozen. */
  enterAccess: (known: string | null, says: AccessSays) => call<AccessEntered>('POST', '/api/access', { known, ...says }),
  identify: (id: string, means: string) => call<AccessStep>('POST', `/api/access/${encodeURIComponent(id)}/identity`, { means }),
  enterViewing: (id: string, present: string) => call<AccessStep>('POST', `/api/access/${encodeURIComponent(id)}/viewings`, { present }),
  answerAccess: (id: string, outcome: string, grounds: string[], reason: string) =>
    call<AccessStep>('POST', `/api/access/${encodeURIComponent(id)}/answer`, { outcome, grounds, reason }),
  /** A paper as PDF, and the name under which it is kept. */
  paper: async (path: string, language: 'fr' | 'en') => {
    const response = await ask('GET', `${path}${path.includes('?') ? '&' : '?'}language=${language}`)
    const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'vigie.pdf'
    return { name, pdf: await response.blob() }
  },
  health: () => call<Health>('GET', '/api/health'),
}

/** Told of every 401, so that the console returns to the sign-in screen. */
let onSignedOut: () => void = () => {}

export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener
}

/** Addresses of papers. */
export const paperPath = {
  letter: (requisition: string) => `/api/requisitions/${encodeURIComponent(requisition)}/letter.pdf`,
  report: (requisition: string, id: string) => `/api/requisitions/${encodeURIComponent(requisition)}/deliveries/${encodeURIComponent(id)}/report.pdf`,
  constat: (id: string) => `/api/exports/${encodeURIComponent(id)}/constat.pdf`,
  access: (id: string) => `/api/access/${encodeURIComponent(id)}/letter.pdf`,
  hold: (id: string) => `/api/holds/${encodeURIComponent(id)}/certificate.pdf`,
  destruction: (camera: string, { from, to }: Period) => `/api/cameras/${encodeURIComponent(camera)}/destruction.pdf?${new URLSearchParams({ from, to })}`,
  exports: ({ from, to }: Period) => `/api/exports.pdf?${new URLSearchParams({ from, to })}`,
}

/** The package whole, or one part of it, counted from 1. */
export function packageUrl(id: string, part?: number, partBytes?: number): string {
  const which = part === undefined ? '' : `?part=${part}&part_bytes=${partBytes ?? 0}`
  return `/media/exports/${encodeURIComponent(id)}${which}`
}

export function liveUrl(permit: string, camera: string, kind: StreamKind): string {
  return `/media/${encodeURIComponent(permit)}/${encodeURIComponent(camera)}/live${kind === 'sub' ? '?stream=sub' : ''}`
}

/** All cameras of a live permit in one response (see player/wall_stream.ts), some by their sub-stream. */
export function wallUrl(permit: string, sub: string[]): string {
  const query = sub.length === 0 ? '' : `?sub=${sub.map(encodeURIComponent).join(',')}`
  return `/media/${encodeURIComponent(permit)}/live${query}`
}

export function replayUrl(permit: string, camera: string, fromMs: number, toMs: number, kind: StreamKind): string {
  const span = new URLSearchParams({ from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() })
  if (kind === 'sub') span.set('stream', kind)
  return `/media/${encodeURIComponent(permit)}/${encodeURIComponent(camera)}/replay?${span}`
}

async function call<T>(method: string, path: string, body?: unknown, keepalive = false): Promise<T> {
  const response = await ask(method, path, body, keepalive)
  if (response.status === 204) return undefined as T
  return (await response.json()) as T
}

async function ask(method: string, path: string, body?: unknown, keepalive = false): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' }
  // A header that a foreign page cannot send: the server refuses a POST or DELETE without it.
  if (method !== 'GET') headers['Vigie-Request'] = '1'
  const isBytes = body instanceof Uint8Array
  if (body !== undefined) headers['content-type'] = isBytes ? 'application/octet-stream' : 'application/json'
  const sentMs = Date.now()
  let response: Response
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? null : isBytes ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
      keepalive,
    })
  } catch {
    throw new ApiError(networkProblem())
  }
  clock.hear(response.headers.get('date'), sentMs, Date.now())
  if (!response.ok) {
    if (response.status === 401 && !path.startsWith('/api/session')) onSignedOut()
    throw new ApiError(await problemOf(response))
  }
  return response
}

async function orNullAt401<T>(pending: Promise<T>): Promise<T | null> {
  try {
    return await pending
  } catch (error) {
    if (error instanceof ApiError && error.problem.status === 401) return null
    throw error
  }
}
