// Passkeys by the browser (Web Authentication, level 3). Older browsers have no JSON forms, so they are made here.
import { post } from './api.js';

export const canUsePasskeys = () => Boolean(window.PublicKeyCredential && navigator.credentials);

const bytes = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const descriptors = (list) => list?.map((one) => ({ ...one, id: bytes(one.id) }));

async function create(options) {
  const { challenge, user, excludeCredentials } = options;
  const publicKey = {
    ...options,
    challenge: bytes(challenge),
    user: { ...user, id: bytes(user.id) },
    excludeCredentials: descriptors(excludeCredentials),
  };
  const made = await navigator.credentials.create({ publicKey });
  const { clientDataJSON, attestationObject } = made.response;
  return {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: text(clientDataJSON),
      attestationObject: text(attestationObject),
      transports: made.response.getTransports?.() ?? [],
    },
    clientExtensionResults: {},
  };
}

async function prove(options) {
  const { challenge, allowCredentials } = options;
  const publicKey = { ...options, challenge: bytes(challenge), allowCredentials: descriptors(allowCredentials) };
  const proof = await navigator.credentials.get({ publicKey });
  const { clientDataJSON, authenticatorData, signature, userHandle } = proof.response;
  return {
    id: proof.id,
    rawId: text(proof.rawId),
    type: proof.type,
    response: {
      clientDataJSON: text(clientDataJSON),
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      userHandle: userHandle ? text(userHandle) : null,
    },
    clientExtensionResults: {},
  };
}

/** Adds a passkey of this device or key; the answer may hold recovery codes. */
export async function addPasskey(name) {
  const { ceremony, options } = await post('/auth/passkeys/registration');
  return post('/auth/passkeys/registration/finish', { ceremony, name, credential: await create(options) });
}

export async function signInWithPasskey() {
  const { ceremony, options } = await post('/auth/passkeys/sign-in');
  return post('/auth/passkeys/sign-in/finish', { ceremony, credential: await prove(options) });
}

export async function proveChallenge(challenge) {
  const { ceremony, options } = await post('/auth/passkeys/second-factor', { challenge });
  return post('/auth/passkeys/second-factor/finish', { challenge, ceremony, credential: await prove(options) });
}

export async function stepUpWithPasskey() {
  const { ceremony, options } = await post('/auth/passkeys/step-up');
  return post('/auth/passkeys/step-up/finish', { ceremony, credential: await prove(options) });
}
