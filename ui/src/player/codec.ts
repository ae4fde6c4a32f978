// How pictures are coded, as a browser is asked about it and as a person is told: types by RFC 6381.

/** The type of an initialization segment, from its decoder configuration; `null` for one that is neither H.264 nor H.265. */
export function contentTypeOf(moov: Uint8Array): string | null {
  const avc = find(moov, 'avcC')
  if (avc !== null) return type(`avc1.${[1, 2, 3].map((at) => hex(moov[avc + at] ?? 0)).join('')}`)
  const hevc = find(moov, 'hvcC')
  return hevc === null ? null : type(hvc1(moov.subarray(hevc)))
}

/** The word that people know, `H.265`, of a type or of the recorder's own word. */
export function formatName(contentType: string): string {
  if (/hvc1|hev1|^H265$/.test(contentType)) return 'H.265'
  return /avc1|avc3|^H264$/.test(contentType) ? 'H.264' : contentType
}

/** Whether this browser says that it plays exactly this. */
export function isPlayable(contentType: string): boolean {
  return typeof MediaSource !== 'undefined' && MediaSource.isTypeSupported(contentType)
}

/** Whether this browser plays a format that is known by its word only, `H264` or `H265`: asked with what cameras send most. */
export function playsFormat(format: string): boolean {
  const name = format.replace('.', '').toUpperCase()
  if (name === 'H265') return isPlayable(type('hvc1.1.6.L93.B0'))
  return name !== 'H264' || isPlayable(type('avc1.4d401f'))
}

/** ISO/IEC 14496-15, E.3: profile, compatibility (lowest bit first), tier and level, constraints without trailing zeros. */
function hvc1(record: Uint8Array): string {
  const byte = (at: number) => record[at] ?? 0
  const space = ['', 'A', 'B', 'C'][byte(1) >> 6] ?? ''
  let compatibility = 0
  for (let bit = 0; bit < 32; bit++) {
    if ((byte(2 + (bit >> 3)) & (0x80 >> (bit & 7))) !== 0) compatibility += 2 ** bit
  }
  const constraints = Array.from(record.subarray(6, 12))
  while (constraints.at(-1) === 0) constraints.pop()
  const tier = (byte(1) & 0x20) === 0 ? 'L' : 'H'
  const parts = [`hvc1.${space}${byte(1) & 0x1f}`, compatibility.toString(16), `${tier}${byte(12)}`]
  return [...parts, ...constraints.map((each) => each.toString(16))].map((part, at) => (at === 0 ? part : part.toUpperCase())).join('.')
}

function type(codec: string): string {
  return `video/mp4; codecs="${codec}"`
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

/** Where the body of the first such box begins. Nothing before it in our `moov` can look like its name. */
function find(moov: Uint8Array, name: string): number | null {
  const wanted = Array.from(name, (letter) => letter.charCodeAt(0))
  const at = moov.findIndex((_, start) => wanted.every((letter, n) => moov[start + n] === letter))
  return at < 0 ? null : at + 4
}
