// Cuts a span out of an MP4 file without touching a picture: their bytes are referred to in the file, only the tables are new.
// So a span of gigabytes needs no memory, and what was coded stays as the camera coded it.
import { concatBytes } from '@noble/hashes/utils.js'
import { bodyOf, boxesIn, isVideo, need, viewOf, wholeBox, type Box, type Track } from './mp4'

export interface Cut {
  /** Pictures in decoding order: `begin` inclusive, `end` exclusive. */
  begin: number
  end: number
  /** Seconds into the file at which the first and the last of them are shown. */
  first: number
  last: number
}

/** What is needed to see the file from `from` to `to` (seconds): from the key picture before, with all that is decoded up to `to`. */
export function cutOf(track: Track, from: number, to: number): Cut {
  const seconds = (index: number) => (track.pts[index]! - track.origin) / track.timescale
  // A player rounds to microseconds.
  const slack = 2e-6
  let begin = 0
  for (let index = 0; index < track.pts.length; index += 1) {
    if (track.isSync[index] === 1 && seconds(index) <= from + slack) begin = index
  }
  let end = begin + 1
  for (let index = begin; index < track.pts.length; index += 1) if (seconds(index) <= to + slack) end = index + 1
  let [first, last] = [Infinity, -Infinity]
  for (let index = begin; index < end; index += 1) [first, last] = [Math.min(first, seconds(index)), Math.max(last, seconds(index))]
  return { begin, end, first, last }
}

/** The cut as an MP4 file: `ftyp`, `moov`, one `mdat`. `taken`: when its first picture was, in seconds since 1970. */
export function cutFile(track: Track, cut: Cut, taken: number): Blob {
  const pieces = piecesOf(track, cut)
  const data = pieces.reduce((sum, piece) => sum + piece.size, 0)
  const mdat = data + 8 > 0xffffffff ? concatBytes(u32(1), ascii('mdat'), u64(data + 16)) : concatBytes(u32(data + 8), ascii('mdat'))
  // The table of places has the same length whatever it says, so a first attempt tells where pictures begin.
  const attempt = moovOf(track, cut, pieces, 0, taken)
  const moov = moovOf(track, cut, pieces, track.ftyp.length + attempt.length + mdat.length, taken)
  const pictures = pieces.map((piece) => track.file.slice(piece.at, piece.at + piece.size))
  return new Blob([part(track.ftyp), part(moov), part(mdat), ...pictures], { type: 'video/mp4' })
}

/** Pictures that follow one another without a hole in the file. */
interface Piece {
  at: number
  size: number
  count: number
}

function piecesOf(track: Track, cut: Cut): Piece[] {
  const pieces: Piece[] = []
  for (let index = cut.begin; index < cut.end; index += 1) {
    const [at, size] = [track.offsets[index]!, track.sizes[index]!]
    const last = pieces.at(-1)
    if (last !== undefined && last.at + last.size === at) {
      last.size += size
      last.count += 1
    } else pieces.push({ at, size, count: 1 })
  }
  return pieces
}

function moovOf(track: Track, cut: Cut, pieces: Piece[], dataAt: number, taken: number): Uint8Array {
  const { moov } = track
  const length = durations(track, cut).reduce((sum, ticks) => sum + ticks, 0)
  const movieLength = Math.round((length / track.timescale) * track.movieTimescale)
  const whole = wholeBox(moov)
  const trak = boxesIn(moov, bodyOf(whole)).find((each) => each.kind === 'trak' && isVideo(moov, each))!
  const mdia = need(moov, trak, ['mdia'])
  const minf = need(moov, mdia, ['minf'])
  const inMinf = boxesIn(moov, bodyOf(minf)).filter((each) => each.kind !== 'stbl').map((each) => bytesOf(moov, each))
  const stbl = box('stbl', [bytesOf(moov, need(moov, minf, ['stbl', 'stsd'])), ...tables(track, cut, pieces, dataAt)])
  const newMdia = box('mdia', [
    dated(bytesOf(moov, need(moov, mdia, ['mdhd'])), taken, length, 16, 24), bytesOf(moov, need(moov, mdia, ['hdlr'])), box('minf', [...inMinf, stbl]),
  ])
  const newTrak = box('trak', [dated(bytesOf(moov, need(moov, trak, ['tkhd'])), taken, movieLength, 20, 28), ...edit(track, cut, movieLength), newMdia])
  return box('moov', [dated(bytesOf(moov, need(moov, whole, ['mvhd'])), taken, movieLength, 16, 24), newTrak])
}

/** Where pictures are shown later than decoded, an edit list begins with the first that is shown. */
function edit(track: Track, cut: Cut, movieLength: number): Uint8Array[] {
  const shown = Math.round(cut.first * track.timescale) + track.origin - track.dts[cut.begin]!
  if (shown <= 0) return []
  return [box('edts', [box('elst', [u32(1 << 24), u32(1), u64(movieLength), u64(shown), u32(1 << 16)])])]
}

function durations(track: Track, cut: Cut): number[] {
  const all: number[] = []
  for (let index = cut.begin; index < cut.end; index += 1) {
    const next = index + 1 < track.dts.length ? track.dts[index + 1]! - track.dts[index]! : (all.at(-1) ?? Math.round(track.timescale / 25))
    all.push(next)
  }
  return all
}

function tables(track: Track, cut: Cut, pieces: Piece[], dataAt: number): Uint8Array[] {
  const offsets: number[] = []
  const syncs: number[] = []
  for (let index = cut.begin; index < cut.end; index += 1) {
    offsets.push(track.pts[index]! - track.dts[index]!)
    if (track.isSync[index] === 1) syncs.push(index - cut.begin + 1)
  }
  const places: Uint8Array[] = []
  let at = dataAt
  for (const piece of pieces) {
    places.push(u64(at))
    at += piece.size
  }
  const counts = pieces.flatMap((piece, index) => [u32(index + 1), u32(piece.count), u32(1)])
  const composition = offsets.some((offset) => offset !== 0)
    ? [box('ctts', [u32(offsets.some((offset) => offset < 0) ? 1 << 24 : 0), ...runs(offsets)])]
    : []
  return [
    box('stts', [u32(0), ...runs(durations(track, cut))]),
    ...composition,
    box('stss', [u32(0), u32(syncs.length), ...syncs.map(u32)]),
    box('stsc', [u32(0), u32(pieces.length), ...counts]),
    box('stsz', [u32(0), u32(0), u32(cut.end - cut.begin), part(bigEndian(track.sizes.subarray(cut.begin, cut.end)))]),
    box('co64', [u32(0), u32(pieces.length), ...places]),
  ]
}

/** How many runs, and each as its count and its value. */
function runs(values: number[]): Uint8Array[] {
  const found: { count: number; value: number }[] = []
  for (const value of values) {
    const last = found.at(-1)
    if (last !== undefined && last.value === value) last.count += 1
    else found.push({ count: 1, value })
  }
  return [u32(found.length), ...found.flatMap(({ count, value }) => [u32(count), u32(value)])]
}

const FROM_1904_TO_1970 = 2_082_844_800

/** A header box with another beginning and length; `short` and `long`: where version 0 and 1 have the length, after the header. */
function dated(bytes: Uint8Array, taken: number, length: number, short: number, long: number): Uint8Array {
  const made = bytes.slice()
  const view = viewOf(made)
  const since = Math.max(0, Math.floor(taken) + FROM_1904_TO_1970)
  if (view.getUint8(8) === 1) {
    view.setBigUint64(12, BigInt(since))
    view.setBigUint64(20, BigInt(since))
    view.setBigUint64(8 + long, BigInt(length))
  } else {
    view.setUint32(12, since)
    view.setUint32(16, since)
    view.setUint32(8 + short, length)
  }
  return made
}

function box(kind: string, parts: Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, each) => sum + each.length, 8)
  return concatBytes(u32(size), ascii(kind), ...parts)
}

function bytesOf(moov: Uint8Array, { at, size }: Box): Uint8Array {
  return moov.subarray(at, at + size)
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (sign) => sign.charCodeAt(0))
}

/** The same bits of negative numbers, as signed tables want them. */
function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}

function u64(value: number): Uint8Array {
  return concatBytes(u32(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32))
}

function bigEndian(values: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  values.forEach((value, index) => viewOf(bytes).setUint32(4 * index, value))
  return bytes
}

function part(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>
}
