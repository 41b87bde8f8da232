// Packs the trees that releases.sh made into images and writes their truth.
//
//   node releases.mjs WORK DIR
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { debs, npms } from './managers.mjs'
import { pack } from './pack.mjs'

const [work, dir] = process.argv.slice(2)
const cmd = { created_by: '/bin/sh -c #(nop)  CMD ["bash"]' }
const rootfs = (tree) => [{ tar: join(work, `${tree}.tar`), created_by: '/bin/sh -c #(nop) ADD file:4c1f7a5b3e0d9286 in / ' }, cmd]
const write = (name, truth) => writeFileSync(join(dir, `${name}.truth.json`), JSON.stringify({ image: name, ...truth }, null, 1))
const debian = (version) => ({ os: { id: 'debian', version_id: version }, ecosystem: `Debian:${version}`, complete: true })
// What Debian ships is neither malicious nor anybody's secret.
const clean = ['file', 'secret']
// Long-term support of Debian 11 ended on 31 August 2026 (wiki.debian.org/LTS).
const ended = (version) => version === '11' && Date.now() > Date.parse('2026-09-01')
  ? { cases: [{ check: 'compliance', family: 'end-of-life', subject: '11', loose: true }], quiet: clean } : { quiet: [...clean, 'compliance'] }
const key = (p) => `${p.name} ${p.version}`

const config = { Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], Cmd: ['bash'] }
for (const [name, tree, version, form, compress, out] of [
  ['debian11', 'old', '11', 'docker', 'none', 'debian11.tar'],
  ['debian11-new', 'new', '11', 'oci', 'gzip', 'debian11-new.tar'],
  ['debian13', 'trixie', '13', 'layout', 'zstd', 'debian13'],
]) {
  pack({ out: join(dir, out), form, compress, tag: `debian:${version}`, config, steps: rootfs(tree) })
  write(name, { ...debian(version), ...ended(version), layers: 1, packages: debs(join(work, tree)).map((p) => ({ ...p, layer: 1 })) })
}

// The base as an OCI layout, so that its compressed layer is one blob for all.
const base = join(work, 'base')
pack({ out: base, form: 'layout', tag: 'debian:11', config, steps: rootfs('old') })
const steps = [
  { base },
  { tar: join(work, 'derived.tar'), created_by: 'RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends curl libxml2 && rm -rf /var/lib/apt/lists/* # buildkit' },
  { dir: join(work, 'app'), created_by: 'COPY . / # buildkit' },
]
pack({ out: join(dir, 'derived.tar'), form: 'oci', config, steps })
pack({ out: join(dir, 'derived-docker.tar'), form: 'docker', config, steps })

const before = new Set(debs(join(work, 'old')).map(key))
const mended = debs(join(work, 'new')).filter((p) => !before.has(key(p)))
if (mended.length === 0) throw new Error('the newer tag of the base is not newer')
const packages = [
  ...debs(join(work, 'derived')).map((p) => ({ ...p, layer: before.has(key(p)) ? 1 : 2, inherited: before.has(key(p)) })),
  ...npms(join(work, 'app/srv/app'), 'srv/app').map((p) => ({ ...p, layer: 3, inherited: false })),
]
for (const name of ['derived', 'derived-docker']) {
  write(name, {
    ...debian('11'), layers: 3, packages,
    base: { image: 'debian11', tag: 'debian:11.11', layers: 1, newest: 'debian11-new', newest_tag: 'debian:11.12', mended: mended.map((p) => p.name) },
  })
}
rmSync(base, { recursive: true })
