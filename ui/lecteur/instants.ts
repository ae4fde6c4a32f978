// Instants of the package (UTC, microseconds since 1970) as the reader of a clock in Paris writes and reads them. Pure.

export const ZONE = 'Europe/Paris'
export const SECOND_US = 1_000_000
const MINUTE_US = 60 * SECOND_US
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?Z$/

/** `2026-03-12T14:00:03.250000Z`, as the manifest has it; `null` for anything else. */
export function parseInstant(text: string): number | null {
  const parts = RFC3339.exec(text)
  if (parts === null) return null
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [number, number, number, number, number, number]
  const ms = Date.UTC(year, month - 1, day, hour, minute, second)
  // Date.UTC carries 30 February over into March: such a text is no instant.
  if (!new Date(ms).toISOString().startsWith(text.slice(0, 19))) return null
  return ms * 1000 + Number((parts[7] ?? '').padEnd(6, '0'))
}

const WALL = new Intl.DateTimeFormat('en-GB', {
  timeZone: ZONE, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
})

export interface Wall {
  /** `2026-03-12`, as a date field wants it. */
  date: string
  /** `14:00:03`. */
  time: string
  /** `250` of the thousandths. */
  thousandths: string
  /** Minutes by which Paris is ahead of UTC. */
  offset: number
}

/** What a clock in Paris shows. */
export function wallOf(at: number): Wall {
  const seconds = Math.floor(at / SECOND_US)
  const parts: Record<string, string> = {}
  for (const part of WALL.formatToParts(seconds * 1000)) parts[part.type] = part.value
  const date = `${parts.year}-${parts.month}-${parts.day}`
  const time = `${parts.hour}:${parts.minute}:${parts.second}`
  const thousandths = String(Math.floor((at - seconds * SECOND_US) / 1000)).padStart(3, '0')
  return { date, time, thousandths, offset: Math.round((Date.parse(`${date}T${time}Z`) / 1000 - seconds) / 60) }
}

/** `UTC+1`, `UTC+2`. */
export function offsetText(offset: number): string {
  const hours = Math.abs(offset) / 60
  return `UTC${offset < 0 ? '−' : '+'}${Number.isInteger(hours) ? hours : `${Math.floor(hours)}:${String(Math.abs(offset) % 60).padStart(2, '0')}`}`
}

/** `12/03/2026` (or `2026-03-12`) as `2026-03-12`; `null` for what is no day. Browsers would ask for it in the order of their own country. */
export function readDay(text: string): string | null {
  const french = /^\s*(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})\s*$/.exec(text)
  const day = french === null ? text.trim() : `${french[3]}-${french[2]!.padStart(2, '0')}-${french[1]!.padStart(2, '0')}`
  return parseInstant(`${day}T00:00:00Z`) === null ? null : day
}

/** `14:03:22`, `14:03`, `14h03` as `14:03:22`; `null` for what is no time of 24 hours. */
export function readTime(text: string): string | null {
  const parts = /^\s*(\d{1,2})\s*[:h.]\s*(\d{2})(?:\s*[:m.]\s*(\d{2})\s*s?)?\s*$/i.exec(text)
  if (parts === null) return null
  const time = `${parts[1]!.padStart(2, '0')}:${parts[2]}:${parts[3] ?? '00'}`
  return parseInstant(`2000-01-01T${time}Z`) === null ? null : time
}

/** `2026-03-12` as it is typed. */
export function typedDay(day: string): string {
  return day.split('-').reverse().join('/')
}

/** The instants at which a clock in Paris shows this: none in the hour that spring leaves out, two in the one that autumn repeats. */
export function instantsAt(date: string, time: string): number[] {
  const wall = parseInstant(`${date}T${time}Z`)
  if (wall === null) return []
  // The earlier instant first: summer time (two hours ahead) ends before winter time begins.
  return [120, 60].map((offset) => ({ at: wall - offset * MINUTE_US, offset })).filter(({ at, offset }) => wallOf(at).offset === offset).map(({ at }) => at)
}
