import type { Schemas } from '@misy/api-client';
import { api } from '../api/client.js';

export const canUsePasskeys = (): boolean => 'PublicKeyCredential' in window;

const bytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
const text = (buffer: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

/** Proves the second factor anew by a passkey; `undefined` when the person or the browser would rather not. */
export async function stepUpWithPasskey(): Promise<Schemas['SignedIn'] | undefined> {
  const { ceremony, options } = await api.call('beginPasskeyStepUp');
  const allowed = options.allowCredentials?.map(({ id }): PublicKeyCredentialDescriptor => ({ id: bytes(id), type: 'public-key' }));
  const made = await navigator.credentials
    .get({ publicKey: { challenge: bytes(options.challenge), rpId: options.rpId, userVerification: 'required', ...(allowed && { allowCredentials: allowed }) } })
    .catch(() => null);
  if (!(made instanceof PublicKeyCredential) || !(made.response instanceof AuthenticatorAssertionResponse)) return undefined;
  const { clientDataJSON, authenticatorData, signature, userHandle } = made.response;
  return api.call('finishPasskeyStepUp', {
    body: {
      ceremony,
      credential: {
        id: made.id,
        rawId: text(made.rawId),
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: text(clientDataJSON),
          authenticatorData: text(authenticatorData),
          signature: text(signature),
          userHandle: userHandle ? text(userHandle) : null,
        },
      },
    },
  });
}
