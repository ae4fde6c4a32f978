// Makes a package as a town hands it over, small: two movies of one camera with a gap between, a second camera, a third in H.265
// with a viewing copy, the player beside them, and proofs under which each picture can be sealed again. What leads from there to a
// town's log is not made here.
import { execFileSync } from 'node:child_process'
import { createCipheriv, createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { blake3 } from '@noble/hashes/blake3.js'

const PLACEHOLDER = '<script type="application/json" id="bordereau">null</script>'
/** 12 March 2026, 14:00:00 in Paris (UTC+1). */
export const BEGIN_MS = Date.UTC(2026, 2, 12, 13, 0, 0)
export const RATE = 25
/** Seconds of the movies and of the gap. */
export const FIRST_S = 8
export const GAP_S = 4
export const SECOND_S = 6

const at = (seconds) => new Date(BEGIN_MS + seconds * 1000).toISOString().replace('Z', '000Z')
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

/** Writes the package into `folder`; `player`: the built page. Returns the manifest. */
export function makePackage(folder, player) {
  for (const each of ['video', 'preuves', 'visionnage']) mkdirSync(join(folder, each), { recursive: true })
  const movies = {
    'video/mairie-1.mp4': ['libx264', FIRST_S, 'testsrc2', 2],
    'video/mairie-2.mp4': ['libx264', SECOND_S, 'testsrc2', 2],
    'video/gare-1.mp4': ['libx264', 12, 'testsrc', 0],
    'video/ecole-1.mp4': ['libx265', 2, 'testsrc2', 0],
    'visionnage/ecole-1.mp4': ['libx264', 2, 'testsrc2', 0],
  }
  for (const [path, [codec, seconds, source, bFrames]] of Object.entries(movies)) encode(join(folder, path), codec, seconds, source, bFrames)
  const line = (path, from, seconds, codec = 'h264') => ({
    path, first: at(from), last: at(from + seconds - 1 / RATE), pictures: seconds * RATE, codec, width: 640, height: 360,
  })
  const gap = {
    from: at(FIRST_S - 1 / RATE), to: at(FIRST_S + GAP_S), cause: 'unreachable', fr: 'La caméra ne répondait pas', en: 'The camera did not answer',
  }
  const end = FIRST_S + GAP_S + SECOND_S
  const camera = (id, name, place, to, lines, gaps = []) => ({
    camera: id.repeat(16), name, place, from: at(0), to: at(to), proof: `preuves/${id}.jsonl`, movies: lines, gaps,
  })
  const cameras = [
    camera('a1', 'Caméra 3', 'place de l’Hôtel-de-Ville', end, [line('video/mairie-1.mp4', 0, FIRST_S), line('video/mairie-2.mp4', FIRST_S + GAP_S, SECOND_S)], [gap]),
    camera('b2', 'Caméra 7', 'parvis de la gare', 12, [line('video/gare-1.mp4', 0, 12)]),
    camera('c3', 'Caméra 9', 'école Jules-Ferry', 2, [line('video/ecole-1.mp4', 0, 2, 'h265')]),
  ]
  for (const each of cameras) writeFileSync(join(folder, each.proof), each.movies.map((movie, index) => proofOf(join(folder, movie.path), movie, index)).join(''))
  const manifest = {
    format: 1,
    export: '5e'.repeat(16),
    site: { id: '0f'.repeat(16), name: 'Commune de Valmont-sur-Loue', log_key: 'valmont+00000000+AA==' },
    made: at(7200),
    ground: { number: '2026-014', framework: 'CPP 60-1', authority: 'brigade de gendarmerie de Valmont', procedure: 'PV 00412/2026' },
    cameras,
    files: [],
    clock: { fr: 'Tenue par deux serveurs de temps, écart de moins de 20 ms.', en: 'Kept by two time servers, within 20 ms.' },
    program: { version: '0.4.0', digest: null, law_pack: '2026-03' },
  }
  const carried = JSON.stringify(manifest).replaceAll('<', '\\u003c')
  const page = readFileSync(player, 'utf8')
  if (page.split(PLACEHOLDER).length !== 2) throw new Error('the player has no place for the manifest')
  writeFileSync(join(folder, 'lecteur.html'), page.replace(PLACEHOLDER, () => PLACEHOLDER.replace('null', () => carried)))
  const roles = [...Object.keys(movies).map((path) => [path, path.startsWith('video/') ? 'movie' : 'viewing-copy']), ...cameras.map((each) => [each.proof, 'proof']), ['lecteur.html', 'player']]
  manifest.files = roles.map(([path, role]) => ({ path, role, bytes: statSync(join(folder, path)).size, sha256: sha256(readFileSync(join(folder, path))) }))
  const text = JSON.stringify(manifest, null, 2)
  writeFileSync(join(folder, 'manifeste.json'), text)
  const details = JSON.stringify({ event: 'exported', export: manifest.export, manifest: sha256(text) })
  writeFileSync(join(folder, 'registre.json'), JSON.stringify({ format: 1, checkpoint: '', entries: [{ seq: 7, salt: '00'.repeat(16), details, path: [] }] }))
  return manifest
}

/** One reel's line for one movie: chunks of at most half a second, as docs/formats/evidence.md section 4 has them. */
function proofOf(path, movie, index) {
  const said = execFileSync('ffprobe', ['-v', 'error', '-show_entries', 'packet=pts,dts,size,pos', '-of', 'json', path], { encoding: 'utf8' })
  const { packets } = JSON.parse(said)
  const bytes = readFileSync(path)
  const line = { reel: randomBytes(16).toString('hex'), handle: 2, leaf: 1, leaves: 2, path: [], chunk_digests: [], extent_digests: [], gap_digests: [], extents: [], gaps: [], other_keys: [], chunks: [], damaged: [] }
  for (let from = 0; from < packets.length; from += 12) {
    const frames = packets.slice(from, from + 12).map(({ pts, dts, size, pos }) => ({ pts, dts, size: Number(size), pos: Number(pos) }))
    const head = headOf(frames, BigInt(Date.parse(movie.first)) * 1000n, packets)
    const plain = Buffer.concat([head, ...frames.map(({ pos, size }) => bytes.subarray(pos, pos + size))])
    const [key, commitment, number] = [randomBytes(32), randomBytes(32), line.chunks.length]
    line.chunk_digests.push(sealed(line, number, key, commitment, plain))
    line.chunks.push({ number, movie: index, key: key.toString('hex'), commitment: commitment.toString('hex'), head: head.toString('hex') })
  }
  return `${JSON.stringify(line)}\n`
}

function headOf(frames, firstUs, all) {
  const origin = Math.min(...all.map(({ pts }) => pts))
  const utc = (pts) => firstUs + BigInt(Math.round(((pts - origin) / 90_000) * 1e6))
  const head = Buffer.alloc(28 + 16 * frames.length)
  head.writeUInt8(1, 0)
  head.writeUInt16LE(frames.length, 2)
  head.writeBigInt64LE(utc(Math.min(...frames.map(({ pts }) => pts))), 4)
  head.writeBigInt64LE(utc(Math.max(...frames.map(({ pts }) => pts))), 12)
  head.writeBigInt64LE(BigInt(frames[0].dts) + 7_000_000n, 20)
  frames.forEach(({ pts, dts, size }, index) => {
    head.writeUInt8(5, 28 + 16 * index)
    head.writeUInt32LE(dts - frames[0].dts, 32 + 16 * index)
    head.writeInt32LE(pts - dts, 36 + 16 * index)
    head.writeUInt32LE(size, 40 + 16 * index)
  })
  return head
}

function sealed(line, number, key, commitment, plain) {
  const header = Buffer.alloc(64)
  header.write('VGRL')
  header.set([1, 3], 4)
  header.writeUInt16LE(line.handle, 6)
  header.writeUInt32LE(plain.length + 16, 8)
  header.writeUInt32LE(number, 12)
  header.set(Buffer.from(line.reel, 'hex'), 16)
  header.set(commitment, 32)
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12)).setAAD(header)
  const coded = [cipher.update(plain), cipher.final()]
  return Buffer.from(blake3(Buffer.concat([header, ...coded, cipher.getAuthTag()]))).toString('hex')
}

function encode(path, codec, seconds, source, bFrames) {
  const coding = codec === 'libx264'
    ? ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '20', '-bf', String(bFrames), '-g', String(RATE)]
    : ['-c:v', 'libx265', '-preset', 'ultrafast', '-tag:v', 'hvc1', '-x265-params', 'log-level=none']
  const input = ['-f', 'lavfi', '-i', `${source}=size=640x360:rate=${RATE}:duration=${seconds}`]
  execFileSync('ffmpeg', ['-y', '-v', 'error', ...input, ...coding, '-pix_fmt', 'yuv420p', '-video_track_timescale', '90000', path])
}
