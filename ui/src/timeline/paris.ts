// Days and clock times of Europe/Paris, with the two odd days of the year. Pure.
const ZONE = 'Europe/Paris'

const parts = new Intl.DateTimeFormat('en-GB', {
  timeZone: ZONE,
  year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  hourCycle: 'h23',
})

/** `YYYY-MM-DD` and `HH:MM:SS` in Paris. */
export function parisClock(timeMs: number): { date: string; time: string } {
  const found = Object.fromEntries(parts.formatToParts(timeMs).map((part) => [part.type, part.value]))
  return {
    date: `${found['year']}-${found['month']}-${found['day']}`,
    time: `${found['hour']}:${found['minute']}:${found['second']}`,
  }
}

/**
 * The instant of a Paris clock time (`HH:MM` or `HH:MM:SS`). In the hour that comes twice in October the first one is
 * meant; `null` for a time that does not exist (March) or is not a time.
 */
export function parisInstant(date: string, time: string): number | null {
  const full = /^\d{2}:\d{2}$/.test(time) ? `${time}:00` : time
  const asUtc = Date.parse(`${date}T${full}Z`)
  if (Number.isNaN(asUtc)) return null
  for (const offsetHours of [2, 1]) {
    const candidate = asUtc - offsetHours * 3_600_000
    const clock = parisClock(candidate)
    if (clock.date === date && clock.time === full) return candidate
  }
  return null
}

/** The day before or after, by the calendar. */
export function shiftDate(date: string, days: number): string {
  return new Date(Date.parse(`${date}T12:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}
