// Which of a camera's streams is played: the main one, or its sub-stream where this browser cannot play that. Decides only.
import { ApiError } from '../api/problem'
import type { Camera, StreamKind } from '../api/types'
import { formatName, playsFormat } from './codec'

export class StreamChoice {
  kind: StreamKind = 'main'
  /** The exact type of the main stream, once this browser has said no to it. */
  mainType: string | null = null
  private subFailed = false

  /** Begins with the sub-stream where the recorder's word is enough to know that the main stream would be refused. */
  constructor(
    private readonly camera: Pick<Camera, 'codec' | 'sub'>,
    plays: (format: string) => boolean = playsFormat,
  ) {
    const { codec, sub } = camera
    if (sub !== null && codec !== null && !plays(codec) && (sub.codec === null || plays(sub.codec))) this.kind = 'sub'
  }

  /** The word of the main stream's format while the sub-stream stands in for it, or else `null`. */
  get standsInFor(): string | null {
    return this.kind === 'sub' ? formatName(this.mainType ?? this.camera.codec ?? '') : null
  }

  /** The present stream cannot be played. True: another one is to be tried now; false: there is none. */
  refused(contentType: string): boolean {
    if (this.kind === 'sub') return this.subIsOfNoUse()
    this.mainType = contentType
    if (this.camera.sub === null || this.subFailed) return false
    this.kind = 'sub'
    return true
  }

  /** The sub-stream is not there, or not at that time: then the main stream says what it is. */
  absent(error: unknown): boolean {
    const kinds = ['no-sub-stream', 'no-footage']
    const tells = error instanceof ApiError && kinds.some((kind) => error.problem.type.endsWith(`:${kind}`))
    return this.kind === 'sub' && tells && this.subIsOfNoUse()
  }

  /** Another time is asked for: the sub-stream may be there. */
  renew(): void {
    if (this.subFailed && this.mainType !== null) this.kind = 'sub'
    this.subFailed = false
  }

  private subIsOfNoUse(): boolean {
    this.subFailed = true
    this.kind = 'main'
    return true
  }
}
