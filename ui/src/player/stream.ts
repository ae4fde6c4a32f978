// Where a player's bytes come from: one HTTP response per camera, or a share of the wall's one response.
import { ApiError, networkProblem, problemOf } from '../api/problem'
import { clockAheadMs } from './ranges'

export interface OpenedStream {
  /** With the codecs string, as addSourceBuffer wants it. */
  contentType: string
  /** UTC of media time 0, in ms; `null` when the server does not say. */
  originMs: number | null
  /** How far our clock is ahead of the server's. */
  clockAheadMs: number
  /** `null` at the end. */
  read(): Promise<Uint8Array | null>
}

export type OpenStream = (signal: AbortSignal) => Promise<OpenedStream>

/** One camera, one response. Not reading holds the server back (TCP or HTTP/2 flow control). */
export function httpStream(url: string, originHeader: 'Vigie-Start' | 'Vigie-From'): OpenStream {
  return async (signal) => {
    const response = await openMedia(url, signal)
    const body = response.body
    if (body === null) throw new ApiError(networkProblem())
    const reader = body.getReader()
    return {
      contentType: response.headers.get('content-type') ?? 'video/mp4',
      originMs: isoMs(response.headers.get(originHeader)),
      clockAheadMs: clockAheadMs(response.headers.get('date'), Date.now()),
      read: async () => {
        const { done, value } = await reader.read()
        return done ? null : value
      },
    }
  }
}

export async function openMedia(url: string, signal: AbortSignal): Promise<Response> {
  let response: Response
  try {
    response = await fetch(url, { signal, credentials: 'same-origin', cache: 'no-store' })
  } catch (error) {
    if (signal.aborted) throw error
    throw new ApiError(networkProblem())
  }
  if (!response.ok) throw new ApiError(await problemOf(response))
  return response
}

export function isoMs(text: string | null | undefined): number | null {
  const ms = text == null ? NaN : Date.parse(text)
  return Number.isNaN(ms) ? null : ms
}
