import type { Client } from '../core/client.js';
import type { MountedChat } from '../core/facade.js';
export function mountChat(_c: Client, _t: Element | undefined, _o: boolean): Promise<MountedChat> { return Promise.reject(new Error('x')); }
