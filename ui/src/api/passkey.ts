// The browser's side of a passkey: options from JSON, the answer to JSON. Nothing is decided here.

/** Whether this page may use passkeys: a secure context, and a name instead of an IP address. */
export function passkeysPossible(): boolean {
  return window.isSecureContext && 'PublicKeyCredential' in window && !/^[\d.]+$|:/.test(location.hostname)
}

/** Makes a passkey; `null` if the person gave up. */
export async function makePasskey(options: CeremonyOptions): Promise<unknown> {
  const { user, challenge, excludeCredentials, ...rest } = options.publicKey
  const publicKey = {
    ...rest,
    challenge: bytes(challenge),
    user: { ...(user as { id: string }), id: bytes((user as { id: string }).id) },
    excludeCredentials: ((excludeCredentials ?? []) as { id: string }[]).map((one) => ({ ...one, id: bytes(one.id) })),
  } as unknown as PublicKeyCredentialCreationOptions
  return answered(() => navigator.credentials.create({ publicKey }))
}

/** Signs a challenge; `null` if the person gave up. */
export async function usePasskey(options: CeremonyOptions): Promise<unknown> {
  const { challenge, allowCredentials: _, ...rest } = options.publicKey
  const publicKey = { ...rest, challenge: bytes(challenge), allowCredentials: [] } as unknown as PublicKeyCredentialRequestOptions
  return answered(() => navigator.credentials.get({ publicKey }))
}

export interface CeremonyOptions {
  publicKey: { challenge: string } & Record<string, unknown>
}

async function answered(ask: () => Promise<Credential | null>): Promise<unknown> {
  try {
    const credential = await ask()
    return credential === null ? null : json(credential as PublicKeyCredential)
  } catch (error) {
    // NotAllowedError: given up, or too late; InvalidStateError: this authenticator has one already.
    if (error instanceof DOMException) return null
    throw error
  }
}

function json(credential: PublicKeyCredential): unknown {
  const response = credential.response as AuthenticatorAssertionResponse & AuthenticatorAttestationResponse
  const fields = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'] as const
  const present = fields.filter((field) => response[field] instanceof ArrayBuffer)
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    extensions: credential.getClientExtensionResults(),
    response: Object.fromEntries(present.map((field) => [field, text(response[field] as ArrayBuffer)])),
  }
}

/** Base64url without padding, as WebAuthn's JSON has it. */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))
}

export function text(buffer: ArrayBuffer): string {
  const letters = btoa(String.fromCharCode(...new Uint8Array(buffer)))
  return letters.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}
