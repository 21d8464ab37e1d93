// Adds to package-lock.json the optional packages of other platforms that npm left out because its registry lacks them:
// `npm ci` refuses a lock file that does not name them. Run it after a change of dependencies: node scripts/complete-lock.mjs
import { readFileSync, writeFileSync } from 'node:fs';

const OS = ['darwin', 'linux', 'win32', 'android', 'freebsd', 'openbsd', 'openharmony', 'netbsd', 'sunos', 'aix'];
const CPU = ['arm64', 'x64', 'ia32', 'arm', 'riscv64', 'loong64', 's390x', 'ppc64', 'mips64el'];

const file = 'package-lock.json';
const lock = JSON.parse(readFileSync(file, 'utf8'));
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isThere(path, name)) continue;
    const parts = name.split(/[-/]/);
    const os = OS.find((one) => parts.includes(one));
    const cpu = CPU.find((one) => parts.includes(one)) ?? (name.includes('arm') ? 'arm' : undefined);
    if (os === undefined || cpu === undefined || !/^\d/.test(version)) {
      throw new Error(`${path} names ${name}@${version}, whose platform cannot be told from its name: add it by hand.`);
    }
    const libc =
      os !== 'linux' ? {} : /musl/.test(name) ? { libc: ['musl'] } : /gnu/.test(name) ? { libc: ['glibc'] } : {};
    const dev = entry.dev ? { dev: true } : {};
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      ...libc,
      ...dev,
      license: entry.license,
      optional: true,
      os: [os],
    };
  }
}

/** Whether a package is where one at `path` would look for it: beside it or further up. */
function isThere(path, name) {
  const folders = [`${path}/`, ...[...path.matchAll(/node_modules\//g)].map((match) => path.slice(0, match.index))];
  return folders.some((folder) => lock.packages[`${folder}node_modules/${name}`] !== undefined);
}

const { '': root, ...others } = lock.packages;
const sorted = Object.entries(others).sort(([a], [b]) => a.localeCompare(b, 'en'));
lock.packages = Object.fromEntries([['', root], ...sorted]);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
