// An image that is written case by case: each file, variable or step goes into
// the image and, in the same call, into the truth about it.
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pack } from '../pack.mjs'

export class Image {
  // work is a directory to work in; lower are the steps below the first layer,
  // and count how many layers those have.
  constructor(name, work, lower, count) {
    Object.assign(this, { name, work, steps: [...lower], count, config: {}, cases: [], decoys: [], values: [], dir: undefined })
  }

  // layer begins a layer: what is put from now on is in it.
  layer(createdBy) {
    this.dir = mkdtempSync(join(this.work, `${this.name}-`))
    chmodSync(this.dir, 0o755)
    this.count++
    this.steps.push({ dir: this.dir, created_by: createdBy })
  }

  // blob is a layer of another image.
  blob(step) {
    this.count++
    this.steps.push(step)
  }

  // step is a line of the history that changes no file.
  step(createdBy) { this.steps.push({ created_by: createdBy }) }

  // file puts a file; content is text, bytes, or { file: path }. Options: mode, uid, gid.
  file(path, content, { mode = 0o644, uid = 0, gid = 0 } = {}) {
    const to = join(this.dir, path)
    mkdirSync(dirname(to), { recursive: true, mode: 0o755 })
    if (content?.file) copyFileSync(content.file, to)
    else writeFileSync(to, content)
    chownSync(to, uid, gid)
    chmodSync(to, mode)
    return path
  }

  folder(path, mode) {
    mkdirSync(join(this.dir, path), { recursive: true, mode: 0o755 })
    chmodSync(join(this.dir, path), mode)
  }

  // remove deletes what a lower layer has.
  remove(path) {
    if (existsSync(join(this.dir, path))) throw new Error(`${path} is in this very layer`)
    const at = path.replace(/([^/]+)$/, '.wh.$1')
    mkdirSync(dirname(join(this.dir, at)), { recursive: true })
    writeFileSync(join(this.dir, at), '')
    for (const c of this.cases) if (c.path === path) c.deleted = true
  }

  // want says that a check must find something: family names the kind of rule,
  // the rest where it lies. See truth.mjs.
  want(check, family, at) {
    const where = at.where ?? ''
    this.cases.push({ check, family, layer: where || !at.path ? undefined : this.count, ...at })
  }

  // decoy says that a check must not find anything at a path.
  decoy(check, path, why) { this.decoys.push({ check, path, why }) }

  // secretValue is a credential that no output may repeat.
  secretValue(value) { this.values.push(value) }

  write(out, plan, truth) {
    pack({ out, config: this.config, steps: this.steps, ...plan })
    for (const s of this.steps) if (s.dir) rmSync(s.dir, { recursive: true })
    return { image: this.name, layers: this.count, cases: this.cases, decoys: this.decoys, values: this.values, ...truth }
  }
}
