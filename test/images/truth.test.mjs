// Proves that truth.mjs can fail: a result that says just what the truth says
// passes, and each way of being wrong is found.
//   node --test truth.test.mjs
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const judge = join(dirname(fileURLToPath(import.meta.url)), 'truth.mjs')

const truth = () => ({
  image: 'x', os: { id: 'debian', version_id: '12' }, layers: 2, complete: true,
  packages: [
    { type: 'deb', name: 'bsdutils', version: '1:2.38.1-5', arch: 'amd64', source: 'util-linux', source_version: '2.38.1-5', size: 1024, licences: ['GPL-2+'], layer: 1 },
    { type: 'gem', name: 'rack', version: '2.2.22', path: 'usr/share/rack-2.2.22.gemspec', owned_by: 'ruby-rack' },
    { type: 'pypi', name: 'PyYAML', version: '6.0', path: 'opt/py/PyYAML-6.0.dist-info' },
  ],
  optional: [{ type: 'npm', path: 'srv/maybe/' }],
  gone: [{ type: 'npm', name: 'left-pad' }, { path: 'opt/gone' }],
  vulnerable: [{ type: 'pypi', name: 'PyYAML', version: '6.0', id: 'CVE-1' }],
  cases: [
    { check: 'file', family: 'eicar', path: 'a.com', layer: 1, deleted: true },
    { check: 'baseline', family: 'weak-password', path: 'etc/shadow', subject: 'alice', layer: 2 },
    { check: 'secret', family: 'github', where: 'label', subject: 'token' },
    { check: 'file', family: 'clamav-test', path: 'b.cab', needs: 'clamd' },
  ],
  decoys: [{ check: 'baseline', family: 'weak-password', path: 'etc/shadow', subject: 'erin', why: 'strong' }, { check: 'secret', path: 'doc.md', why: 'an example' }],
  quiet: ['compliance'],
  values: ['s3cr3tvalue'],
})

const result = () => ({
  image: { os: { id: 'debian', version_id: '12' }, layers: [{}, {}] },
  coverage: [{ check: 'file', state: 'done' }],
  packages: [
    { type: 'deb', name: 'bsdutils', version: '1:2.38.1-5', arch: 'amd64', source_name: 'util-linux', source_version: '2.38.1-5', size: 1024, licences: ['GPL-2.0-or-later'], layer_index: 1, path: 'var/lib/dpkg/status' },
    { type: 'gem', name: 'rack', version: '2.2.22', path: 'usr/share/rack-2.2.22.gemspec', owned_by: 'ruby-rack' },
    { type: 'pypi', name: 'pyyaml', version: '6.0', path: 'opt/py/PyYAML-6.0.dist-info/METADATA' },
    { type: 'npm', name: 'guess', version: '1', path: 'srv/maybe/package-lock.json' },
  ],
  findings: [
    { check: 'file', rule: 'BW-MAL-1', title: 'EICAR test file', path: 'a.com', layer_index: 1, deleted: 'sha256:1' },
    { check: 'baseline', rule: 'BW-PWD-001', title: 'Weak password', path: 'etc/shadow', subject: 'alice', layer_index: 2 },
    { check: 'secret', rule: 'github-pat', title: 'GitHub token', where: 'label', path: 'com.example.token' },
  ],
  vulnerabilities: [{ id: 'GHSA-1', aliases: ['CVE-1'], cves: ['CVE-1'], package: { name: 'pyyaml', version: '6.0' }, found: [{ type: 'pypi', name: 'pyyaml', version: '6.0', path: 'opt/py/PyYAML-6.0.dist-info/METADATA' }] }],
})

function run(change, ...flags) {
  const dir = mkdtempSync(join(tmpdir(), 'truth-'))
  const [t, r] = [truth(), result()]
  change(r, t)
  writeFileSync(join(dir, 'x.truth.json'), JSON.stringify(t))
  writeFileSync(join(dir, 'x.result.json'), JSON.stringify(r))
  const done = spawnSync('node', [judge, dir, ...flags], { encoding: 'utf8' })
  rmSync(dir, { recursive: true })
  return done
}

test('a true result passes', () => {
  const done = run(() => {})
  assert.equal(done.status, 0, done.stdout + done.stderr)
})

const wrong = {
  'a package is missed': [(r) => r.packages.pop() && r.packages.pop(), /installed and not listed: pyyaml/],
  'a package is made up': [(r) => r.packages.push({ type: 'npm', name: 'ghost', version: '1', path: 'srv/x' }), /not installed: ghost/],
  'the source is another': [(r) => { r.packages[0].source_version = '1:2.38.1-5' }, /source of bsdutils/],
  'the size is another': [(r) => { r.packages[0].size = 1 }, /size of bsdutils/],
  'the owner is not said': [(r) => { delete r.packages[1].owned_by }, /owner of rack/],
  'what is gone is listed': [(r, t) => { t.complete = false; r.packages.push({ type: 'npm', name: 'left-pad', version: '1.1.3', path: 'srv/locks/x' }) }, /gone and listed: left-pad/],
  'what lay in a folder that is gone is listed': [(r, t) => { t.complete = false; r.packages.push({ type: 'npm', name: 'y', version: '1', path: 'opt/gone/y' }) }, /gone and listed: y/],
  'a vulnerability is missed': [(r) => { r.vulnerabilities = [] }, /vulnerabilities missed: CVE-1/],
  'an owned package is judged': [(r) => r.vulnerabilities.push({ id: 'CVE-2', package: {}, found: [{ type: 'gem', name: 'rack', version: '2.2.22', path: 'usr/share/rack-2.2.22.gemspec' }] }), /that are none: CVE-2/],
  'a case is missed': [(r) => { r.findings.splice(1, 1) }, /baseline missed: weak-password/],
  'a case lies in another layer': [(r) => { r.findings[0].layer_index = 2 }, /layer 2, not 1/],
  'a deletion is not said': [(r) => { delete r.findings[0].deleted }, /not said to be deleted/],
  'a decoy is accused': [(r) => r.findings.push({ ...r.findings[1], subject: 'erin' }), /accuses etc\/shadow/],
  'a decoy file is accused': [(r) => r.findings.push({ check: 'secret', rule: 'x', title: 'x', path: 'doc.md' }), /accuses doc.md/],
  'a quiet check speaks': [(r) => r.findings.push({ check: 'compliance', rule: 'x', title: 'x', subject: 'gcc' }), /compliance accuses/],
  'a secret is shown': [(r) => { r.findings[2].current = 'is s3cr3tvalue' }, /unmasked/],
  'a check failed': [(r) => { r.coverage[0].state = 'failed' }, /failed: file/],
  'a layer is lost': [(r) => { r.image.layers.pop() }, /1 layers, not 2/],
}
for (const [name, [change, says]] of Object.entries(wrong)) {
  test(name, () => {
    const done = run(change)
    assert.equal(done.status, 1, done.stdout + done.stderr)
    assert.match(done.stdout, says)
  })
}

test('what needs a clamd is wanted where one is', () => {
  const done = run(() => {}, '--clamd')
  assert.equal(done.status, 1)
  assert.match(done.stdout, /file missed: clamav-test in b.cab/)
})
