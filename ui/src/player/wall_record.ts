// The records of a wall stream: all live cameras of one permit in one HTTP response.
//
// A browser opens at most six HTTP/1.1 connections to one address, so a wall of six single streams would leave none
// for the rest of the console. Record: payload length u32, place of the camera in the permit's list u16, kind u8,
// zero u8 (all big-endian), then the payload. Kinds: 0 fMP4 bytes, 1 head {content_type, start} as JSON (a new stream
// of that camera begins), 2 end of that camera's stream (JSON problem or empty).

export type RecordKind = 'bytes' | 'head' | 'end' | 'unknown'

export interface WallRecord {
  camera: number
  kind: RecordKind
  payload: Uint8Array
}

export const WALL_CONTENT_TYPE = 'application/vnd.vigie.wall'
const HEADER_BYTES = 8
/** A record longer than this is not ours; a picture is at most 8 MiB. */
export const RECORD_BYTES_MAX = 16 * 1024 * 1024
const KINDS: RecordKind[] = ['bytes', 'head', 'end']

export class WallParser {
  private rest = new Uint8Array(0)

  /** The records completed by these bytes. Throws on a length that cannot be. */
  push(bytes: Uint8Array): WallRecord[] {
    const all = this.rest.length === 0 ? bytes : concat(this.rest, bytes)
    const view = new DataView(all.buffer, all.byteOffset, all.byteLength)
    const records: WallRecord[] = []
    let at = 0
    while (all.length - at >= HEADER_BYTES) {
      const length = view.getUint32(at)
      if (length > RECORD_BYTES_MAX) throw new Error(`wall record of ${length} bytes`)
      if (all.length - at < HEADER_BYTES + length) break
      records.push({
        camera: view.getUint16(at + 4),
        kind: KINDS[view.getUint8(at + 6)] ?? 'unknown',
        payload: all.slice(at + HEADER_BYTES, at + HEADER_BYTES + length),
      })
      at += HEADER_BYTES + length
    }
    this.rest = all.slice(at)
    return records
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all
}
