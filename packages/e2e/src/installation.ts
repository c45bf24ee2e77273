import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm, statfs } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bearer, MisyClient, type Schemas } from '@misy/api-client';
import { eventually, PATIENCE_MS } from './eventually.js';

const PROGRAM = process.env.MISY_PROGRAM ?? new URL('../../../target/debug/misy', import.meta.url).pathname;
const BOOTSTRAP = 'a bootstrap secret for tests only';

/** Why tests that need a program of their own do not run. */
export const NO_PROGRAM = existsSync(PROGRAM) ? false : `${PROGRAM} is not built`;

/** What registering a tenant answers. */
export type Registered = Schemas['RegistrationAnswer'];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const IN_MEMORY = '/dev/shm';
const ROOM = 2 * 1024 ** 3;

/** Where data go that nobody keeps: into memory if there is room, so that no test waits for a disk. */
async function place(): Promise<string> {
  const memory = await statfs(IN_MEMORY).catch(() => undefined);
  return memory && memory.bavail * memory.bsize > ROOM ? IN_MEMORY : tmpdir();
}

/** A running program with nothing in it but an owner, reached as `localhost`: browsers know passkeys by names only. */
export class Installation {
  /** Calls the API, as nobody until `as` says who. Here it is known by its address, since not every name is. */
  readonly api: MisyClient;

  private constructor(
    readonly origin: string,
    private readonly program: ChildProcess,
    private readonly data: string,
  ) {
    this.api = new MisyClient({ origin: origin.replace('localhost', '127.0.0.1') });
  }

  /** `settings`: what it is told besides, by the names of its environment. */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<Installation> {
    const port = await freePort();
    const data = await mkdtemp(join(await place(), 'misy-e2e-'));
    await chmod(data, 0o755);
    const origin = `http://localhost:${port}`;
    const program = spawn(PROGRAM, ['serve'], {
      env: {
        ...process.env,
        MISY_DATA_DIR: data,
        MISY_HTTP_ADDR: `127.0.0.1:${port}`,
        MISY_PUBLIC_URL: origin,
        MISY_BOOTSTRAP_SECRET: BOOTSTRAP,
        MISY_LOG: 'warn',
        ...settings,
      },
      stdio: 'ignore',
    });
    const started = new Installation(origin, program, data);
    await eventually(async () => {
      if (program.exitCode !== null) throw new Error('the program ended');
      await started.api.call('readReadiness');
    }, 2 * PATIENCE_MS);
    return started;
  }

  /** Registers the owner; gives the link that enrols its first administrator. */
  async registerOwner(): Promise<string> {
    return (await this.register()).enrollment.url;
  }

  /** Registers the owner; gives what is shown once. */
  async register(): Promise<Registered> {
    return this.api.as(bearer(BOOTSTRAP)).call('registerOwner', {
      body: {
        tenantName: 'Colombiatic',
        contactEmail: 'hola@colombiatic.example',
        websiteUrl: 'https://colombiatic.example',
        businessIndustry: 'Software',
      },
    });
  }

  async stop(): Promise<void> {
    if (this.program.exitCode === null) {
      const ended = new Promise((resolve) => this.program.once('exit', resolve));
      this.program.kill('SIGTERM');
      await ended;
    }
    await rm(this.data, { recursive: true, force: true });
  }
}
