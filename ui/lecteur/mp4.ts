// Reads the tables of an MP4 file without fragments (ISO/IEC 14496-12) from a file on disk: where each picture lies and when it
// is shown. Only headers and `moov` are read; pictures stay where they are.

/** 2 days at 50 frames/s are 8.6 million pictures with 20 bytes each in `moov`. */
const MOOV_BYTES_MAX = 256 * 1024 * 1024
/** One `mdat` a minute: a week has 10,080. */
const TOP_BOXES_MAX = 100_000

export class Mp4Fault extends Error {}

export interface Box {
  kind: string
  /** From the box's own header on; the body follows after `header` bytes. */
  at: number
  header: number
  size: number
}

/** One file's video track. Arrays have one value a picture, in decoding order. */
export interface Track {
  file: Blob
  ftyp: Uint8Array
  moov: Uint8Array
  /** Ticks a second of the track, and of the whole movie. */
  timescale: number
  movieTimescale: number
  dts: Float64Array
  pts: Float64Array
  sizes: Uint32Array
  offsets: Float64Array
  isSync: Uint8Array
  /** Seconds from the file's beginning at which pictures are shown, ascending. */
  shown: Float64Array
  /** Ticks of the picture that is shown first. */
  origin: number
}

/** Throws an [`Mp4Fault`] on a file that is no such MP4. */
export async function readTrack(file: Blob): Promise<Track> {
  const tops = await topBoxes(file)
  const moovBox = tops.find((box) => box.kind === 'moov')
  if (moovBox === undefined) throw new Mp4Fault('no moov')
  if (moovBox.size > MOOV_BYTES_MAX) throw new Mp4Fault(`a moov of ${moovBox.size} bytes`)
  if (tops.some((box) => box.kind === 'moof')) throw new Mp4Fault('fragments')
  const moov = await bytesOf(file, moovBox)
  const ftypBox = tops.find((box) => box.kind === 'ftyp')
  const ftyp = ftypBox === undefined ? new Uint8Array(0) : await bytesOf(file, ftypBox)
  const trak = boxesIn(moov, bodyOf(wholeBox(moov))).find((box) => box.kind === 'trak' && isVideo(moov, box))
  if (trak === undefined) throw new Mp4Fault('no video track')
  const stbl = need(moov, trak, ['mdia', 'minf', 'stbl'])
  const sizes = sizesOf(moov, need(moov, stbl, ['stsz']))
  const dts = decodingTimes(moov, need(moov, stbl, ['stts']), sizes.length)
  const pts = presentationTimes(moov, find(moov, stbl, ['ctts']), dts)
  const timescale = timescaleOf(moov, need(moov, trak, ['mdia', 'mdhd']))
  const origin = pts.reduce((least, each) => Math.min(least, each), Infinity)
  const shown = pts.map((ticks) => (ticks - origin) / timescale).sort()
  const offsets = offsetsOf(moov, stbl, sizes)
  const isSync = syncOf(moov, find(moov, stbl, ['stss']), sizes.length)
  return { file, ftyp, moov, timescale, movieTimescale: timescaleOf(moov, need(moov, wholeBox(moov), ['mvhd'])), dts, pts, sizes, offsets, isSync, shown, origin }
}

/** Seconds from the first picture that is shown to the last. */
export function lengthOf(track: Track): number {
  return track.shown.at(-1) ?? 0
}

/** The number of the picture that is on the screen so many seconds into the file. */
export function pictureAt(shown: Float64Array, seconds: number): number {
  let [low, high] = [0, shown.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    // A player rounds to microseconds.
    if (shown[middle]! <= seconds + 2e-6) low = middle
    else high = middle - 1
  }
  return low
}

/** A time in the middle of a picture: no rounding leads to its neighbour. */
export function middleOf(shown: Float64Array, picture: number): number {
  const begin = shown[picture] ?? 0
  const next = shown[picture + 1]
  return next === undefined ? begin + 0.001 : (begin + next) / 2
}

export function boxesIn(bytes: Uint8Array, [from, to]: [number, number]): Box[] {
  const view = viewOf(bytes)
  const boxes: Box[] = []
  let at = from
  while (at + 8 <= to) {
    const box = headerOf(view, at, at, to)
    if (box.size < box.header || at + box.size > to) throw new Mp4Fault(`a box ${box.kind} of ${box.size} bytes`)
    boxes.push(box)
    at += box.size
  }
  return boxes
}

export function bodyOf(box: Box): [number, number] {
  return [box.at + box.header, box.at + box.size]
}

/** The box at the end of a way of names. */
export function find(bytes: Uint8Array, box: Box, way: string[]): Box | null {
  let here = box
  for (const kind of way) {
    const next = boxesIn(bytes, bodyOf(here)).find((each) => each.kind === kind)
    if (next === undefined) return null
    here = next
  }
  return here
}

export function need(bytes: Uint8Array, box: Box, way: string[]): Box {
  const found = find(bytes, box, way)
  if (found === null) throw new Mp4Fault(`no ${way.join('/')}`)
  return found
}

/** `bytes` as the one box that they are. */
export function wholeBox(bytes: Uint8Array): Box {
  return headerOf(viewOf(bytes), 0, 0, bytes.length)
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export function isVideo(moov: Uint8Array, trak: Box): boolean {
  const handler = find(moov, trak, ['mdia', 'hdlr'])
  return handler !== null && kindAt(viewOf(moov), handler.at + handler.header + 8) === 'vide'
}

async function topBoxes(file: Blob): Promise<Box[]> {
  const boxes: Box[] = []
  let at = 0
  while (at + 8 <= file.size) {
    const view = new DataView(await file.slice(at, at + 16).arrayBuffer())
    const box = headerOf(view, 0, at, file.size)
    if (box.size < box.header || at + box.size > file.size) throw new Mp4Fault(`a box ${box.kind} of ${box.size} bytes at ${at}`)
    boxes.push(box)
    at += box.size
    if (boxes.length > TOP_BOXES_MAX) throw new Mp4Fault('too many boxes')
  }
  return boxes
}

/** Reads at `where` the header of a box that stands at `at` in its file, which ends at `end`. */
function headerOf(view: DataView, where: number, at: number, end: number): Box {
  const kind = kindAt(view, where + 4)
  const short = view.getUint32(where)
  if (short === 0) return { kind, at, header: 8, size: end - at }
  if (short !== 1) return { kind, at, header: 8, size: short }
  if (where + 16 > view.byteLength) throw new Mp4Fault(`a box ${kind} that ends in its header`)
  return { kind, at, header: 16, size: Number(view.getBigUint64(where + 8)) }
}

function kindAt(view: DataView, at: number): string {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3))
}

async function bytesOf(file: Blob, box: Box): Promise<Uint8Array> {
  return new Uint8Array(await file.slice(box.at, box.at + box.size).arrayBuffer())
}

/** A full box's table: its version, its first entry, and how many entries of `bytes` it has. */
function table(moov: Uint8Array, box: Box, bytes: number, before = 4): { view: DataView; version: number; at: number; count: number } {
  const view = viewOf(moov)
  const [from, to] = bodyOf(box)
  if (from + before + 4 > to) throw new Mp4Fault(`a short ${box.kind}`)
  const count = view.getUint32(from + before)
  const at = from + before + 4
  if (at + count * bytes > to) throw new Mp4Fault(`a short ${box.kind}`)
  return { view, version: view.getUint8(from), at, count }
}

function timescaleOf(moov: Uint8Array, box: Box): number {
  const view = viewOf(moov)
  const from = box.at + box.header
  const timescale = view.getUint32(from + (view.getUint8(from) === 1 ? 20 : 12))
  if (timescale === 0) throw new Mp4Fault(`a ${box.kind} without a timescale`)
  return timescale
}

function sizesOf(moov: Uint8Array, box: Box): Uint32Array {
  const view = viewOf(moov)
  const same = view.getUint32(box.at + box.header + 4)
  // With one size for all, no table follows the count.
  const { at, count } = table(moov, box, same === 0 ? 4 : 0, 8)
  if (count === 0) throw new Mp4Fault('no picture')
  return Uint32Array.from({ length: count }, (_, index) => (same === 0 ? view.getUint32(at + 4 * index) : same))
}

function decodingTimes(moov: Uint8Array, box: Box, count: number): Float64Array {
  const { view, at, count: runs } = table(moov, box, 8)
  const times = new Float64Array(count)
  let [index, ticks] = [0, 0]
  for (let run = 0; run < runs; run += 1) {
    const delta = view.getUint32(at + 8 * run + 4)
    for (let left = view.getUint32(at + 8 * run); left > 0 && index < count; left -= 1) {
      times[index] = ticks
      ticks += delta
      index += 1
    }
  }
  if (index < count) throw new Mp4Fault('a short stts')
  return times
}

function presentationTimes(moov: Uint8Array, box: Box | null, dts: Float64Array): Float64Array {
  const times = dts.slice()
  if (box === null) return times
  const { view, at, count: runs } = table(moov, box, 8)
  let index = 0
  for (let run = 0; run < runs; run += 1) {
    // Written unsigned in version 0; no writer means more than 2^31 ticks, many mean a negative offset.
    const offset = view.getInt32(at + 8 * run + 4)
    for (let left = view.getUint32(at + 8 * run); left > 0 && index < dts.length; left -= 1) {
      times[index] = times[index]! + offset
      index += 1
    }
  }
  return times
}

function offsetsOf(moov: Uint8Array, stbl: Box, sizes: Uint32Array): Float64Array {
  const wide = find(moov, stbl, ['co64'])
  const chunks = table(moov, wide ?? need(moov, stbl, ['stco']), wide === null ? 4 : 8)
  const runs = table(moov, need(moov, stbl, ['stsc']), 12)
  const offsets = new Float64Array(sizes.length)
  let [index, run] = [0, 0]
  for (let chunk = 0; chunk < chunks.count && index < sizes.length; chunk += 1) {
    while (run + 1 < runs.count && runs.view.getUint32(runs.at + 12 * (run + 1)) <= chunk + 1) run += 1
    let at = wide === null ? chunks.view.getUint32(chunks.at + 4 * chunk) : Number(chunks.view.getBigUint64(chunks.at + 8 * chunk))
    for (let left = runs.view.getUint32(runs.at + 12 * run + 4); left > 0 && index < sizes.length; left -= 1) {
      offsets[index] = at
      at += sizes[index]!
      index += 1
    }
  }
  if (index < sizes.length) throw new Mp4Fault('a short stsc')
  return offsets
}

/** Without `stss` every picture can be decoded alone. */
function syncOf(moov: Uint8Array, box: Box | null, count: number): Uint8Array {
  if (box === null) return new Uint8Array(count).fill(1)
  const isSync = new Uint8Array(count)
  const { view, at, count: entries } = table(moov, box, 4)
  for (let entry = 0; entry < entries; entry += 1) {
    const index = view.getUint32(at + 4 * entry) - 1
    if (index < count) isSync[index] = 1
  }
  return isSync
}
