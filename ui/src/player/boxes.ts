// A stream of fragmented MP4, cut where a player has to know: each initialization segment with the type it stands for, and
// where pictures begin that can be decoded alone. Bytes pass unchanged and in order; only small boxes wait to be whole.
import { contentTypeOf } from './codec'

export interface Segment {
  /** An initialization segment: the type of what follows; `null` for pictures. */
  contentType: string | null
  /** Times at which pictures are shown that begin a group, in seconds. */
  keys: number[]
  bytes: Uint8Array<ArrayBuffer>
}

/** A box that has to be whole is longer than this only if the stream is not ours: a `moof` has 16 bytes for each picture. */
const WHOLE_BYTES_MAX = 1024 * 1024
const HEADER_BYTES = 8
const TICKS_PER_SECOND = 90000
/** sample_is_non_sync_sample (ISO/IEC 14496-12, 8.8.3.1). */
const NON_SYNC = 0x10000

export class MovieReader {
  private rest: Uint8Array = new Uint8Array(0)
  /** Bytes of a box that still pass through. */
  private passing = 0
  private ftyp: Uint8Array = new Uint8Array(0)

  /** What these bytes complete. Throws on a box that cannot be. */
  push(bytes: Uint8Array): Segment[] {
    let all = this.rest.length === 0 ? bytes : concat([this.rest, bytes])
    const segments: Segment[] = []
    while (all.length > 0) {
      if (this.passing > 0) {
        const part = all.subarray(0, this.passing)
        this.passing -= part.length
        addMedia(segments, part, [])
        all = all.subarray(part.length)
        continue
      }
      if (all.length < HEADER_BYTES) break
      const { size, kind } = headerOf(all)
      if (size < HEADER_BYTES) throw new Error(`a box of ${size} bytes`)
      if (kind !== 'ftyp' && kind !== 'moov' && kind !== 'moof') {
        this.passing = size
        continue
      }
      if (size > WHOLE_BYTES_MAX) throw new Error(`a ${kind} of ${size} bytes`)
      if (all.length < size) break
      const box = all.subarray(0, size)
      all = all.subarray(size)
      if (kind === 'ftyp') this.ftyp = box.slice()
      else if (kind === 'moof') addMedia(segments, box, keysOf(box))
      else segments.push({ contentType: contentTypeOf(box), keys: [], bytes: concat([this.ftyp, box]) })
    }
    this.rest = all.slice()
    return segments
  }
}

/** The newest key time that is not after `time`, or `null`. */
export function keyBefore(keys: number[], time: number): number | null {
  return keys.findLast((key) => key <= time) ?? null
}

function addMedia(segments: Segment[], bytes: Uint8Array, keys: number[]): void {
  const last = segments.at(-1)
  if (last === undefined || last.contentType !== null) segments.push({ contentType: null, keys, bytes: bytes.slice() })
  else {
    last.bytes = concat([last.bytes, bytes])
    last.keys.push(...keys)
  }
}

/** Of a `moof` whose `trun` has all fields for each picture, as our server writes it. */
function keysOf(moof: Uint8Array): number[] {
  const view = viewOf(moof)
  const tfdt = bodyOf(moof, 'tfdt')
  const trun = bodyOf(moof, 'trun')
  if (tfdt === null || trun === null || (view.getUint32(trun) & 0xf00) !== 0xf00) return []
  let ticks = view.getUint32(tfdt + 4) * 2 ** 32 + view.getUint32(tfdt + 8)
  const keys: number[] = []
  const count = view.getUint32(trun + 4)
  for (let at = trun + 12; at + 16 <= moof.length && at < trun + 12 + count * 16; at += 16) {
    if ((view.getUint32(at + 8) & NON_SYNC) === 0) keys.push((ticks + view.getInt32(at + 12)) / TICKS_PER_SECOND)
    ticks += view.getUint32(at)
  }
  return keys
}

/** Where the body of a box begins inside `moof` and `traf`, or `null`. */
function bodyOf(moof: Uint8Array, wanted: string): number | null {
  let at = HEADER_BYTES
  while (at + HEADER_BYTES <= moof.length) {
    const { size, kind } = headerOf(moof.subarray(at))
    if (kind === wanted) return at + HEADER_BYTES
    // `traf` is entered, everything else stepped over
    at += kind === 'traf' || size < HEADER_BYTES ? HEADER_BYTES : size
  }
  return null
}

function headerOf(bytes: Uint8Array): { size: number; kind: string } {
  return { size: viewOf(bytes).getUint32(0), kind: String.fromCharCode(...bytes.subarray(4, HEADER_BYTES)) }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
