// Reads a package's manifest (`manifeste.json`, version 1): what the page shows, in the page's own types, or one clear fault. Pure.
import { parseInstant } from './instants'

export const MANIFEST = 'manifeste.json'
export const REGISTER = 'registre.json'
export const FORMAT = 1
export const ROLES = ['movie', 'proof', 'report', 'player', 'viewing-copy', 'other'] as const
export type Role = (typeof ROLES)[number]

export interface Movie {
  path: string
  /** When the pictures that are shown first and last were taken. */
  first: number
  last: number
  pictures: number
  codec: 'h264' | 'h265'
  width: number
  height: number
}

export interface Gap {
  from: number
  to: number
  cause: string
  fr: string
  en: string
}

export interface Camera {
  camera: string
  name: string
  place: string
  /** What was asked for; `to` is exclusive. */
  from: number
  to: number
  proof: string | null
  movies: Movie[]
  gaps: Gap[]
}

export interface FileLine {
  path: string
  role: Role
  bytes: number
  sha256: string
}

export interface Manifest {
  export: string
  site: string
  made: number
  ground: { number: string; framework: string; authority: string; procedure: string }
  cameras: Camera[]
  files: FileLine[]
  clock: { fr: string; en: string }
  program: string
}

/** Why bytes are not a manifest: `where` is the member at fault, as in `cameras[0].movies[2].first`. */
export class ManifestFault extends Error {
  readonly kind: 'json' | 'format' | 'member' | 'path'
  readonly where: string
  constructor(kind: ManifestFault['kind'], where: string) {
    super(`${kind}: ${where}`)
    this.kind = kind
    this.where = where
  }
}

/** Throws a [`ManifestFault`]. */
export function readManifest(text: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new ManifestFault('json', MANIFEST)
  }
  return manifestOf(value)
}

/** The same of JSON that was read already. */
export function manifestOf(value: unknown): Manifest {
  const root = new Reader(value, '')
  const format = root.number('format')
  if (format !== FORMAT) throw new ManifestFault('format', String(format))
  const site = root.object('site')
  const ground = root.object('ground')
  const clock = root.object('clock')
  return {
    export: root.text('export'),
    site: site.text('name'),
    made: root.instant('made'),
    ground: { number: ground.text('number'), framework: ground.text('framework'), authority: ground.text('authority'), procedure: ground.text('procedure') },
    cameras: root.list('cameras').map(cameraOf),
    files: root.list('files').map(fileOf),
    clock: { fr: clock.text('fr'), en: clock.text('en') },
    program: root.object('program').text('version'),
  }
}

function cameraOf(part: Reader): Camera {
  const movies = part.list('movies').map((line): Movie => {
    const codec = line.text('codec')
    if (codec !== 'h264' && codec !== 'h265') throw new ManifestFault('member', line.at('codec'))
    const [first, last] = [line.instant('first'), line.instant('last')]
    if (last < first) throw new ManifestFault('member', line.at('last'))
    return { path: line.path('path'), first, last, pictures: line.number('pictures'), codec, width: line.number('width'), height: line.number('height') }
  })
  const gaps = part.list('gaps').map((line): Gap => ({
    from: line.instant('from'), to: line.instant('to'), cause: line.text('cause'), fr: line.text('fr'), en: line.text('en'),
  }))
  const [from, to] = [part.instant('from'), part.instant('to')]
  if (to < from) throw new ManifestFault('member', part.at('to'))
  const disorder = movies.findIndex((movie, index) => index > 0 && movie.first < movies[index - 1]!.first)
  if (disorder > 0) throw new ManifestFault('member', `${part.at('movies')}[${disorder}]`)
  return { camera: part.text('camera'), name: part.text('name'), place: part.text('place'), from, to, proof: part.pathOrNull('proof'), movies, gaps }
}

function fileOf(line: Reader): FileLine {
  const role = line.text('role')
  if (!(ROLES as readonly string[]).includes(role)) throw new ManifestFault('member', line.at('role'))
  const sha256 = line.text('sha256')
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new ManifestFault('member', line.at('sha256'))
  return { path: line.path('path'), role: role as Role, bytes: line.number('bytes'), sha256 }
}

/** Letters of ASCII, digits, `-`, `_` and `.`, in folders: no way out of the package, and nothing that an address reads otherwise. */
export function isInside(path: string): boolean {
  return path.length <= 240 && path.split('/').every((part) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(part))
}

/** Members of an object by their type, each fault with the whole way to it. */
class Reader {
  private readonly members: Record<string, unknown>
  private readonly way: string

  constructor(value: unknown, way: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ManifestFault('member', way === '' ? MANIFEST : way)
    this.members = value as Record<string, unknown>
    this.way = way
  }

  at(name: string): string {
    return this.way === '' ? name : `${this.way}.${name}`
  }

  text(name: string): string {
    const value = this.members[name]
    if (typeof value !== 'string') throw new ManifestFault('member', this.at(name))
    return value
  }

  number(name: string): number {
    const value = this.members[name]
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new ManifestFault('member', this.at(name))
    return value
  }

  instant(name: string): number {
    const at = parseInstant(this.text(name))
    if (at === null) throw new ManifestFault('member', this.at(name))
    return at
  }

  path(name: string): string {
    const path = this.text(name)
    if (!isInside(path)) throw new ManifestFault('path', path)
    return path
  }

  pathOrNull(name: string): string | null {
    return this.members[name] === null ? null : this.path(name)
  }

  object(name: string): Reader {
    return new Reader(this.members[name], this.at(name))
  }

  list(name: string): Reader[] {
    const value = this.members[name]
    if (!Array.isArray(value)) throw new ManifestFault('member', this.at(name))
    return value.map((each, index) => new Reader(each, `${this.at(name)}[${index}]`))
  }
}
