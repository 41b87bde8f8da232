// What OSV records say of package versions, written from the schema and not
// from our Go: the second opinion that check.mjs compares with.
import { readFileSync, readdirSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { inflateRawSync } from 'node:zlib'
import { join } from 'node:path'

// records yields every record of every zip of a directory.
function* records(dir) {
  for (const file of readdirSync(dir).filter((f) => f.endsWith('.zip'))) {
    const zip = readFileSync(join(dir, file))
    const end = zip.lastIndexOf(Buffer.from('PK\x05\x06'))
    let at = zip.readUInt32LE(end + 16)
    for (let n = zip.readUInt16LE(end + 10); n > 0; n--) {
      const [method, size, name, extra, comment, start] =
        [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32), zip.readUInt32LE(at + 42)]
      const data = start + 30 + zip.readUInt16LE(start + 26) + zip.readUInt16LE(start + 28)
      const bytes = zip.subarray(data, data + size)
      yield (method ? inflateRawSync(bytes) : bytes).toString()
      at += 46 + name + extra + comment
    }
  }
}

// semver compares as semver.org says in its section 11; build metadata is nothing.
function semver(a, b) {
  const parse = (s) => {
    const [, core, pre] = /^v?([0-9.]+)(?:-([^+]*))?/.exec(s)
    return { core: core.split('.').map(Number), pre: pre?.split('.') ?? [] }
  }
  const [x, y] = [parse(a), parse(b)]
  for (let i = 0; i < 3; i++) {
    const d = (x.core[i] ?? 0) - (y.core[i] ?? 0)
    if (d) return d
  }
  if (!x.pre.length || !y.pre.length) return y.pre.length - x.pre.length
  for (let i = 0; i < Math.min(x.pre.length, y.pre.length); i++) {
    const [p, q] = [x.pre[i], y.pre[i]]
    if (p === q) continue
    const [m, n] = [/^\d+$/.test(p), /^\d+$/.test(q)]
    if (m && n) return Number(p) - Number(q)
    return m !== n ? (m ? -1 : 1) : p < q ? -1 : 1
  }
  return x.pre.length - y.pre.length
}

function dpkg(a, b) {
  const is = (op) => spawnSync('dpkg', ['--compare-versions', a, op, b]).status === 0
  return a === b ? 0 : is('lt') ? -1 : is('gt') ? 1 : 0
}

const cached = (compare) => {
  const seen = new Map()
  return (a, b) => {
    const key = `${a} ${b}`
    if (!seen.has(key)) seen.set(key, compare(a, b))
    return seen.get(key)
  }
}

// affected walks the events of each range in order, as the schema says.
function affected(entry, version, compare) {
  if (entry.versions?.includes(version)) return true
  return (entry.ranges ?? []).filter((r) => r.type !== 'GIT').some((range) => {
    const at = (e) => e.introduced ?? e.fixed ?? e.last_affected
    const order = (a, b) => at(a) === at(b) ? 0 : at(a) === '0' ? -1 : at(b) === '0' ? 1 : compare(at(a), at(b))
    let inside = false
    for (const e of range.events.filter((e) => at(e) !== undefined).sort(order)) {
      const c = at(e) === '0' ? 1 : compare(version, at(e))
      if (e.introduced !== undefined && c >= 0) inside = true
      if (e.fixed !== undefined && c >= 0) inside = false
      if (e.last_affected !== undefined && c > 0) inside = false
    }
    return inside
  })
}

// joined merges what shares an id: the records of one problem are one.
function joined(list) {
  let groups = []
  for (const p of list) {
    const [same, other] = [[], []]
    for (const g of groups) ([...p.ids].some((id) => g.ids.has(id)) ? same : other).push(g)
    for (const g of same) { g.ids.forEach((id) => p.ids.add(id)); g.fixes.forEach((f) => p.fixes.add(f)) }
    groups = [...other, p]
  }
  return groups
}

// expected is every problem of the packages [name, version]: the ids it goes
// by and the versions that its records say it is fixed in.
export function expected(dir, ecosystem, packages) {
  const compare = cached(ecosystem.startsWith('Debian') ? dpkg : semver)
  const versions = new Map()
  for (const [name, version] of packages) versions.set(name, [...versions.get(name) ?? [], version])
  const found = new Map(), seen = new Set()
  for (const text of records(dir)) {
    if (!text.includes(`"${ecosystem}"`)) continue
    const record = JSON.parse(text)
    if (record.withdrawn || seen.has(record.id)) continue
    seen.add(record.id)
    for (const entry of record.affected ?? []) {
      if (entry.package?.ecosystem !== ecosystem) continue
      for (const version of versions.get(entry.package.name) ?? []) {
        if (!affected(entry, version, compare)) continue
        const key = `${entry.package.name} ${version}`
        const fixes = (entry.ranges ?? []).flatMap((r) => r.events).map((e) => e.fixed).filter((f) => f && compare(version, f) < 0)
        const upstream = record.upstream?.length === 1 ? record.upstream : []
        found.set(key, [...found.get(key) ?? [], { package: key, ids: new Set([record.id, ...record.aliases ?? [], ...upstream]), fixes: new Set(fixes) }])
      }
    }
  }
  return [...found.values()].flatMap(joined)
}
