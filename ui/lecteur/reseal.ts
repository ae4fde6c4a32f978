// Seals each picture again with the keys of the proofs and compares with the digest that was taken when it was recorded
// (docs/formats/evidence.md, section 4). Whether these digests stand in the town's log is for `vigie-verify evidence`.
import { blake3 } from '@noble/hashes/blake3.js'
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js'
import type { Progress } from './digests'
import type { Folder } from './folder'
import type { Camera, Manifest } from './manifest'
import { readTrack, viewOf, type Track } from './mp4'

type Bytes = Uint8Array<ArrayBuffer>

export interface Resealed {
  /** Pictures that gave the digest of the proofs. */
  pictures: number
  changed: { path: string; from: number; to: number }[]
  /** Proofs or movies that could not be read, and extents or gaps that were changed. */
  unreadable: { path: string; why: string }[]
}

interface Sealed {
  number: number
  key: string
  commitment: string
}
interface Line {
  reel: string
  handle: number
  chunk_digests: string[]
  extent_digests: string[]
  gap_digests: string[]
  extents: (Sealed & { plain: string })[]
  gaps: (Sealed & { plain: string })[]
  chunks: (Sealed & { movie: number; head: string })[]
}

export interface Head {
  count: number
  /** When the pictures shown first and last were taken. */
  first: number
  last: number
  dts: number
  /** For each picture: decoding time after the first, presentation after decoding, size. */
  frames: { delta: number; offset: number; size: number }[]
}

const CHUNK = 3
const EXTENT = 4
const GAP = 5
const TAG_BYTES = 16
const TICKS_PER_SECOND = 90_000
const STEP_BYTES = 4 * 1024 * 1024

export function canReseal(): boolean {
  return globalThis.crypto?.subtle !== undefined
}

export async function reseal(folder: Folder, manifest: Manifest, told: (progress: Progress) => void, signal: AbortSignal): Promise<Resealed> {
  const result: Resealed = { pictures: 0, changed: [], unreadable: [] }
  const paths = manifest.cameras.flatMap((camera) => camera.movies.map((movie) => movie.path))
  const total = paths.reduce((sum, path) => sum + (folder.get(path)?.size ?? 0), 0)
  let done = 0
  for (const camera of manifest.cameras) {
    if (camera.proof === null) continue
    const path = camera.proof
    const progress = (bytes: number) => told({ path, done: (done += bytes), total })
    try {
      await new CameraSeal(folder, camera, result, progress, signal).check()
    } catch (error) {
      if (signal.aborted) throw error
      result.unreadable.push({ path, why: error instanceof Error ? error.message : String(error) })
    }
  }
  return result
}

/** One camera's proofs from the first line to the last, with the place in each of its movies. */
class CameraSeal {
  private readonly movies: { track: Track; next: number; begin: number | null; isLost: boolean }[] = []
  private readonly folder: Folder
  private readonly camera: Camera
  private readonly result: Resealed
  private readonly progress: (bytes: number) => void
  private readonly signal: AbortSignal

  constructor(folder: Folder, camera: Camera, result: Resealed, progress: (bytes: number) => void, signal: AbortSignal) {
    this.folder = folder
    this.camera = camera
    this.result = result
    this.progress = progress
    this.signal = signal
  }

  async check(): Promise<void> {
    for (const { path } of this.camera.movies) {
      const file = this.folder.get(path)
      if (file === undefined) throw new Error(path)
      this.movies.push({ track: await readTrack(file), next: 0, begin: null, isLost: false })
    }
    const proof = this.folder.get(this.camera.proof ?? '')
    if (proof === undefined) throw new Error(this.camera.proof ?? '')
    for await (const text of linesOf(proof)) {
      const line = JSON.parse(text) as Line
      await this.lines(line, EXTENT, line.extents, line.extent_digests)
      await this.lines(line, GAP, line.gaps, line.gap_digests)
      for (const chunk of line.chunks) {
        this.signal.throwIfAborted()
        await this.chunk(line, chunk)
      }
    }
    this.movies.forEach(({ track, next, isLost }, index) => {
      // Pictures of which no proof speaks.
      if (!isLost && next < track.sizes.length) this.fault(index, this.camera.movies[index]!.first, this.camera.movies[index]!.last)
    })
  }

  private async lines(line: Line, kind: number, sealed: (Sealed & { plain: string })[], digests: string[]): Promise<void> {
    for (const each of sealed) {
      const found = await sealAgain(line, kind, each, hexToBytes(each.plain))
      if (found !== digests[each.number]) throw new Error(`${kind === GAP ? 'gap' : 'extent'} ${each.number}`)
    }
  }

  private async chunk(line: Line, chunk: Line['chunks'][number]): Promise<void> {
    const movie = this.movies[chunk.movie]
    if (movie === undefined) throw new Error(`movie ${chunk.movie}`)
    if (movie.isLost) return
    const headBytes = hexToBytes(chunk.head)
    const head = headOf(headBytes)
    movie.begin ??= head.dts
    if (!isPlaced(movie.track, movie.next, head, movie.begin)) {
      // Pictures are missing, added or shown at another time: from here on none is where it should be.
      movie.isLost = true
      this.fault(chunk.movie, head.first, this.camera.movies[chunk.movie]!.last)
      return
    }
    const pictures = await picturesOf(movie.track, movie.next, head.count)
    const found = await sealAgain(line, CHUNK, chunk, concatBytes(headBytes, pictures) as Bytes)
    movie.next += head.count
    this.progress(pictures.length)
    if (found === line.chunk_digests[chunk.number]) this.result.pictures += head.count
    else this.fault(chunk.movie, head.first, head.last)
  }

  /** Faults that follow one another within a second are one. */
  private fault(movie: number, from: number, to: number): void {
    const { path } = this.camera.movies[movie]!
    const last = this.result.changed.at(-1)
    if (last !== undefined && last.path === path && from - last.to < 1_000_000) last.to = Math.max(last.to, to)
    else this.result.changed.push({ path, from, to })
  }
}

/** The beginning of a chunk's plaintext (docs/formats/reel.md, section 5). */
export function headOf(bytes: Uint8Array): Head {
  const view = viewOf(bytes)
  if (bytes.length < 28 || view.getUint8(0) !== 1) throw new Error('a chunk of another format')
  const count = view.getUint16(2, true)
  if (bytes.length < 28 + 16 * count) throw new Error('a short chunk')
  const frames = Array.from({ length: count }, (_, index) => {
    const at = 28 + 16 * index
    return { delta: view.getUint32(at + 4, true), offset: view.getInt32(at + 8, true), size: view.getUint32(at + 12, true) }
  })
  return { count, first: Number(view.getBigInt64(4, true)), last: Number(view.getBigInt64(12, true)), dts: Number(view.getBigInt64(20, true)), frames }
}

/** Whether the movie's next pictures have the sizes and times of the chunk's; `begin`: decoding time of the movie's first picture. */
export function isPlaced(track: Track, next: number, head: Head, begin: number): boolean {
  if (track.timescale !== TICKS_PER_SECOND || next + head.count > track.sizes.length) return false
  return head.frames.every(({ delta, offset, size }, index) => {
    const at = next + index
    return track.sizes[at] === size && track.dts[at] === head.dts + delta - begin && track.pts[at]! - track.dts[at]! === offset
  })
}

async function picturesOf(track: Track, next: number, count: number): Promise<Bytes> {
  const parts: Blob[] = []
  for (let index = next; index < next + count; index += 1) parts.push(track.file.slice(track.offsets[index]!, track.offsets[index]! + track.sizes[index]!))
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

/** BLAKE3 of the record that this plaintext makes under its key. */
async function sealAgain(line: Line, kind: number, sealed: Sealed, plain: Bytes): Promise<string> {
  const header = headerOf(line, kind, sealed, plain.length + TAG_BYTES)
  const key = await crypto.subtle.importKey('raw', hexToBytes(sealed.key) as Bytes, 'AES-GCM', false, ['encrypt'])
  const coded = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12), additionalData: header, tagLength: 8 * TAG_BYTES }, key, plain)
  return bytesToHex(blake3.create().update(header).update(new Uint8Array(coded)).digest())
}

/** The 64 bytes before a sealed record (docs/formats/reel.md, section 1). */
function headerOf(line: Line, kind: number, sealed: Sealed, payload: number): Bytes {
  const header = new Uint8Array(64)
  const view = viewOf(header)
  header.set([0x56, 0x47, 0x52, 0x4c, 1, kind])
  view.setUint16(6, line.handle, true)
  view.setUint32(8, payload, true)
  view.setUint32(12, sealed.number, true)
  header.set(hexToBytes(line.reel), 16)
  header.set(hexToBytes(sealed.commitment), 32)
  return header
}

/** Lines of a file of any length. */
async function* linesOf(file: Blob): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for (let at = 0; at < file.size; at += STEP_BYTES) {
    const pieces = (rest + decoder.decode(await file.slice(at, at + STEP_BYTES).arrayBuffer(), { stream: true })).split('\n')
    rest = pieces.pop() ?? ''
    yield* pieces.filter((piece) => piece !== '')
  }
  if (rest !== '') yield rest
}
