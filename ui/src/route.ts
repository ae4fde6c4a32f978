// The address after # and the screen it names; the one-time setup token travels there and nowhere else.

export type Route =
  | { screen: 'setup'; token: string }
  | { screen: 'wall' }
  | { screen: 'day'; camera: string | null; date: string | null }
  | { screen: 'health' }
  | { screen: 'reviews' }
  | { screen: 'requisitions' }
  | { screen: 'access' }
  | { screen: 'opinions' }
  | { screen: 'account' }
  | { screen: 'break-glass' }
  | { screen: 'about' }
  | { screen: 'home' }

export function parseRoute(hash: string): Route {
  const path = hash.replace(/^#/, '')
  if (path.startsWith('setup=')) return { screen: 'setup', token: decode(path.slice('setup='.length)) }
  const [screen, first, second] = path.split('/').filter((part) => part !== '').map(decode)
  switch (screen) {
    case 'live':
      return { screen: 'wall' }
    case 'day':
      return { screen: 'day', camera: first ?? null, date: isDate(second) ? second : null }
    case 'health':
      return { screen: 'health' }
    case 'reviews':
      return { screen: 'reviews' }
    case 'requisitions':
      return { screen: 'requisitions' }
    case 'access':
      return { screen: 'access' }
    case 'opinions':
      return { screen: 'opinions' }
    case 'account':
      return { screen: 'account' }
    case 'break-glass':
      return { screen: 'break-glass' }
    case 'about':
      return { screen: 'about' }
    default:
      return { screen: 'home' }
  }
}

export function dayHash(camera: string, date: string | null = null): string {
  const base = `#/day/${encodeURIComponent(camera)}`
  return date === null ? base : `${base}/${date}`
}

export function isDate(text: string | undefined): text is string {
  return text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`))
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
