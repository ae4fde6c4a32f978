// What is on the screen and where: one camera, one of its files, one picture, playing or frozen; files follow one another.
import type { Folder } from './folder'
import { instantText, pick, t } from './language.svelte'
import type { Camera, Manifest, Movie } from './manifest'
import { lengthOf, middleOf, pictureAt, readTrack, type Track } from './mp4'
import { gapsBetween, instantAt, isSeam, locate, nominalLength, offsetAt, pictureLength, type Where } from './where'

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8]
/** A disk that spins up takes seconds; after so long the page goes on without. */
const WAIT_MS = 8000

export type Motion = 'frozen' | 'forward' | 'reverse'

export class Deck {
  manifest: Manifest
  folder = $state.raw<Folder | null>(null)
  cameraIndex = $state(0)
  /** The file that is loaded, and the seconds into it of the picture that is on the screen. */
  movieIndex = $state<number | null>(null)
  offset = $state(0)
  /** The table of that file, once the folder is open. */
  track = $state.raw<Track | null>(null)
  motion = $state<Motion>('frozen')
  speed = $state(1)
  /** Asked for, and no picture is there. */
  hole = $state.raw<{ at: number; where: Where } | null>(null)
  /** What was passed over, in words of the language in force. */
  notice = $state.raw<(() => string) | null>(null)
  fault = $state<'unsupported' | 'missing' | null>(null)
  showsCopy = $state(false)
  video: HTMLVideoElement | null = null
  private addresses = new Map<string, string>()
  private tracks = new Map<string, Track | null>()
  private loaded = ''
  /** Grows with each order: what was ordered before ends. */
  private order = 0

  constructor(manifest: Manifest) {
    this.manifest = $state.raw(manifest)
  }

  get camera(): Camera {
    return this.manifest.cameras[this.cameraIndex]!
  }

  get movie(): Movie | null {
    return this.movieIndex === null ? null : (this.camera.movies[this.movieIndex] ?? null)
  }

  /** The instant that is shown or was asked for. */
  get at(): number {
    if (this.hole !== null) return this.hole.at
    return this.movie === null ? this.camera.from : instantAt(this.movie, this.offset, this.length)
  }

  /** Seconds from the file's first picture to its last. */
  get length(): number {
    if (this.track !== null) return lengthOf(this.track)
    return this.movie === null ? 0 : nominalLength(this.movie)
  }

  /** The number of the picture in its file, from 1; `null` while the table is not at hand. */
  get picture(): number | null {
    return this.track === null || this.hole !== null ? null : pictureAt(this.track.shown, this.offset) + 1
  }

  /** A file for the eye, made of this one: its name begins with this one's (`video/a.mp4`, `visionnage/a.mp4` or `a-copie.mp4`). */
  get copy(): string | null {
    const stem = this.movie === null ? null : stemOf(this.movie.path)
    const named = (path: string) => stem !== null && stemOf(path).startsWith(stem) && !/^\d/.test(stemOf(path).slice(stem.length))
    return this.manifest.files.find((line) => line.role === 'viewing-copy' && named(line.path))?.path ?? null
  }

  get path(): string {
    return (this.showsCopy ? this.copy : null) ?? this.movie?.path ?? ''
  }

  attach(video: HTMLVideoElement): () => void {
    this.video = video
    const follow = () => {
      if (this.video !== video) return
      video.requestVideoFrameCallback?.((_, frame) => {
        this.saw(frame.mediaTime)
        follow()
      })
    }
    follow()
    this.goToFirst()
    return () => {
      this.video = null
    }
  }

  /** From now on files are read from the folder that the reader chose. */
  async openFolder(folder: Folder, manifest: Manifest): Promise<void> {
    const at = this.at
    for (const address of this.addresses.values()) URL.revokeObjectURL(address)
    this.addresses.clear()
    this.tracks.clear()
    this.loaded = ''
    this.manifest = manifest
    this.cameraIndex = Math.min(this.cameraIndex, manifest.cameras.length - 1)
    this.folder = folder
    this.freeze()
    await this.goTo(at)
  }

  async chooseCamera(index: number): Promise<void> {
    const at = this.at
    this.cameraIndex = index
    this.movieIndex = null
    this.notice = null
    this.showsCopy = false
    this.hole = null
    this.fault = null
    this.loaded = ''
    const where = locate(this.camera, at)
    if (where.kind === 'outside') await this.goToFirst()
    else await this.goTo(at)
  }

  async goToFirst(): Promise<void> {
    const first = this.camera.movies.length > 0 ? Math.max(this.camera.from, this.camera.movies[0]!.first) : null
    if (first !== null) await this.goTo(first)
  }

  /** Shows the picture of an instant, or says why there is none. */
  async goTo(at: number): Promise<void> {
    this.notice = null
    const where = locate(this.camera, at)
    if (where.kind === 'picture') {
      const isShown = await this.show(where.movie, (movie, length) => offsetAt(movie, where.at, length))
      if (isShown && this.motion !== 'frozen') this.run()
      return
    }
    this.freeze()
    this.hole = { at, where }
  }

  async goToStart(movie: number): Promise<boolean> {
    return this.show(movie, () => 0)
  }

  async goToEnd(movie: number): Promise<boolean> {
    return this.show(movie, (_, length) => length)
  }

  freeze(): void {
    this.order += 1
    this.motion = 'frozen'
    this.video?.pause()
  }

  async move(motion: 'forward' | 'reverse'): Promise<void> {
    this.notice = null
    if (this.hole !== null && !(await this.leaveHole(motion === 'forward'))) return
    this.motion = motion
    this.run()
  }

  setSpeed(speed: number): void {
    this.speed = speed
    if (this.video !== null) this.video.playbackRate = speed
    if (this.motion === 'reverse') this.run()
  }

  /** One picture on or back, into the next file where this one ends. */
  async step(isForward: boolean): Promise<void> {
    this.freeze()
    this.notice = null
    if (this.hole !== null) {
      await this.leaveHole(isForward)
      return
    }
    if (this.movieIndex === null || this.movie === null) return
    const shown = this.track?.shown ?? null
    const index = shown === null ? Math.round(this.offset / this.pictureSeconds()) : pictureAt(shown, this.offset)
    const count = shown?.length ?? this.movie.pictures
    const next = index + (isForward ? 1 : -1)
    if (next < 0 || next >= count) await this.pass(isForward)
    else await this.show(this.movieIndex, () => (shown === null ? (next + 0.5) * this.pictureSeconds() : middleOf(shown, next)))
  }

  /** The file's end was reached while playing. */
  async ended(): Promise<void> {
    if (this.motion !== 'forward') return
    if (await this.pass(true)) this.run()
  }

  failed(): void {
    this.freeze()
    this.fault = this.movie?.codec === 'h265' && !playsH265() ? 'unsupported' : 'missing'
  }

  /** The address of a file: its own beside the page, or of the chosen folder's file. */
  private addressOf(path: string): string {
    const file = this.folder?.get(path)
    if (file === undefined) return path
    const known = this.addresses.get(path) ?? URL.createObjectURL(file)
    this.addresses.set(path, known)
    return known
  }

  /** A frame that was on its way when another place was sought is told after it: while frozen, what counts is where the video stands. */
  private saw(seconds: number): void {
    if (this.hole !== null || (this.motion === 'frozen' && !this.isOfNow(seconds))) return
    this.offset = seconds
  }

  private isOfNow(seconds: number): boolean {
    const now = this.video?.currentTime ?? seconds
    const shown = this.track?.shown ?? null
    return shown === null ? Math.abs(now - seconds) < 2 * this.pictureSeconds() : pictureAt(shown, now) === pictureAt(shown, seconds)
  }

  private pictureSeconds(): number {
    return this.movie === null ? 0.04 : pictureLength(this.movie) / 1_000_000
  }

  /** On to the neighbouring file; says what lies between. False at the end of all. */
  private async pass(isForward: boolean): Promise<boolean> {
    const from = this.movieIndex
    if (from === null) return false
    const to = from + (isForward ? 1 : -1)
    if (to < 0 || to >= this.camera.movies.length) {
      this.freeze()
      this.notice = () => t(isForward ? 'notice.end' : 'notice.beginning')
      return false
    }
    const isShown = isForward ? await this.goToStart(to) : await this.goToEnd(to)
    if (isShown) this.notice = this.wordsBetween(Math.min(from, to))
    return isShown
  }

  private wordsBetween(movie: number): (() => string) | null {
    if (isSeam(this.camera, movie)) return null
    const gap = gapsBetween(this.camera, movie)[0]
    const [one, next] = [this.camera.movies[movie]!, this.camera.movies[movie + 1]!]
    if (gap === undefined) return () => t('notice.over-unsaid', { from: instantText(one.last), to: instantText(next.first) })
    return () => t('notice.over-gap', { from: instantText(gap.from), to: instantText(gap.to), cause: pick(gap) })
  }

  private async leaveHole(isForward: boolean): Promise<boolean> {
    const where = this.hole?.where
    if (where === undefined || where.kind === 'picture') return true
    const outside = where.kind === 'outside'
    const after = outside ? (where.side === 'before' && this.camera.movies.length > 0 ? 0 : null) : where.after
    const before = outside ? (where.side === 'after' && this.camera.movies.length > 0 ? this.camera.movies.length - 1 : null) : where.before
    const to = isForward ? after : before
    if (to === null) return false
    return isForward ? this.goToStart(to) : this.goToEnd(to)
  }

  /**
   * Loads a file where it is not the one on the screen, and seeks to the seconds that `wanted` gives of its length. False where
   * that failed or another order came meanwhile.
   */
  private async show(index: number, wanted: (movie: Movie, length: number) => number): Promise<boolean> {
    this.order += 1
    const order = this.order
    const video = this.video
    const movie = this.camera.movies[index]
    if (video === null || movie === undefined) return false
    if (this.movieIndex !== index) this.track = null
    this.movieIndex = index
    this.hole = null
    const { path } = this
    const source = this.addressOf(path)
    if (this.loaded !== source) {
      this.loaded = source
      this.fault = null
      video.src = source
      if (!(await happens(video, 'loadedmetadata')) || order !== this.order) return false
      video.playbackRate = this.speed
    }
    const track = await this.trackOf(path)
    if (order !== this.order) return false
    this.track = track
    const seconds = Math.min(Math.max(wanted(movie, this.length), 0), this.length)
    const target = track === null ? seconds + Math.min(0.002, this.pictureSeconds() / 4) : middleOf(track.shown, pictureAt(track.shown, seconds))
    this.offset = seconds
    video.currentTime = Math.min(target, Math.max(0, video.duration - 0.0005))
    return (await happens(video, 'seeked')) && order === this.order
  }

  private async trackOf(path: string): Promise<Track | null> {
    const file = this.folder?.get(path)
    if (file === undefined) return null
    const known = this.tracks.get(path)
    if (known !== undefined) return known
    // A copy for the eye may be of a form that this reader does not know; it plays without its table.
    const track = await readTrack(file).catch(() => null)
    this.tracks.set(path, track)
    return track
  }

  private run(): void {
    this.order += 1
    const { video } = this
    if (video === null || this.fault !== null) return
    if (this.motion === 'reverse') void this.runBackwards(video, this.order)
    else {
      video.playbackRate = this.speed
      // Refused where the order was overtaken by another: that one decides.
      video.play().catch(() => {})
    }
  }

  /** No browser plays backwards: pictures are sought one after the other, as many as the computer manages. */
  private async runBackwards(video: HTMLVideoElement, order: number): Promise<void> {
    video.pause()
    const [from, since] = [this.offset, performance.now()]
    for (;;) {
      await new Promise((done) => requestAnimationFrame(done))
      if (order !== this.order) return
      const target = from - ((performance.now() - since) / 1000) * this.speed
      const { track } = this
      if (target <= 0) break
      const seconds = track === null ? target : middleOf(track.shown, pictureAt(track.shown, target))
      if (Math.abs(seconds - video.currentTime) < 0.001) continue
      video.currentTime = seconds
      await happens(video, 'seeked')
    }
    if (order === this.order && (await this.pass(false))) this.run()
  }
}

/** Whether this browser says that it plays H.265, by its main profile. */
export function playsH265(): boolean {
  const video = document.createElement('video')
  return ['hvc1.1.6.L120.B0', 'hev1.1.6.L120.B0'].some((codec) => video.canPlayType(`video/mp4; codecs="${codec}"`) !== '')
}

function stemOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '')
}

/** False where it does not happen in time, or the file fails. */
function happens(video: HTMLVideoElement, event: string): Promise<boolean> {
  return new Promise((done) => {
    const end = (happened: boolean) => {
      clearTimeout(timer)
      video.removeEventListener(event, yes)
      video.removeEventListener('error', no)
      done(happened)
    }
    const yes = () => end(true)
    const no = () => end(false)
    const timer = setTimeout(no, WAIT_MS)
    video.addEventListener(event, yes)
    video.addEventListener('error', no)
  })
}
