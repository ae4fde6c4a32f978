// What a provider's address brought back. It is taken out of the address bar, and out of the history, before anything else.

export interface CameBack {
  state: string
  /** Empty where the provider gave none. */
  code: string
}

/** Where the provider sends browsers back to; registered there. */
const PAGE = '/oidc'

export function cameBack(pathname: string, search: string): CameBack | null {
  if (pathname !== PAGE) return null
  const given = new URLSearchParams(search)
  const state = given.get('state')
  return state === null ? null : { state, code: given.get('error') === null ? (given.get('code') ?? '') : '' }
}

export function takeCameBack(): CameBack | null {
  if (location.pathname !== PAGE) return null
  const found = cameBack(location.pathname, location.search)
  history.replaceState(null, '', '/')
  return found
}
