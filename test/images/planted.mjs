// Makes the image of planted cases and its good twin, on what debian.sh left:
//
//   planted    docker archive: cases for checks 3 to 7, and decoys
//   hardened   OCI archive: the same kinds of file as they should be, and decoys
//
//   node planted.mjs WORK DIR
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { layerTar } from './pack.mjs'
import { Image } from './plant/image.mjs'
import { plantAccounts } from './plant/account.mjs'
import { plantBaseline } from './plant/baseline.mjs'
import { harden } from './plant/hardened.mjs'
import { plantHistory } from './plant/history.mjs'
import { plantMalware } from './plant/malware.mjs'
import { decoysOnly, plantSecrets } from './plant/secret.mjs'

const [work, dir] = process.argv.slice(2).map((d) => resolve(d))
const tools = join(dir, 'tools')
const rootfs = '/bin/sh -c #(nop) ADD file:7e3f1b0c9a52d846 in / '

// lower unpacks the first layers of the tools image, to read and copy from.
function lower(layers) {
  const tree = join(work, `lower-${layers}`)
  mkdirSync(tree, { recursive: true })
  for (let n = 0; n < layers; n++) {
    execFileSync('tar', ['-C', tree, '-xf', '-', '--exclude=dev/*', '--exclude=./dev/*'], { input: layerTar(tools, n), maxBuffer: 1 << 30 })
  }
  return tree
}

// clamTests is the directory of Debian's test files for virus scanners.
function clamTests() {
  const at = join(work, 'clam')
  mkdirSync(at, { recursive: true })
  execFileSync('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', 'clamav-testfiles'], { cwd: at, stdio: ['ignore', 'ignore', 'inherit'] })
  execFileSync('dpkg-deb', ['-x', readdirSync(at).find((f) => f.endsWith('.deb')), '.'], { cwd: at })
  return join(at, 'usr/share/clamav-testfiles')
}

const packages = JSON.parse(readFileSync(join(dir, 'tools.truth.json'))).packages
const truth = { os: { id: 'debian', version_id: '12' }, ecosystem: 'Debian:12', complete: true }
const write = (name, t) => writeFileSync(join(dir, `${name}.truth.json`), JSON.stringify(t, null, 1))

{
  const tree = lower(2)
  const read = (path) => readFileSync(join(tree, path), 'utf8')
  const image = new Image('planted', work, [{ base: tools, layers: 1, created_by: rootfs }], 1)
  image.blob({ top: tools, layers: 1, created_by: 'RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends nmap tcpdump gcc # buildkit' })
  for (const subject of ['nmap', 'tcpdump', 'gcc']) image.want('compliance', 'forbidden', { subject })
  plantMalware(image, work, clamTests())
  plantSecrets(image, work)
  plantBaseline(image, existsSync(join(tree, 'usr/bin/dash')) ? join(tree, 'usr/bin/dash') : join(tree, 'bin/dash'))
  plantAccounts(image, read)
  plantHistory(image)
  write('planted', image.write(join(dir, 'planted.tar'), { form: 'docker', tag: 'planted:1' }, {
    ...truth, packages, optional: [{ type: 'npm', path: 'srv/docs/package-lock.json' }],
  }))
}
{
  const tree = lower(1)
  const image = new Image('hardened', work, [{ base: tools, layers: 1, created_by: rootfs }], 1)
  decoysOnly(image, work)
  harden(image, (path) => readFileSync(join(tree, path), 'utf8'))
  write('hardened', image.write(join(dir, 'hardened.tar'), { form: 'oci', compress: 'gzip' }, {
    ...truth, packages: packages.filter((p) => p.layer === 1), optional: [{ type: 'npm', path: 'srv/docs/package-lock.json' }],
    quiet: ['file', 'secret', 'baseline', 'compliance', 'build_command'],
  }))
}
