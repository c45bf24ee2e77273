// Fails when a package that the SDK is built or tested with has a licence outside the list. Reads `npm query` from
// standard input. Nothing of them is shipped: the SDK has no runtime dependencies.
import { text } from "node:stream/consumers";

const allowed = new Set(["MIT", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MPL-2.0", "0BSD", "BlueOak-1.0.0", "CC0-1.0", "Python-2.0", "CC-BY-4.0", "Unlicense"]);
const packages = JSON.parse(await text(process.stdin)).filter((p) => p.private !== true);
const licence = (p) => (typeof p.license === "string" ? p.license : (p.license?.type ?? "none"));
const refused = packages.filter((p) => !licence(p).replace(/[()]/g, "").split(/ (?:OR|AND) /).every((part) => allowed.has(part)));
for (const p of refused) console.error(`${p.name} ${p.version}: ${licence(p)}`);
console.log(`npm licences: ${packages.length - refused.length} of ${packages.length} packages fit`);
process.exit(refused.length === 0 ? 0 : 1);
