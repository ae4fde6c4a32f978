// Where an instant lies in what was handed over of one camera: in a file, in a gap, in neither, or outside. Pure.
import { SECOND_US } from './instants'
import type { Camera, Gap, Movie } from './manifest'

/** Where two files meet without a declared gap, as the checker allows it (docs/formats/evidence.md, section 4). */
const SEAM_US = 2.5 * SECOND_US

export type Where =
  | { kind: 'picture'; movie: number; at: number }
  /** `before` and `after`: the files on both sides, where there are any. */
  | { kind: 'gap'; gap: Gap; before: number | null; after: number | null }
  /** Asked for, not handed over, and no gap says why. */
  | { kind: 'unsaid'; before: number | null; after: number | null }
  | { kind: 'outside'; side: 'before' | 'after'; from: number; to: number }

export function locate(camera: Camera, at: number): Where {
  const movie = camera.movies.findLastIndex((each) => each.first <= at && at < each.last + pictureLength(each))
  if (movie >= 0) return { kind: 'picture', movie, at: Math.min(at, camera.movies[movie]!.last) }
  const { from, to } = bounds(camera)
  if (at < from) return { kind: 'outside', side: 'before', from, to }
  if (at >= to) return { kind: 'outside', side: 'after', from, to }
  const neighbours = { before: orNull(camera.movies.findLastIndex((each) => each.last <= at)), after: orNull(camera.movies.findIndex((each) => at < each.first)) }
  const gap = camera.gaps.find((each) => each.from <= at && at < each.to)
  if (gap !== undefined) return { kind: 'gap', gap, ...neighbours }
  return nearby(camera, at, neighbours) ?? { kind: 'unsaid', ...neighbours }
}

function nearby(camera: Camera, at: number, { before, after }: { before: number | null; after: number | null }): Where | null {
  if (after !== null && camera.movies[after]!.first - at <= SEAM_US) return { kind: 'picture', movie: after, at: camera.movies[after]!.first }
  if (before !== null && at - camera.movies[before]!.last <= SEAM_US) return { kind: 'picture', movie: before, at: camera.movies[before]!.last }
  return null
}

/** From the first instant that was asked for or is shown to the last. */
export function bounds(camera: Camera): { from: number; to: number } {
  const last = camera.movies.at(-1)
  return {
    from: Math.min(camera.from, camera.movies[0]?.first ?? camera.from),
    to: Math.max(camera.to, last === undefined ? camera.to : last.last + pictureLength(last)),
  }
}

/** How long a picture stands, on the average. */
export function pictureLength(movie: Movie): number {
  return movie.pictures > 1 ? (movie.last - movie.first) / (movie.pictures - 1) : SECOND_US / 25
}

/** The gaps that lie between two files that follow one another, longest first. */
export function gapsBetween(camera: Camera, movie: number): Gap[] {
  const [one, next] = [camera.movies[movie], camera.movies[movie + 1]]
  if (one === undefined || next === undefined) return []
  return camera.gaps.filter((gap) => gap.from < next.first && one.last < gap.to).sort((a, b) => b.to - b.from - (a.to - a.from))
}

/** Whether two files that follow one another have a pause between them that a viewer must be told of. */
export function isSeam(camera: Camera, movie: number): boolean {
  const [one, next] = [camera.movies[movie], camera.movies[movie + 1]]
  return one !== undefined && next !== undefined && next.first - one.last <= SEAM_US && gapsBetween(camera, movie).length === 0
}

/** Seconds into a file at which the picture of `at` stands; `length`: seconds from its first picture to its last. */
export function offsetAt(movie: Movie, at: number, length: number): number {
  const span = movie.last - movie.first
  return span <= 0 ? 0 : (Math.min(Math.max(at - movie.first, 0), span) / span) * length
}

/** The instant of the picture that stands so many seconds into a file. */
export function instantAt(movie: Movie, offset: number, length: number): number {
  if (length <= 0) return movie.first
  return movie.first + Math.round((Math.min(Math.max(offset, 0), length) / length) * (movie.last - movie.first))
}

/** Seconds from first to last picture by the manifest alone, while the file's own table is not at hand. */
export function nominalLength(movie: Movie): number {
  return (movie.last - movie.first) / SECOND_US
}

function orNull(index: number): number | null {
  return index < 0 ? null : index
}
