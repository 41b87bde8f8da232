// Lays out what debian.sh installs without dpkg: an application by npm, the
// source of a gem whose name and version advisories speak of, and lock files
// that a later layer deletes.
//
//   node outside.mjs DIR
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const gem = { name: 'rack', version: '2.0.1' }

// locked are the packages that stand in the lock files and nowhere else.
export const locked = [
  { type: 'npm', name: 'left-pad', version: '1.1.3' }, { type: 'gem', name: 'rest-client', version: '1.6.13' }, { type: 'pypi', name: 'Django', version: '2.2.0' },
]

const [dir] = process.argv.slice(2)
if (dir && process.argv[1].endsWith('outside.mjs')) {
  const put = (path, text) => { mkdirSync(join(dir, path, '..'), { recursive: true }); writeFileSync(join(dir, path), text) }
  put('web/package.json', JSON.stringify({ name: 'web', version: '1.0.0', private: true, dependencies: { lodash: '4.17.15', minimist: '1.2.0', handlebars: '4.0.11' } }))
  execFileSync('npm', ['install', '--silent', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: join(dir, 'web'), stdio: 'inherit' })

  put('gem/lib/rack.rb', '# A stand-in that has a name and a version, and does nothing.\n')
  put('gem/breakwater-sample.gemspec', `Gem::Specification.new do |s|
  s.name = '${gem.name}'
  s.version = '${gem.version}'
  s.summary = 'a stand-in'
  s.authors = ['Breakwater']
  s.homepage = 'https://example.com/rack'
  s.licenses = ['MIT']
  s.files = ['lib/rack.rb']
end
`)

  const [npm, ruby, python] = locked
  put('locks/package.json', JSON.stringify({ name: 'gone', version: '1.0.0', dependencies: { [npm.name]: npm.version } }))
  put('locks/package-lock.json', JSON.stringify({
    name: 'gone', version: '1.0.0', lockfileVersion: 3,
    packages: { '': { name: 'gone', version: '1.0.0', dependencies: { [npm.name]: npm.version } }, [`node_modules/${npm.name}`]: { version: npm.version } },
  }))
  put('locks/Gemfile.lock', `GEM\n  remote: https://example.com/\n  specs:\n    ${ruby.name} (${ruby.version})\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  ${ruby.name}\n`)
  put('locks/requirements.txt', `${python.name}==${python.version}\n`)
}
