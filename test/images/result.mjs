// The one place that knows what `breakwater scan --format json` looks like, and
// which of its rules belong to which family of planted cases.
import { readFileSync } from 'node:fs'

// read gives a result the shape that truth.mjs compares; raw is its whole text.
export function read(file) {
  const raw = readFileSync(file, 'utf8')
  const r = JSON.parse(raw)
  return {
    raw,
    os: r.image?.os ?? {},
    layers: r.image?.layers?.length ?? 0,
    base: r.base ?? undefined,
    states: new Map((r.coverage ?? []).map((c) => [c.check, c.state])),
    packages: (r.packages ?? []).map((p) => ({
      type: p.type, name: p.name, version: p.version, path: p.path ?? '', layer: p.layer_index, arch: p.arch, size: p.size ?? 0,
      source: p.source_name || p.name, source_version: p.source_version || p.version, licences: p.licences ?? [],
      licence: p.licence_expression, owned_by: p.owned_by || undefined, inherited: p.inherited,
    })),
    findings: (r.findings ?? []).map((f) => ({
      ...f, layer: f.layer_index, where: f.where ?? '', words: `${f.rule} ${f.title}`, deleted: Boolean(f.deleted),
      step: f.where === 'history' ? r.image?.history?.[f.line - 1]?.created_by : undefined,
    })),
    vulnerabilities: (r.vulnerabilities ?? []).map((v) => ({
      ids: new Set([v.id, ...v.aliases ?? [], ...v.cves ?? []]), package: v.package, found: v.found ?? [], fixed: v.fixed, inherited: v.inherited,
    })),
  }
}

// of names the rules of a family: ids, or words of an id or a title.
const of = (...ids) => new RegExp(`(${ids.map((i) => i.replace(/[.*+]/g, '\\$&')).join('|')})( |$)`, 'i')
const bw = (group, ...numbers) => of(...numbers.map((n) => `BW-${group}-${String(n).padStart(3, '0')}`))

export const families = {
  // check 3
  'eicar': /eicar/i, 'clamav-test': /clam/i, 'miner': /min(er|ing)|xmrig|coin/i, 'webshell': /web ?-?shell|BW-MAL-02|out of the request/i, 'reverse-shell': /reverse|shell/i,
  // check 4
  'private-key': /private[- ]key/i, 'aws': /aws/i, 'github': /github|token|secret|api-key/i, 'npm': /npm/i, 'slack': /slack/i,
  'password': /password|secret|credential/i, 'registry': /docker|registry/i,
  // check 5
  'weak-password': /BW-PWD|weak.password/i, 'empty-password': /BW-ACC-002|BW-PWD/i, 'uid0-twin': bw('ACC', 1), 'weak-hash': bw('ACC', 13),
  'setuid': bw('FILE', 9), 'world-writable': bw('FILE', 7), 'world-writable-dir': bw('FILE', 8), 'image-root': bw('IMG', 1), 'image-ssh': bw('IMG', 4),
  'ssh-root-login': bw('SSH', 1), 'ssh-empty-passwords': bw('SSH', 3), 'ssh-password-login': bw('SSH', 4), 'ssh-x11': bw('SSH', 5), 'ssh-max-tries': bw('SSH', 6),
  'ssh-ciphers': bw('SSH', 12), 'ssh-macs': bw('SSH', 13),
  'login-max-days': bw('LOGIN', 1), 'login-min-days': bw('LOGIN', 2), 'login-warn': bw('LOGIN', 3), 'login-umask': bw('LOGIN', 4), 'login-hash': bw('LOGIN', 5),
  'pam-nullok': bw('PAM', 6), 'pam-length': bw('PAM', 1), 'pam-old-hash': bw('PAM', 12), 'sudo-nopasswd': bw('SUDO', 1),
  'nginx-root': bw('NGX', 5), 'nginx-version': bw('NGX', 1), 'nginx-listing': bw('NGX', 2), 'nginx-tls': bw('NGX', 3), 'nginx-ciphers': bw('NGX', 4),
  'apache-version': bw('APA', 1), 'apache-signature': bw('APA', 2), 'apache-trace': bw('APA', 3), 'apache-listing': bw('APA', 4), 'apache-root': bw('APA', 5),
  'apache-tls': bw('APA', 6), 'apache-open': bw('APA', 8),
  'tomcat-shutdown': bw('TOM', 1), 'tomcat-autodeploy': bw('TOM', 2), 'tomcat-ajp': bw('TOM', 3), 'tomcat-trace': bw('TOM', 4), 'tomcat-manager': bw('TOM', 12),
  'mysql-root': bw('SQL', 1), 'mysql-bind': bw('SQL', 2), 'mysql-local-infile': bw('SQL', 3), 'mysql-no-grants': bw('SQL', 4),
  'pg-trust': bw('PG', 1, 2), 'pg-md5': bw('PG', 3), 'pg-md5-default': bw('PG', 4), 'pg-ssl': bw('PG', 5), 'pg-fsync': bw('PG', 8), 'pg-everybody': bw('PG', 11, 1),
  'redis-password': bw('RED', 1), 'redis-protected': bw('RED', 2), 'redis-bind': bw('RED', 3), 'redis-debug': bw('RED', 5),
  'mongo-auth': bw('MGO', 1), 'mongo-bind': bw('MGO', 2),
  'php-expose': bw('PHP', 1), 'php-errors': bw('PHP', 2), 'php-include': bw('PHP', 3), 'php-cookie': bw('PHP', 5),
  // check 6
  'forbidden': /./, 'end-of-life': /end.of.(life|support)|eol|BW-SW-1/i,
  // check 7
  'pipe-to-shell': bw('BUILD', 10), 'add-http': bw('BUILD', 12, 20), 'chmod-777': bw('BUILD', 63), 'sudo': bw('BUILD', 61), 'no-certificate-check': bw('BUILD', 21),
  'set-password': bw('BUILD', 4), 'package-cache': bw('BUILD', 50), 'pip-unpinned': bw('BUILD', 41), 'unsigned-packages': bw('BUILD', 30), 'copy-key': bw('BUILD', 5),
  'env-secret': bw('BUILD', 1), 'arg-secret': bw('BUILD', 2), 'no-user': bw('BUILD', 60),
}

// says reports whether a finding speaks of a subject, wherever it puts the word.
export const says = (f, subject) => [f.subject, f.path, f.current, f.description, f.step].some((s) => s?.includes(subject))
