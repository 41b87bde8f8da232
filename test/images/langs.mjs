// Makes images of language packages that no dpkg knows of, out of the files of
// Debian's packages:
//
//   java     docker archive: jars, fat jars of up to three archives in each
//            other, a shaded jar, a war
//   ruby     OCI archive, zstd: a bundle of gems, and one that a later layer deletes
//   python   OCI archive of two layers: a site-packages, and its upgrade
//   programs OCI archive of two layers: interpreters and servers where their makers
//            put them, and one that a later layer deletes
//
//   node langs.mjs WORK DIR
//
// WORK is a directory to work in. The truth comes from pom.properties, from the
// names that RubyGems gives its specifications, from the metadata of modules, and
// from the versions of the packages that the programs are of.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { poms, walkFiles } from './managers.mjs'
import { pack } from './pack.mjs'

const [work, dir] = process.argv.slice(2).map((d) => resolve(d))
const run = (command, args, options) => execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'], ...options })
const unpacked = join(work, 'debs')

// download unpacks packages into a directory and returns their versions by name.
function download(packages, into) {
  const at = tree('download'), versions = {}
  mkdirSync(into, { recursive: true })
  run('apt-get', ['-qq', '-o', 'APT::Sandbox::User=root', 'download', ...packages], { cwd: at })
  for (const deb of readdirSync(at)) {
    run('dpkg-deb', ['-x', join(at, deb), into])
    const [name, version] = execFileSync('dpkg-deb', ['-W', join(at, deb)], { encoding: 'utf8' }).trim().split('\t')
    versions[name] = version
  }
  return versions
}

const write = (name, truth) =>
  writeFileSync(join(dir, `${name}.truth.json`), JSON.stringify({ image: name, complete: true, ...truth }, null, 1))
const tree = (name) => mkdtempSync(join(work, `${name}-`))
const make = (path) => { mkdirSync(path, { recursive: true }); return path }
const copy = (from, to) => { make(join(to, '..')); cpSync(from, to, { dereference: true, recursive: true }) }

// zip makes an archive of files: { name inside: file }.
function zip(out, files) {
  const inside = tree('zip')
  for (const [name, file] of Object.entries(files)) copy(file, join(inside, name))
  make(join(out, '..'))
  run('zip', ['-q', '-X', '-r', out, '.'], { cwd: inside })
}

function java() {
  const root = tree('java'), packages = []
  const jar = (name) => join(unpacked, 'usr/share/java', `${name}.jar`)
  const list = (path, layer, ...archives) => packages.push(...archives.flatMap(poms).map((p) => ({ ...p, path, layer })))
  const named = (group, artifact, version) => { // a pom.properties of our own
    const file = join(tree('pom'), 'pom.properties')
    writeFileSync(file, `groupId=${group}\nartifactId=${artifact}\nversion=${version}\n`)
    return { [`META-INF/maven/${group}/${artifact}/pom.properties`]: file }
  }
  for (const name of ['commons-text', 'guava', 'jackson-databind']) {
    copy(jar(name), join(root, `opt/app/lib/${name}.jar`))
    list(`opt/app/lib/${name}.jar`, 1, jar(name))
  }
  // A name that says it all, and no pom.properties.
  copy(jar('spring3-core-3.x'), join(root, 'opt/app/lib/spring-core-4.3.30.RELEASE.jar'))

  const fat = join(root, 'opt/app/fat.jar')
  zip(fat, { ...named('com.example', 'fat', '1.4.0'), 'BOOT-INF/lib/commons-io.jar': jar('commons-io'), 'BOOT-INF/lib/log4j-core.jar': jar('log4j-core') })
  list('opt/app/fat.jar', 1, fat, jar('commons-io'), jar('log4j-core'))

  const war = join(root, 'opt/tomcat/webapps/ROOT.war')
  zip(war, { ...named('com.example', 'shop', '2.0.1'), 'WEB-INF/lib/xstream.jar': jar('xstream') })
  list('opt/tomcat/webapps/ROOT.war', 1, war, jar('xstream'))

  // An ear that holds a war that holds a fat jar that holds a jar.
  const inner = join(work, 'inner.jar'), middle = join(work, 'middle.war'), ear = join(root, 'opt/app/deep.ear')
  zip(inner, { ...named('com.example', 'inner', '0.3.0'), 'lib/commons-io.jar': jar('commons-io') })
  zip(middle, { ...named('com.example', 'middle', '0.2.0'), 'WEB-INF/lib/inner.jar': inner })
  zip(ear, { ...named('com.example', 'outer', '0.1.0'), 'middle.war': middle })
  list('opt/app/deep.ear', 1, ear, middle, inner, jar('commons-io'))

  const shaded = join(root, 'opt/app/shaded.jar'), both = tree('shade')
  for (const name of ['guava', 'commons-text']) run('unzip', ['-q', '-o', jar(name), '-d', both])
  run('zip', ['-q', '-X', '-r', shaded, '.'], { cwd: both })
  list('opt/app/shaded.jar', 1, jar('guava'), jar('commons-text'))

  // A later layer deletes one and brings it back elsewhere under another name.
  const later = tree('java')
  make(join(later, 'opt/app/lib'))
  writeFileSync(join(later, 'opt/app/lib/.wh.guava.jar'), '')
  copy(jar('guava'), join(later, 'opt/renamed/g.jar'))
  list('opt/renamed/g.jar', 2, jar('guava'))

  pack({
    out: join(dir, 'java.tar'), form: 'docker', tag: 'java:1',
    steps: [{ dir: root, created_by: 'COPY opt /opt # buildkit' }, { dir: later, created_by: 'RUN /bin/sh -c mv /opt/app/lib/guava.jar /opt/renamed/g.jar # buildkit' }],
  })
  const gone = 'opt/app/lib/guava.jar'
  write('java', {
    layers: 2, packages: packages.filter((p) => p.path !== gone),
    // Spring Framework 4.3 was supported until the end of 2020.
    cases: [{ check: 'compliance', family: 'end-of-life', path: 'opt/app/lib/spring-core-4.3.30.RELEASE.jar' }], quiet: ['file', 'secret'],
    optional: [{ type: 'maven', path: 'opt/app/lib/spring-core-4.3.30.RELEASE.jar' }],
    gone: [{ path: gone }],
    vulnerable: [
      { type: 'maven', name: 'com.google.guava:guava', version: '31.1-jre', id: 'CVE-2023-2976' },
      { type: 'maven', name: 'commons-io:commons-io', version: '2.11.0', id: 'CVE-2024-47554' },
    ].filter((v) => packages.some((p) => p.name === v.name && p.version === v.version)),
  })
}

function ruby() {
  const root = tree('ruby'), home = 'opt/bundle/ruby/3.1.0'
  const specs = walkFiles(unpacked).filter((f) => /\/specifications\/[^/]+\.gemspec$/.test(f))
  const gemOf = (file) => {
    const [, name, version] = /^(.+?)-(\d[^-]*)(?:-x86_64-linux-gnu)?\.gemspec$/.exec(basename(file))
    return { type: 'gem', name, version, path: `${home}/specifications/${basename(file)}`, layer: 1 }
  }
  for (const f of specs) copy(f, join(root, home, 'specifications', basename(f)))
  copy(join(unpacked, 'usr/share/rubygems-integration/all/gems'), join(root, home, 'gems'))
  const later = tree('ruby'), lost = specs.find((f) => basename(f).startsWith('sinatra'))
  make(join(later, home, 'specifications'))
  writeFileSync(join(later, home, 'specifications', `.wh.${basename(lost)}`), '')
  pack({
    out: join(dir, 'ruby.tar'), form: 'oci', compress: 'zstd',
    steps: [{ dir: root, created_by: 'COPY bundle /opt/bundle # buildkit' }, { dir: later, created_by: 'RUN /bin/sh -c gem uninstall sinatra # buildkit' }],
  })
  write('ruby', {
    layers: 2, quiet: ['file', 'secret'], packages: specs.filter((f) => f !== lost).map(gemOf), gone: [gemOf(lost)],
    vulnerable: [{ type: 'gem', name: 'nokogiri', version: '1.13.10', id: 'GHSA-pxvg-2qj5-37jq' }],
  })
}

function python() {
  const root = tree('python'), site = 'opt/py/lib/python3.11/site-packages'
  copy(join(unpacked, 'usr/lib/python3/dist-packages'), join(root, site))
  const read = (of) => walkFiles(of).filter((f) => /\.(egg-info\/PKG-INFO|dist-info\/METADATA)$/.test(f)).map((f) => {
    const value = (key) => new RegExp(`^${key}: (.*)$`, 'm').exec(readFileSync(f, 'utf8'))[1].trim()
    return { type: 'pypi', name: value('Name'), version: value('Version'), path: relative(of, f), layer: 1 }
  })
  const before = read(root), old = before.find((p) => p.name === 'urllib3')
  // The upgrade of one module: its old metadata goes, its new comes.
  const later = tree('python'), now = '2.2.1'
  const meta = (p, version) => p.path.replace(p.version, version)
  make(join(later, meta(old, now), '..'))
  writeFileSync(join(later, meta(old, now)), readFileSync(join(root, old.path), 'utf8').replace(/^Version: .*$/m, `Version: ${now}`))
  writeFileSync(join(later, site, `.wh.${basename(join(old.path, '..'))}`), '')
  pack({
    out: join(dir, 'python.tar'), form: 'oci',
    steps: [{ dir: root, created_by: 'COPY py /opt/py # buildkit' }, { dir: later, created_by: 'RUN /bin/sh -c pip install urllib3==2.2.1 # buildkit' }],
  })
  write('python', {
    layers: 2, quiet: ['file', 'secret', 'compliance'], packages: [...before.filter((p) => p !== old), { ...old, version: now, path: meta(old, now), layer: 2 }],
    gone: [{ type: 'pypi', name: old.name, version: old.version }],
    vulnerable: [{ type: 'pypi', name: 'urllib3', version: now, id: 'CVE-2024-37891' }],
  })
}

// upstream is the makers' part of a deb's version.
const upstream = (version) => /^(?:\d+:)?(?:.*\+really)?([\d.]*\d[a-z]?)/.exec(version)[1]

function programs() {
  const from = join(work, 'programs'), root = tree('programs')
  // The package, its file, what it is called and where it lies in the image. Debian's
  // redis-check-rdb, nginx and so on are the servers themselves.
  const list = [
    ['redis-tools', 'usr/bin/redis-check-rdb', 'redis', 'usr/local/bin/redis-server'],
    ['nginx', 'usr/sbin/nginx', 'nginx', 'usr/local/nginx/sbin/nginx'],
    ['apache2-bin', 'usr/sbin/apache2', 'apache', 'usr/local/apache2/bin/httpd'],
    ['memcached', 'usr/bin/memcached', 'memcached', 'usr/local/bin/memcached'],
    ['haproxy', 'usr/sbin/haproxy', 'haproxy', 'usr/local/sbin/haproxy'],
    ['postgresql-15', 'usr/lib/postgresql/15/bin/postgres', 'postgresql', 'usr/local/pgsql/bin/postgres'],
    ['mariadb-server-core', 'usr/sbin/mariadbd', 'mariadb', 'usr/local/mysql/bin/mariadbd'],
    ['python3.11-minimal', 'usr/bin/python3.11', 'python', 'usr/local/bin/python3.11'],
    ['libruby3.1', 'usr/lib/x86_64-linux-gnu/libruby-3.1.so.3.1.2', 'ruby', 'usr/local/lib/libruby.so.3.1.2'],
    ['php8.2-cli', 'usr/bin/php8.2', 'php', 'usr/local/bin/php'],
    ['libnode108', 'usr/lib/x86_64-linux-gnu/libnode.so.108', 'node', 'usr/local/lib/libnode.so.108'],
    ['perl-base', 'usr/bin/perl', 'perl', 'usr/local/bin/perl'],
    ['git', 'usr/bin/git', 'git', 'usr/local/bin/git'],
    ['libssl3', 'usr/lib/x86_64-linux-gnu/libcrypto.so.3', 'openssl', 'usr/local/ssl/lib64/libcrypto.so.3'],
    ['libcurl4', 'usr/lib/x86_64-linux-gnu/libcurl.so.4.8.0', 'curl', 'usr/local/lib/libcurl.so.4.8.0'],
    ['busybox', 'bin/busybox', 'busybox', 'bin/['],
    ['erlang-base', 'usr/lib/erlang/releases/25/OTP_VERSION', 'erlang', 'usr/local/lib/erlang/releases/25/OTP_VERSION'],
    ['wordpress', 'usr/share/wordpress/wp-includes/version.php', 'wordpress', 'var/www/html/wp-includes/version.php'],
  ]
  // Names with a version in them are of Debian 12; another release has others.
  const there = list.filter(([deb]) => /Candidate: \d/.test(execFileSync('apt-cache', ['policy', deb], { encoding: 'utf8' })))
  if (there.length < list.length / 2) throw new Error(`of ${list.length} packages of programs apt has ${there.length}`)
  const versions = download(there.map(([deb]) => deb), from)
  const packages = there.map(([deb, file, name, path]) => {
    copy(join(from, file), join(root, path))
    return { type: 'generic', name, version: upstream(versions[deb]), path, layer: 1 }
  })
  // Words of one program in another's file, or in a text, are no program.
  copy(join(from, 'usr/bin/memcached'), join(root, 'opt/app/nginx'))
  make(join(root, 'opt/app/bin'))
  writeFileSync(join(root, 'opt/app/bin/node'), '#!/bin/sh\n# node.js/v1.2.3\n' + '#\n'.repeat(5000))
  const later = tree('programs'), gone = packages.find((p) => p.name === 'memcached')
  make(join(later, 'usr/local/bin'))
  writeFileSync(join(later, 'usr/local/bin/.wh.memcached'), '')
  pack({
    out: join(dir, 'programs.tar'), form: 'oci',
    steps: [{ dir: root, created_by: 'COPY / / # buildkit' }, { dir: later, created_by: 'RUN /bin/sh -c rm /usr/local/bin/memcached # buildkit' }],
  })
  write('programs', {
    layers: 2, packages: packages.filter((p) => p !== gone), gone: [gone], quiet: ['file', 'secret'],
    // Redis 7.0 was supported until July 2024, Ruby 3.1 until March 2025.
    cases: packages.filter((p) => /^(redis 7\.0|ruby 3\.1)\./.test(`${p.name} ${p.version}`)).map(({ path }) => ({ check: 'compliance', family: 'end-of-life', path })),
    vulnerable: [
      { type: 'generic', name: 'python', version: '3.11.2', id: 'CVE-2023-24329' },
      { type: 'generic', name: 'redis', version: '7.0.15', id: 'CVE-2024-31449' },
    ].filter((v) => packages.some((p) => p.name === v.name && p.version === v.version)),
  })
}

download([
  'libcommons-text-java', 'libcommons-io-java', 'libguava-java', 'libjackson2-databind-java', 'liblog4j2-java', 'libxstream-java', 'libspring-core-java',
  'ruby-rack', 'ruby-sinatra', 'ruby-nokogiri', 'ruby-json', 'ruby-mustermann', 'ruby-addressable',
  'python3-requests', 'python3-urllib3', 'python3-jinja2', 'python3-yaml', 'python3-idna', 'python3-certifi',
], unpacked)
java()
ruby()
python()
programs()
