// Turns whatever went wrong with a request into one Problem that a screen can show in words.
import type { Problem } from './types'

export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title)
    this.name = 'ApiError'
  }
}

/** The server did not answer at all. */
export function networkProblem(): Problem {
  return {
    type: 'about:blank#network',
    title: 'no answer',
    status: 0,
    title_fr: 'Le serveur ne répond pas',
    title_en: 'The server does not answer',
    detail_fr: 'Vérifiez que Vigie est démarré et que ce poste est relié au réseau de la commune, puis recommencez.',
    detail_en: 'Check that Vigie is running and that this computer is on the town network, then try again.',
  }
}

/** Reads the RFC 9457 body of a refused response; a body of another kind gives a plain problem with the status. */
export async function problemOf(response: Response): Promise<Problem> {
  const type = response.headers.get('content-type') ?? ''
  if (type.includes('json')) {
    try {
      const body: unknown = await response.json()
      if (isProblem(body)) return { ...body, status: response.status }
    } catch {
      // The body was cut: the status alone is told.
    }
  }
  return {
    type: 'about:blank',
    title: response.statusText || `status ${response.status}`,
    status: response.status,
    ...wordsForStatus(response.status),
  }
}

export function problemFrom(error: unknown): Problem {
  return error instanceof ApiError ? error.problem : networkProblem()
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && typeof (body as Problem).title === 'string'
}

function wordsForStatus(status: number): Partial<Problem> {
  switch (status) {
    case 401:
      return {
        title_fr: 'Vous n’êtes pas connecté',
        title_en: 'You are not signed in',
        detail_fr: 'La session est finie ou n’a jamais commencé. Connectez-vous.',
        detail_en: 'The session is over or never began. Sign in.',
      }
    case 429:
      return {
        title_fr: 'Trop d’essais',
        title_en: 'Too many attempts',
        detail_fr: 'Attendez une minute avant de recommencer. Cela protège les comptes contre qui devinerait un mot de passe.',
        detail_en: 'Wait a minute before trying again. This protects accounts against somebody guessing a password.',
      }
    default:
      return {
        title_fr: `Demande non aboutie (code ${status})`,
        title_en: `Request not completed (code ${status})`,
        detail_fr: 'Le serveur n’a pas donné de raison. L’administrateur la trouvera dans le journal technique.',
        detail_en: 'The server gave no reason. The administrator will find it in the technical log.',
      }
  }
}
