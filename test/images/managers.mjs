// What the package managers themselves say is installed in a tree of files: the
// ground truth, asked of dpkg-query, importlib.metadata, Gem::Specification, npm
// and the pom.properties that a jar's own build left in it.
//
//   node managers.mjs npm DIR          the truth of npm.sh's image, of a tree that npm installed
//   node managers.mjs go go.truth      the truth of go.sh's image
//
// Each function answers { type, name, version, … }; path has no leading slash.
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'

const run = (command, args, options = {}) =>
  execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'], ...options })
const lines = (text) => text.split('\n').filter(Boolean)
const admin = (tree) => `--admindir=${join(tree, 'var/lib/dpkg')}`

// debs is every package whose files are there: "ii" and its like, held or not.
export function debs(tree) {
  const fields = ['db:Status-Status', 'binary:Package', 'Package', 'Version', 'Architecture', 'source:Package', 'source:Version', 'Installed-Size']
  const format = fields.map((f) => `\${${f}}`).join('\\t') + '\\n'
  return lines(run('dpkg-query', [admin(tree), '-W', '-f', format])).map((l) => l.split('\t'))
    .filter(([status]) => status === 'installed')
    .map(([, , name, version, arch, source, sourceVersion, size]) => ({
      type: 'deb', name, version, arch, source, source_version: sourceVersion, size: Number(size) * 1024, licences: licences(tree, name),
    }))
}

// licences are the short names that a machine-readable debian/copyright gives
// its files; undefined when there is none.
function licences(tree, name) {
  const path = join(tree, 'usr/share/doc', name, 'copyright')
  if (!existsSync(path) || lstatSync(path).isSymbolicLink()) return undefined
  const text = readFileSync(path, 'utf8')
  if (!/^Format:\s*https?:\/\/www\.debian\.org\/doc\/packaging-manuals\/copyright-format/m.test(text)) return undefined
  return [...new Set([...text.matchAll(/^Licen[sc]e:[ \t]*(\S.*)$/gm)].map((m) => m[1].trim()))].sort()
}

// owners tells which package brought a path, as dpkg's lists of files say; a
// path is looked up under both names that a merged /usr gives it.
export function owners(tree) {
  const owner = new Map()
  const info = join(tree, 'var/lib/dpkg/info')
  for (const file of readdirSync(info).filter((f) => f.endsWith('.list'))) {
    const name = file.slice(0, -'.list'.length).replace(/:.*/, '')
    for (const path of lines(readFileSync(join(info, file), 'utf8'))) owner.set(path.slice(1), name)
  }
  return (path) => owner.get(path) ?? owner.get(path.replace(/^usr\//, ''))
}

// pythons asks the tree's own interpreter what lies in directories of its.
export function pythons(tree, dirs, python = 'usr/bin/python3') {
  const script = `
import importlib.metadata as m, json, sys
out = []
for d in m.distributions(path=sys.argv[1:]):
    out.append({"name": d.metadata["Name"], "version": d.version, "path": str(d._path)})
print(json.dumps(out))`
  return JSON.parse(run('chroot', [tree, `/${python}`, '-I', '-c', script, ...dirs.map((d) => `/${d}`)]))
    .map((p) => ({ type: 'pypi', ...p, path: p.path.slice(1) }))
}

// gems asks the tree's own ruby; home is a GEM_HOME that it does not know by itself.
export function gems(tree, home) {
  const script = 'Gem::Specification.each { |s| puts [s.name, s.version, s.loaded_from].join("\\t") }'
  const env = { PATH: process.env.PATH, LANG: 'C.UTF-8', ...(home ? { GEM_HOME: `/${home}`, GEM_PATH: `/${home}` } : {}) }
  return lines(run('chroot', [tree, '/usr/bin/ruby', '-e', script], { env })).map((l) => l.split('\t'))
    .map(([name, version, path]) => ({ type: 'gem', name, version, path: path.slice(1) }))
    .filter((g) => !home || g.path.startsWith(`${home}/`))
}

// npms is what npm lists below a directory that has a package.json, itself left out.
export function npms(dir, at) {
  const found = new Map()
  const walk = (node) => {
    for (const [name, d] of Object.entries(node.dependencies ?? {})) {
      if (!d.version || !d.path) continue // not installed: an optional dependency
      const path = join(at, relative(dir, d.path), 'package.json')
      found.set(path, { type: 'npm', name: d.name ?? name, version: d.version, path, licences: licenceOf(d) })
      walk(d)
    }
  }
  walk(JSON.parse(run('npm', ['ls', '--all', '--json', '--long', '--silent'], { cwd: dir })))
  return [...found.values()]
}

const licenceOf = (d) => typeof d.license === 'string' ? [d.license] : undefined

// nodes is what package.json files name that lie under a directory of a tree:
// for Debian's node-… packages, which no npm knows.
export function nodes(tree, under) {
  return walkFiles(join(tree, under)).filter((f) => f.endsWith('/package.json')).flatMap((f) => {
    const { name, version } = JSON.parse(readFileSync(f, 'utf8'))
    return name && version ? [{ type: 'npm', name, version, path: relative(tree, f) }] : []
  })
}

// jars is what pom.properties say in the archives of a directory, read by
// unzip; archives in archives are followed by the builder, which knows them.
export function jars(tree, under) {
  return walkFiles(join(tree, under)).filter((f) => /\.[jwe]ar$/.test(f)).flatMap((f) =>
    poms(f).map((p) => ({ ...p, path: relative(tree, f) })))
}

// poms is what the pom.properties of one archive say.
export function poms(archive) {
  const names = lines(run('unzip', ['-Z1', archive])).filter((n) => /^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/.test(n))
  return names.map((n) => {
    const text = run('unzip', ['-p', archive, n])
    const value = (key) => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1].trim()
    return { type: 'maven', name: `${value('groupId')}:${value('artifactId')}`, version: value('version') }
  })
}

export function walkFiles(dir) {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { withFileTypes: true }).flatMap((e) =>
    e.isDirectory() ? walkFiles(join(dir, e.name)) : e.isFile() ? [join(dir, e.name)] : [])
}

// goModules are the lines "module version" of go.truth in this form.
function goModules(lines) {
  return lines.map((l) => l.split(' ')).map(([name, version]) => ({ type: 'golang', name, version, path: 'usr/local/bin/app', layer: 1 }))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [what, from] = process.argv.slice(2)
  const packages = what === 'npm' ? npms(from, 'srv/app').map((p) => ({ ...p, layer: 1 })) : goModules(lines(readFileSync(from, 'utf8')))
  const vulnerable = [
    { type: 'npm', name: 'lodash', version: '4.17.15', id: 'CVE-2021-23337' }, { type: 'npm', name: 'minimist', version: '1.2.0', id: 'CVE-2021-44906' },
    { type: 'npm', name: 'jquery', version: '3.3.1', id: 'CVE-2019-11358' }, { type: 'npm', name: 'express', version: '4.17.1', id: 'CVE-2024-29041' },
  ].filter((v) => v.type === what)
  console.log(JSON.stringify({ image: what, layers: 1, complete: true, packages, vulnerable }, null, 1))
}
