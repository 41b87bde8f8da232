// Writes an image archive out of layers that are plain tar files, without any
// container tool, so that a layer, a step of the history and the configuration
// can be exactly what a case needs.
//
//   node pack.mjs PLAN.json
//
//   { "out": "x.tar",            written whole or not at all
//     "form": "oci",             oci: an OCI archive, layout: a directory, docker: what docker save writes
//     "compress": "gzip",        gzip, zstd or none, for the layers that are made here; docker has none
//     "tag": "name:tag",
//     "config": { "Env": […] },  of the image; what a base says stands where this says nothing
//     "steps": [ { "base": "LAYOUT", "layers": 1 },      the lowest layers of another image, untouched
//                { "top": "LAYOUT", "layers": 1, … },    its highest layers
//                { "dir": "D", "created_by": "…" },      one layer of a directory, .wh. files and all
//                { "tar": "T", "created_by": "…" },
//                { "created_by": "…" } ] }               a step without a layer
//
// LAYOUT is an OCI layout directory. Times are fixed: the same input makes the same bytes.
import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const created = '2024-03-01T00:00:00Z'
const huge = 1 << 30
const sha = (bytes) => createHash('sha256').update(bytes).digest('hex')
const run = (command, args, input) => execFileSync(command, args, { input, maxBuffer: huge, stdio: ['pipe', 'pipe', 'inherit'] })
const suffix = { gzip: 'tar+gzip', zstd: 'tar+zstd', none: 'tar' }

function squeeze(bytes, how) {
  if (how === 'gzip') return gzipSync(bytes, { level: 6 })
  if (how === 'zstd') return run('zstd', ['-q', '-3', '-c'], bytes)
  return bytes
}

function inflate(bytes, type) {
  if (type.endsWith('gzip')) return gunzipSync(bytes)
  if (type.endsWith('zstd')) return run('zstd', ['-q', '-d', '-c'], bytes)
  return bytes
}

const blobOf = (layout, digest) => readFileSync(join(layout, 'blobs', digest.replace(':', '/')))

// image reads the one image of an OCI layout.
export function image(layout) {
  const index = JSON.parse(readFileSync(join(layout, 'index.json')))
  const manifest = JSON.parse(blobOf(layout, index.manifests[0].digest))
  return { digest: index.manifests[0].digest, manifest, config: JSON.parse(blobOf(layout, manifest.config.digest)) }
}

// layerTar is the uncompressed tar of layer number at (from 0) of a layout.
export function layerTar(layout, at) {
  const { mediaType, digest } = image(layout).manifest.layers[at]
  return inflate(blobOf(layout, digest), mediaType)
}

// tarOf makes a tar of a directory with fixed times; owners and modes as they are.
function tarOf(dir) {
  return run('tar', ['-C', dir, '--sort=name', '--mtime=@1709251200', '--numeric-owner', '-cf', '-', '.'])
}

// taken is the layers and history of a step that takes them from another image.
function taken(step) {
  const layout = step.base ?? step.top
  const { manifest, config } = image(layout)
  const n = step.layers ?? manifest.layers.length
  const first = step.base ? 0 : manifest.layers.length - n
  const layers = manifest.layers.slice(first, first + n).map((l, i) => {
    const bytes = blobOf(layout, l.digest)
    return { type: l.mediaType, bytes, digest: l.digest, diff: config.rootfs.diff_ids[first + i] }
  })
  if (step.created_by) return { layers, history: layers.map(() => ({ created, created_by: step.created_by })), config: {} }
  if (step.top) return { layers, history: layers.map(() => ({ created, created_by: 'RUN /bin/sh -c install # buildkit' })), config: {} }
  let left = n
  const history = []
  for (const h of config.history ?? []) {
    if (!h.empty_layer && left-- === 0) break
    history.push(h)
  }
  while (left-- > 0) history.push({ created, created_by: '/bin/sh -c #(nop) ADD file in / ' })
  return { layers, history, config: config.config ?? {} }
}

function made(step, how) {
  const tar = step.dir ? tarOf(step.dir) : readFileSync(step.tar)
  const bytes = squeeze(tar, how)
  return { type: `application/vnd.oci.image.layer.v1.${suffix[how]}`, bytes, digest: `sha256:${sha(bytes)}`, diff: `sha256:${sha(tar)}` }
}

// pack writes the image that a plan tells of, and answers its layers' digests.
export function pack(plan) {
  const how = plan.form === 'docker' ? 'none' : plan.compress ?? 'gzip'
  const layers = [], history = []
  let config = {}
  for (const step of plan.steps) {
    if (step.base || step.top) {
      const t = taken(step)
      layers.push(...t.layers)
      history.push(...t.history)
      config = { ...config, ...t.config }
    } else if (step.dir || step.tar) {
      layers.push(made(step, how))
      history.push({ created, created_by: step.created_by })
    } else {
      history.push({ created, created_by: step.created_by, empty_layer: true })
    }
  }
  const body = JSON.stringify({
    created, architecture: 'amd64', os: 'linux', config: { ...config, ...plan.config },
    rootfs: { type: 'layers', diff_ids: layers.map((l) => l.diff) }, history,
  })
  const work = mkdtempSync(`${resolve(plan.out)}.work-`)
  chmodSync(work, 0o755)
  try {
    const write = plan.form === 'docker' ? writeDocker : writeLayout
    write(work, layers, body, plan.tag)
    const part = `${resolve(plan.out)}.part`
    rmSync(part, { recursive: true, force: true })
    if (plan.form === 'layout') renameSync(work, part)
    else run('tar', ['-C', work, '--sort=name', '--mtime=@1709251200', '--owner=0', '--group=0', '-cf', part, '.'])
    rmSync(plan.out, { recursive: true, force: true })
    renameSync(part, plan.out)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return layers.map((l) => l.digest)
}

function writeLayout(dir, layers, body, tag) {
  const blobs = join(dir, 'blobs/sha256')
  mkdirSync(blobs, { recursive: true })
  const put = (bytes) => { writeFileSync(join(blobs, sha(bytes)), bytes); return { digest: `sha256:${sha(bytes)}`, size: bytes.length } }
  for (const l of layers) put(l.bytes)
  const manifest = JSON.stringify({
    schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...put(Buffer.from(body)) },
    layers: layers.map((l) => ({ mediaType: l.type, digest: l.digest, size: l.bytes.length })),
  })
  const entry = { mediaType: 'application/vnd.oci.image.manifest.v1+json', ...put(Buffer.from(manifest)) }
  if (tag) entry.annotations = { 'org.opencontainers.image.ref.name': tag }
  writeFileSync(join(dir, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }))
  writeFileSync(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
}

function writeDocker(dir, layers, body, tag) {
  const names = layers.map((l) => {
    const name = `${l.diff.slice(7)}.tar`
    if (!existsSync(join(dir, name))) writeFileSync(join(dir, name), inflate(l.bytes, l.type))
    return name
  })
  writeFileSync(join(dir, `${sha(body)}.json`), body)
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify([{ Config: `${sha(body)}.json`, RepoTags: tag ? [tag] : null, Layers: names }]))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const plan = JSON.parse(readFileSync(process.argv[2]))
  mkdirSync(dirname(resolve(plan.out)), { recursive: true })
  console.log(pack(plan).join('\n'))
}
