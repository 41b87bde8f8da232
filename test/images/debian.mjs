// Writes the ground truth of an image that debian.sh made.
//
//   node debian.mjs NAME TREE WORK LAYERS OUT.json
//
// TREE is the whole file system of the image, WORK/dpkg-N what dpkg listed after
// layer N. The form of the truth is told in truth.mjs.
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { debs, gems, jars, nodes, npms, owners, pythons, walkFiles } from './managers.mjs'
import { locked } from './outside.mjs'

const [name, tree, work, layers, out] = process.argv.slice(2)

// since tells the layer from which on a version was there without a break.
function since() {
  const states = []
  for (let n = 1; n <= Number(layers); n++) {
    states.push(new Set(readFileSync(join(work, `dpkg-${n}`), 'utf8').split('\n')))
  }
  return (p) => {
    let n = states.length
    while (n > 1 && states[n - 2].has(`installed ${p.name} ${p.version}`)) n--
    return n
  }
}

const layerOf = since()
const truth = {
  image: name, os: { id: 'debian', version_id: '12' }, ecosystem: 'Debian:12', layers: Number(layers), complete: true,
  quiet: ['file', 'secret'], // what Debian ships is neither malicious nor anybody's secret
  packages: debs(tree).map((p) => ({ ...p, layer: layerOf(p) })),
  gone: [{ path: 'opt/gone' }, { type: 'deb', name: 'nano' }, { type: 'deb', name: 'logrotate' }],
}
if (name === 'debian12') addLanguages()
writeFileSync(out, JSON.stringify(truth, null, 1))

function addLanguages() {
  const owner = owners(tree)
  const python = 'usr/lib/python3/dist-packages', archives = ['usr/share/java', 'usr/share/maven-repo']
  const owned = [
    ...pythons(tree, [python]), ...gems(tree), ...archives.flatMap((d) => jars(tree, d)), ...nodes(tree, 'usr/share/nodejs'),
  ].map((p) => ({ ...p, owned_by: owner(p.path) ?? ownerBelow(p.path) })) // none: gem put it there
  const outside = [...pythons(tree, ['opt/venv/lib/python3.11/site-packages']), ...npms(join(tree, 'opt/web'), 'opt/web')]
  truth.packages.push(...owned, ...outside)

  function ownerBelow(path) { // a directory: whoever brought a file in it
    if (!statSync(join(tree, path)).isDirectory()) return undefined
    const file = walkFiles(join(tree, path)).map((f) => f.slice(tree.length + 1)).find((f) => owner(f))
    return file && owner(file)
  }
  const named = new Set(owned.filter((p) => p.type === 'maven').map((p) => p.path))
  truth.optional = [
    // A jar without pom.properties may be listed, under a name that is a guess.
    ...archives.flatMap((d) => walkFiles(join(tree, d))).map((f) => f.slice(tree.length + 1)).filter((f) => /\.[jwe]ar$/.test(f) && !named.has(f))
      .map((path) => ({ type: 'maven', path })),
    { type: 'pypi', path: 'usr/share/python-wheels/' },
  ]
  truth.gone.push({ type: 'deb', name: 'git' }, { path: 'srv/locks' }, { path: 'srv/copy' }, ...locked)
  truth.vulnerable = [
    { type: 'npm', name: 'lodash', version: '4.17.15', id: 'CVE-2021-23337' }, { type: 'npm', name: 'minimist', version: '1.2.0', id: 'CVE-2021-44906' },
    { type: 'pypi', name: 'pip', version: '23.0.1', id: 'CVE-2023-5752' },
    { type: 'gem', name: 'rack', version: '2.0.1', id: 'CVE-2018-16471' },
  ]
}
