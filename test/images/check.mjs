// Holds what the server says of the images of DIR against what their package
// managers say is installed (NAME.truth) and what the OSV records say of that,
// worked out here a second time: ranges by dpkg --compare-versions and by the
// rules of semver, records of one problem joined by their aliases.
//
//   node check.mjs URL CREDENTIALS.json DIR [OSV_DIR]
//
// Without OSV_DIR a few findings that everybody knows must be there.
import { readFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { expected } from './osv.mjs'

const [url, credentials, dir, osv] = process.argv.slice(2)
const cred = JSON.parse(readFileSync(credentials))
const ecosystems = { npm: 'npm', go: 'Go', debian: 'Debian:12' }
const landmarks = {
  npm: [
    ['lodash', 'CVE-2021-23337', 'GHSA-35jh-r3h4-6jhm'], ['minimist', 'CVE-2021-44906', 'GHSA-xvch-5gv4-984h'],
    ['jquery', 'CVE-2019-11358', 'GHSA-6c3j-c64m-qhgq'], ['express', 'CVE-2024-29041', 'GHSA-rv95-896h-c2vc'],
  ],
  go: [], // of this very commit, and of Debian's newest point release: what is in them changes
  debian: [],
}

let failures = 0
const fail = (text) => { failures++; console.log(`FAIL ${text}`) }
const few = (list) => list.slice(0, 12).join(', ') + (list.length > 12 ? ` and ${list.length - 12} more` : '')

async function signIn() {
  const user = { name: cred.user, password: cred.password, domain: { id: cred.domain_id } }
  const auth = { identity: { methods: ['password'], password: { user } }, scope: { project: { id: cred.project_id } } }
  const answer = await fetch(`${url}/v3/auth/tokens`, { method: 'POST', body: JSON.stringify({ auth }), headers: { 'Content-Type': 'application/json' } })
  if (answer.status !== 201) throw new Error(`sign-in: ${answer.status} ${await answer.text()}`)
  return answer.headers.get('X-Subject-Token')
}
const token = await signIn()

async function get(path, query) {
  const answer = await fetch(`${url}/v5/${cred.project_id}/image${path}?${new URLSearchParams(query)}`, { headers: { 'X-Auth-Token': token } })
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

// all reads every page of a list, and holds total_num to the rows that came.
async function all(path, query) {
  const rows = []
  for (;;) {
    const page = await get(path, { ...query, limit: 200, offset: rows.length })
    rows.push(...page.data_list)
    if (rows.length >= page.total_num || page.data_list.length === 0) {
      if (rows.length !== page.total_num) fail(`${path}: total_num ${page.total_num}, ${rows.length} rows`)
      return rows
    }
  }
}

// scanned waits until every image has been scanned, at most four minutes.
async function scanned() {
  for (const end = Date.now() + 240e3; ; await new Promise((go) => setTimeout(go, 500))) {
    const images = await all('/registries/images', { image_type: 'private_image' })
    const bad = images.filter((i) => i.scan_status === 'failed')
    if (bad.length > 0) throw new Error(`scan failed: ${bad.map((i) => `${i.namespace}/${i.image_name}: ${i.scan_failed_code}`)}`)
    const open = images.filter((i) => i.scan_status !== 'success')
    if (images.length > 0 && open.length === 0) return images
    if (Date.now() > end) throw new Error(`not scanned: ${open.map((i) => `${i.namespace}/${i.image_name} ${i.scan_status}`)}`)
  }
}

const named = (i) => ({ image_type: i.image_type, namespace: i.namespace, image_name: i.image_name, tag_name: i.image_version })
const findingsOf = (i, id = i.image_id) => all(`/${id}/vulnerabilities`, named(i))
const softwareOf = (i, id = i.image_id) => all(`/${id}/apps`, named(i))

// checkSoftware: every line of the truth is listed, and nothing else is.
function checkSoftware(name, truth, apps) {
  const want = new Set(truth.map(([n, v]) => `${n} ${v}`))
  const got = new Set(apps.map((a) => `${a.app_name} ${a.app_version}`))
  const missed = [...want].filter((k) => !got.has(k)), extra = [...got].filter((k) => !want.has(k))
  const recall = 1 - missed.length / want.size, precision = 1 - extra.length / Math.max(got.size, 1)
  console.log(`${name}: ${got.size} packages, recall ${recall.toFixed(3)}, precision ${precision.toFixed(3)}`)
  if (missed.length) fail(`${name}: installed and not listed: ${few(missed)}`)
  if (extra.length) fail(`${name}: listed and not installed: ${few(extra)}`)
}

// checkFindings: each problem that the records make of an installed package is
// listed once, under one of its ids, with a fix that one of its records names.
function checkFindings(name, truth, listed) {
  const source = new Map(truth.map(([n, v, s = n, sv = v]) => [`${n} ${v}`, `${s} ${sv}`]))
  const problems = expected(osv, ecosystems[name], [...new Set(source.values())].map((k) => k.split(' ')))
  const missed = new Set(problems), extra = []
  for (const f of listed) {
    const at = source.get(`${f.app_name} ${f.version}`)
    const p = [...missed].find((p) => p.package === at && p.ids.has(f.vul_id))
    if (!p) { extra.push(`${f.vul_id} ${f.app_name} ${f.version}`); continue }
    missed.delete(p)
    const fix = /to (\S+) or later\.$/.exec(f.solution)?.[1]
    if (fix ? !p.fixes.has(fix) : p.fixes.size > 0) fail(`${name}: ${f.vul_id} ${at}: fixed in ${fix}, the records say ${[...p.fixes]}`)
  }
  const found = problems.length - missed.size
  const recall = problems.length ? found / problems.length : 1, precision = listed.length ? found / listed.length : 1
  console.log(`${name}: ${listed.length} findings, recall ${recall.toFixed(3)}, precision ${precision.toFixed(3)} against the OSV records of ${ecosystems[name]}`)
  if (missed.size) fail(`${name}: in the records and not listed: ${few([...missed].map((p) => `${[...p.ids][0]} ${p.package}`))}`)
  if (extra.length) fail(`${name}: listed and not in the records: ${few(extra)}`)
}

// checkLandmarks waits too: a fresh server reads the set in its binary while it
// already serves and scans.
async function checkLandmarks(name, image, listed) {
  const lacks = () => landmarks[name].filter(([app, ...ids]) => !listed.some((f) => f.app_name === app && ids.includes(f.vul_id)))
  for (const end = Date.now() + 120e3; lacks().length > 0 && Date.now() < end;) {
    await new Promise((go) => setTimeout(go, 1000))
    listed = await findingsOf(image)
  }
  for (const [app, id] of lacks()) fail(`${name}: no ${id} of ${app}`)
  console.log(`${name}: ${listed.length} findings, ${landmarks[name].length} landmarks looked for`)
}

const images = await scanned()
const image = (name) => images.find((i) => i.namespace === 'images' && i.image_name === name) ?? fail(`images/${name} is not listed`)
for (const name of Object.keys(ecosystems)) {
  const row = image(name)
  if (!row) continue
  const truth = readFileSync(join(dir, `${name}.truth`), 'utf8').trim().split('\n').map((l) => l.split(' '))
  const [apps, listed] = [await softwareOf(row), await findingsOf(row)]
  checkSoftware(name, truth, apps)
  if (!osv || !existsSync(osv)) {
    await checkLandmarks(name, row, listed)
    continue
  }
  checkFindings(name, truth, listed)
  if (row.vul_num !== listed.length) fail(`${name}: vul_num ${row.vul_num}, ${listed.length} findings`)
}

// The same content in another shape says the same, and so does each platform of
// a multi-arch image.
for (const [name, of, platforms] of [['zstd', 'npm', 0], ['docker', 'npm', 0], ['multi', 'go', 2]]) {
  const [row, plain] = [image(name), image(of)]
  if (!row || !plain) continue
  const said = async (i, id) => {
    const findings = (await findingsOf(i, id)).map((f) => `${f.vul_id} ${f.app_name} ${f.version}`)
    const software = (await softwareOf(i, id)).map((a) => `${a.app_name} ${a.app_version} ${a.vul_num}`)
    return [...findings, ...software].sort().join('\n')
  }
  const want = await said(plain), children = row.association_images ?? []
  if (row.is_multiple_arch !== platforms > 0 || children.length !== platforms) fail(`${name}: ${children.length} platforms`)
  for (const id of [row.image_id, ...children.map((c) => c.image_id)]) {
    if (await said(row, id) !== want) fail(`${name}: what is said of ${id} is not what is said of ${of}`)
  }
  console.log(`${name}: the same as ${of}${platforms ? `, on each of ${platforms} platforms` : ''}`)
}
process.exitCode = failures ? 1 : 0
