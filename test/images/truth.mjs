// Holds what `breakwater scan` says of images against the truth about them.
//
//   node truth.mjs DIR [--osv OSV_DIR] [--clamd] [NAME…]
//
// For each DIR/NAME.truth.json there is the scan's DIR/NAME.result.json. Prints,
// for each image and check, what was expected and found, recall and precision,
// and every miss and extra. Exits 1 when a package is missed, when more than one
// package in a hundred is made up, when a case is missed, when a decoy or an
// image that must be quiet is accused, when a deleted thing is listed, when the
// source, size, owner or layer of a package is another, or when a
// secret's value stands in the result.
//
// --osv works out from OSV records what is vulnerable and compares that, too;
// --clamd says that a clamd was asked.
//
// The truth, one JSON object an image; everything but image may be absent:
//
//   image, os {id, version_id}, ecosystem ("Debian:12"), layers (their number)
//   complete     true: what is listed beyond packages and optional is wrong
//   packages     [{type, name, version, path, layer, …}] as the package managers
//                say. Of a deb also arch, source, source_version, size (bytes) and
//                licences (the short names of a machine-readable copyright file);
//                of others owned_by, the deb that installed it. path may be a
//                directory. layer counts from 1, the lowest. inherited: it lies
//                in the base.
//   optional     [{type, path}] may be listed, and need not be: path is how its path begins
//   gone         [{type, name, version, path}] may not be listed; any part may be absent
//   vulnerable   [{type, name, version, id}] must have the vulnerability, outside of dpkg
//   cases        [{check, family, path, layer, deleted, where, subject, line, loose, needs}]
//                what a check must find. family is a kind of rule (result.mjs);
//                where is env, label or history for what is no file; deleted: a
//                later layer deletes it, and the result says so; loose: the rule
//                decides, whatever the place; needs: only where that is there.
//   decoys       [{check, path, family, subject, why}] may not be found
//   quiet        checks that may find nothing at all
//   values       secrets, as text that may stand nowhere in the result
//   base         {image, tag, layers, newest, newest_tag, mended}: the image it is built on, and
//                which packages are newer in the newest tag of that
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expected } from './osv.mjs'
import { families, read, says } from './result.mjs'

const args = process.argv.slice(2)
const option = (name) => { const at = args.indexOf(name); return at < 0 ? undefined : args.splice(at, 2)[1] }
const flag = (name) => { const at = args.indexOf(name); return at >= 0 && Boolean(args.splice(at, 1)) }
const osv = option('--osv'), clamd = flag('--clamd')
const [dir, ...only] = args

let failures = 0
const fail = (text) => { failures++; console.log(`FAIL ${text}`) }
const few = (list) => list.slice(0, 15).join(', ') + (list.length > 15 ? ` and ${list.length - 15} more` : '')
const ratio = (a, b) => b ? a / b : 1
const normal = (p) => p.type === 'pypi' ? p.name.toLowerCase().replace(/[-_.]+/g, '-') : p.name
const key = (p) => `${p.type} ${normal(p)} ${p.version}`
const at = (p) => `${normal(p)} ${p.version}${p.path && p.type !== 'deb' ? ` (${p.path})` : ''}`
const below = (path, top) => path.startsWith(top)

function line(image, check, expected, found, hit, wrong, more = '') {
  const recall = ratio(hit, expected), precision = ratio(found - wrong, found)
  console.log(`${image.padEnd(15)}${check.padEnd(14)} expected ${expected}, found ${found}, recall ${recall.toFixed(3)}, precision ${precision.toFixed(3)}${more}`)
  return { recall, precision }
}

function checkPackages(name, t, r) {
  const byKey = Map.groupBy ? Map.groupBy(r.packages, key) : group(r.packages)
  const place = (p) => (byKey.get(key(p)) ?? []).filter((f) => p.type === 'deb' ? !p.arch || f.arch === p.arch || !f.arch : !p.path || below(f.path, p.path))
  const missed = t.packages.filter((p) => place(p).length === 0)
  const known = new Set(t.packages.map(key))
  const maybe = (f) => (t.optional ?? []).some((o) => o.type === f.type && below(f.path, o.path))
  const extra = t.complete ? r.packages.filter((f) => !known.has(key(f)) && !maybe(f)) : []
  const counted = r.packages.filter((f) => known.has(key(f)) || !maybe(f))
  const { recall, precision } = line(name, 'software', t.packages.length, counted.length, t.packages.length - missed.length, extra.length)
  if (recall < 1) fail(`${name}: installed and not listed: ${few(missed.map(at))}`)
  if (extra.length) (precision < 0.99 ? fail : console.log)(`${name}: listed and not installed: ${few(extra.map(at))}`)
  for (const g of t.gone ?? []) {
    const still = r.packages.filter((f) => (!g.type || g.type === f.type) && (!g.name || normal(g) === normal(f)) && (!g.version || g.version === f.version) && (!g.path || g.name || below(f.path, g.path)))
    if (still.length) fail(`${name}: gone and listed: ${few(still.map(at))}`)
  }
  checkFields(name, t, place)
}

const group = (list) => list.reduce((m, p) => m.set(key(p), [...m.get(key(p)) ?? [], p]), new Map())

// checkFields compares what is said of each package beside its name.
function checkFields(name, t, place) {
  const fields = {
    source: (p, f) => p.source === undefined || (p.source === f.source && p.source_version === f.source_version),
    size: (p, f) => p.size === undefined || p.size === f.size,
    owner: (p, f) => p.type === 'deb' || p.owned_by === f.owned_by,
    inherited: (p, f) => p.inherited === undefined || f.inherited === p.inherited,
    layer: (p, f) => p.layer === undefined || p.layer === f.layer,
    licence: (p, f) => p.licences === undefined || f.licences.length > 0 && p.licences.every((l) => f.licences.some((g) => same(l, g))),
  }
  const parts = []
  for (const [field, right] of Object.entries(fields)) {
    const found = t.packages.filter((p) => place(p).length > 0)
    const wrong = found.filter((p) => !place(p).some((f) => right(p, f)))
    parts.push(`${field} ${(100 * ratio(found.length - wrong.length, found.length)).toFixed(1)} %`)
    if (wrong.length && ['source', 'size', 'owner', 'layer', 'inherited'].includes(field)) fail(`${name}: ${field} of ${few(wrong.map((p) => `${at(p)} is ${said(p, field)}, not ${said(place(p)[0], field)}`))}`)
    else if (wrong.length && process.env.VERBOSE) console.log(`  ${field}: ${few(wrong.map((p) => `${at(p)} is ${said(p, field)}, not ${said(place(p)[0], field)}`))}`)
  }
  console.log(`${''.padEnd(15)}right in ${parts.join(', ')}`)
}

const said = (p, field) => ({
  source: `${p.source} ${p.source_version}`, size: p.size, owner: p.owned_by ?? 'nobody\'s', layer: p.layer, inherited: p.inherited, licence: `[${p.licences?.join('; ')}]`,
})[field]

// same compares two spellings of a licence: GPL-2+ is GPL-2.0-or-later.
const same = (a, b) => spelling(b).includes(spelling(a)) || spelling(a).includes(spelling(b))
const spelling = (s) => s.toLowerCase().replace(/(gpl|gfdl)-(\d(\.\d)?)\+/, '$1-$2-or-later').replace(/-only\b/, '').replace(/\.0\b/g, '').replace(/\s+(with|and|or)\s+.*/, '')

function checkVulnerabilities(name, t, r, problems) {
  const outside = (v, p) => v.found.some((f) => f.type === p.type && normal(f) === normal(p) && f.version === p.version)
  const missed = (t.vulnerable ?? []).filter((p) => !r.vulnerabilities.some((v) => v.ids.has(p.id) && outside(v, p)))
  // What dpkg installed is judged by the distribution: no advisory of a
  // language's own database speaks of it.
  const owned = new Set(t.packages.filter((p) => p.owned_by).map((p) => p.path))
  const wrong = r.vulnerabilities.flatMap((v) => v.found.filter((f) => f.type !== 'deb' && [...owned].some((path) => below(f.path, path))).map((f) => `${[...v.ids][0]} ${f.name} ${f.version} ${f.path}`))
  let hit = (t.vulnerable ?? []).length - missed.length, want = (t.vulnerable ?? []).length, extra = wrong.length
  let lacks = missed.map((p) => `${p.id} ${p.name} ${p.version}`)
  if (problems) {
    const sources = new Set(t.packages.filter((p) => p.type === 'deb').map((p) => `${p.source} ${p.source_version}`))
    const open = new Set(problems.filter((p) => sources.has(p.package)))
    const listed = r.vulnerabilities.filter((v) => v.found.some((f) => f.type === 'deb'))
    want += open.size
    for (const v of listed) {
      const p = [...open].find((p) => p.package === `${v.package.name} ${v.package.version}` && [...p.ids].some((id) => v.ids.has(id)))
      if (p) { open.delete(p); hit++ } else { extra++; wrong.push(`${[...v.ids][0]} ${v.package.name} ${v.package.version}`) }
    }
    lacks = lacks.concat([...open].map((p) => `${[...p.ids][0]} ${p.package}`))
  }
  if (!want && !owned.size && !r.vulnerabilities.length) return
  line(name, 'vulnerability', want, r.vulnerabilities.length, hit, extra)
  if (lacks.length) fail(`${name}: vulnerabilities missed: ${few(lacks)}`)
  if (wrong.length) fail(`${name}: vulnerabilities that are none: ${few(wrong)}`)
}

function matches(c, f) {
  if (f.check !== c.check || !families[c.family].test(f.words)) return false
  if (c.subject && !says(f, c.subject)) return false
  if (c.where && f.where !== c.where) return false
  return c.loose || !c.path || f.path === c.path
}

// wrongly is what is wrong with a finding that matches a case, or empty.
function wrongly(c, f) {
  if (c.layer && !c.loose && f.layer && f.layer !== c.layer) return `layer ${f.layer}, not ${c.layer}`
  if (Boolean(c.deleted) !== f.deleted && c.path && !c.loose) return c.deleted ? 'not said to be deleted' : 'said to be deleted'
  if (c.line && f.line && c.line !== f.line) return `line ${f.line}, not ${c.line}`
  return ''
}

function checkCases(name, t, r) {
  const decoyed = (f) => (t.decoys ?? []).find((d) => d.check === f.check && d.path === f.path && (!d.family || families[d.family].test(f.words)) && (!d.subject || says(f, d.subject)))
  for (const check of ['file', 'secret', 'baseline', 'compliance', 'build_command']) {
    const cases = (t.cases ?? []).filter((c) => c.check === check && (c.needs !== 'clamd' || clamd))
    const found = r.findings.filter((f) => f.check === check)
    const quiet = (t.quiet ?? []).includes(check)
    if (!cases.length && !quiet && !(t.decoys ?? []).some((d) => d.check === check)) continue
    const missed = [], off = []
    for (const c of cases) {
      const hits = found.filter((f) => matches(c, f))
      if (!hits.length) missed.push(c)
      else if (!hits.some((f) => !wrongly(c, f))) off.push(`${describe(c)}: ${wrongly(c, hits[0])}`)
    }
    const accused = found.filter((f) => quiet || decoyed(f))
    const planned = found.filter((f) => cases.some((c) => matches(c, f))).length
    line(name, check, cases.length, planned + accused.length, cases.length - missed.length - off.length, accused.length, `; ${found.length - planned - accused.length} beside the cases`)
    if (missed.length) fail(`${name}: ${check} missed: ${few(missed.map(describe))}`)
    if (off.length) fail(`${name}: ${check} found, but ${few(off)}`)
    if (accused.length) fail(`${name}: ${check} accuses ${few(accused.map((f) => `${f.path || f.subject || ''} (${f.words}${decoyed(f) ? `: ${decoyed(f).why}` : ''})`))}`)
    if (process.env.VERBOSE) for (const f of found) if (!cases.some((c) => matches(c, f))) console.log(`  beside: ${f.words} · ${f.path ?? ''} ${f.subject ?? ''} ${f.current ?? ''}`)
  }
}

const describe = (c) => `${c.family} in ${c.path ?? c.where ?? 'the image'}${c.subject ? ` (${c.subject})` : ''}`

function checkBase(name, t, r) {
  if (!t.base) return
  const b = r.base
  const right = b && b.layers === t.base.layers && (b.name ?? '').includes(t.base.tag)
  line(name, 'base_image', 1, b ? 1 : 0, right ? 1 : 0, b && !right ? 1 : 0, b ? `; ${b.name}, ${b.layers} layers, newest ${b.newest || 'unknown'}` : '')
  if (r.states.get('base_image') === 'done' && !right) fail(`${name}: the base is ${t.base.tag} with ${t.base.layers} layers, not ${b ? `${b.name} with ${b.layers}` : 'unknown'}`)
}

const truths = readdirSync(dir).filter((f) => f.endsWith('.truth.json')).map((f) => JSON.parse(readFileSync(join(dir, f))))
  .filter((t) => only.length ? only.includes(t.image) : existsSync(join(dir, `${t.image}.result.json`)))
if (truths.length === 0) fail(`no NAME.result.json beside a NAME.truth.json in ${dir}`)

// The records are read once for all images of a release.
const problems = new Map()
for (const ecosystem of new Set(osv && existsSync(osv) ? truths.map((t) => t.ecosystem).filter(Boolean) : [])) {
  const sources = truths.filter((t) => t.ecosystem === ecosystem).flatMap((t) => t.packages).filter((p) => p.type === 'deb').map((p) => `${p.source} ${p.source_version}`)
  problems.set(ecosystem, expected(osv, ecosystem, [...new Set(sources)].map((s) => s.split(' '))))
}

for (const t of truths) {
  const file = join(dir, `${t.image}.result.json`)
  if (!existsSync(file)) { fail(`${t.image}: not scanned`); continue }
  const r = read(file)
  if (t.layers && r.layers !== t.layers) fail(`${t.image}: ${r.layers} layers, not ${t.layers}`)
  if (t.os && (r.os.id !== t.os.id || !`${r.os.version_id}`.startsWith(t.os.version_id))) fail(`${t.image}: ${r.os.id} ${r.os.version_id}, not ${t.os.id} ${t.os.version_id}`)
  const failed = [...r.states].filter(([, state]) => state === 'failed')
  if (failed.length) fail(`${t.image}: failed: ${failed.map(([check]) => check)}`)
  if (t.packages) {
    checkPackages(t.image, t, r)
    checkVulnerabilities(t.image, t, r, problems.get(t.ecosystem))
  }
  checkCases(t.image, t, r)
  checkBase(t.image, t, r)
  const leaked = (t.values ?? []).filter((v) => r.raw.includes(v))
  if (leaked.length) fail(`${t.image}: ${leaked.length} secrets stand unmasked in the result: ${few((t.values ?? []).map((v, i) => leaked.includes(v) ? `value ${i + 1}` : '').filter(Boolean))}`)
}
console.log(failures ? `${failures} failures` : 'all as it should be')
process.exitCode = failures ? 1 : 0
