// Credentials that the secret check must find, made anew with every image, and
// texts that look like some and are none.
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const random = (n, alphabet = letters) => [...randomBytes(n)].map((b) => alphabet[b % alphabet.length]).join('')
const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

// The shapes that the services document, filled at random.
export const made = {
  aws: () => 'AK' + 'IA' + random(16, base32),
  awsSecret: () => random(40),
  github: () => 'gh' + 'p_' + random(36),
  npm: () => 'np' + 'm_' + random(36),
  slack: () => 'xo' + 'xb-' + random(12, '123456789') + '-' + random(12, '123456789') + '-' + random(24),
  password: () => random(9) + '!' + random(9),
}

// keys makes real key pairs and a certificate.
function keys(work) {
  const dir = mkdtempSync(join(work, 'keys-'))
  const run = (command, ...args) => execFileSync(command, args, { cwd: dir, stdio: 'ignore' })
  run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'deploy@build', '-f', 'id_ed25519')
  run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'server.key', '-out', 'server.crt', '-days', '30', '-subj', '/CN=example.com')
  run('openssl', 'ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'old.key')
  return (name) => readFileSync(join(dir, name), 'utf8')
}

export function plantSecrets(image, work) {
  const key = keys(work)
  const put = (path, family, text, value, line) => {
    image.file(path, text, { mode: 0o600 })
    image.want('secret', family, { path, line })
    if (value) image.secretValue(value)
    return path
  }
  const body = (pem) => pem.split('\n')[2]

  image.layer('COPY app /srv/app # buildkit')
  put('home/deploy/.ssh/id_ed25519', 'private-key', key('id_ed25519'), body(key('id_ed25519')), 1)
  put('srv/app/tls/server.key', 'private-key', key('server.key'), body(key('server.key')), 1)
  put('srv/app/tls/old.key', 'private-key', key('old.key'), body(key('old.key')))
  const id = made.aws(), secret = made.awsSecret()
  put('home/deploy/.aws/credentials', 'aws', `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\nregion = eu-west-1\n`, secret)
  image.secretValue(id)
  const github = made.github()
  put('srv/app/.env', 'github', `PORT=8080\nGITHUB_TOKEN=${github}\n`, github, 2)
  const password = made.password()
  put('srv/app/application.properties', 'password', `server.port=8080\nspring.datasource.username=app\nspring.datasource.password=${password}\n`, password, 3)
  const npm = made.npm()
  put('home/deploy/.npmrc', 'npm', `//registry.example.com/:_authToken=${npm}\n`, npm, 1)
  const slack = made.slack()
  put('srv/app/notify.py', 'slack', `import requests\n\nTOKEN = "${slack}"\n`, slack, 3)
  const url = made.password().replace('!', '-')
  put('srv/app/settings.py', 'password', `DEBUG = False\nDATABASE_URL = "postgres://shop:${url}@db.internal.corp:5432/shop"\n`, url, 2)
  const registry = made.password()
  const auth = Buffer.from(`builder:${registry}`).toString('base64')
  put('home/deploy/.docker/config.json', 'registry', JSON.stringify({ auths: { 'registry.corp.internal': { auth } } }, null, 1), auth)

  image.layer('RUN /bin/sh -c rm /srv/app/tls/old.key # buildkit')
  image.remove('srv/app/tls/old.key')
  plantInConfiguration(image)
  plantDecoys(image, key)
}

// plantInConfiguration puts credentials where no file is.
function plantInConfiguration(image) {
  const [env, label, arg] = [made.password(), made.github(), made.github()]
  image.config.Env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', `DB_PASSWORD=${env}`]
  image.config.Labels = { 'com.example.deploy.token': label, 'org.opencontainers.image.title': 'planted' }
  image.step(`ENV DB_PASSWORD=${env}`)
  image.step(`LABEL com.example.deploy.token=${label}`)
  image.step(`ARG API_TOKEN=${arg}`)
  image.step(`RUN |1 API_TOKEN=${arg} /bin/sh -c echo building # buildkit`)
  image.want('secret', 'password', { where: 'env', subject: 'DB_PASSWORD' })
  image.want('secret', 'github', { where: 'label', subject: 'com.example.deploy.token' })
  image.want('secret', 'github', { where: 'history', subject: 'API_TOKEN' })
  for (const v of [env, label, arg]) image.secretValue(v)
}

export function plantDecoys(image, key) {
  image.layer('COPY docs /srv/docs # buildkit')
  const decoy = (path, text, why) => image.decoy('secret', image.file(path, text), why)
  const sum = (s) => createHash('sha256').update(s).digest('hex')
  decoy('srv/docs/aws.md', `# Keys\n\n    export AWS_ACCESS_KEY_ID=${'AK' + 'IA'}IOSFODNN7EXAMPLE\n    export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCY${'EXAMPLE' + 'KEY'}\n`, 'the example of the documentation')
  decoy('srv/docs/application.properties', 'spring.datasource.password=changeme\nmail.password=${MAIL_PASSWORD}\napi.password=<your password>\n', 'placeholders')
  decoy('srv/docs/compose.yaml', 'services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}\n      POSTGRES_PASSWORD_FILE: /run/secrets/db\n', 'a variable')
  decoy('srv/docs/page.html', `<img src="data:image/png;base64,${randomBytes(600).toString('base64')}">\n`, 'a picture')
  decoy('srv/docs/SHA256SUMS', ['a.tar', 'b.tar', 'c.tar'].map((n) => `${sum(n)}  ${n}`).join('\n') + '\n', 'hashes')
  decoy('srv/docs/ids.json', JSON.stringify({ ids: [randomUUID(), randomUUID(), randomUUID()], revision: sum('x').slice(0, 40) }, null, 1), 'identifiers')
  decoy('srv/docs/package-lock.json', JSON.stringify({
    name: 'docs', version: '1.0.0', lockfileVersion: 3,
    packages: { '': { name: 'docs', version: '1.0.0' }, 'node_modules/ms': { version: '2.1.3', integrity: `sha512-${randomBytes(64).toString('base64')}` } },
  }, null, 1), 'integrity of a lock file')
  decoy('srv/docs/server.crt', key('server.crt'), 'a certificate is public')
  decoy('srv/docs/id_ed25519.pub', key('id_ed25519.pub'), 'a public key')
  decoy('usr/share/man/man8/sample.8', '.TH SAMPLE 8\n.SH EXAMPLES\nLog in with\n.B sample --password secret --user alice\nor put\n.B password = secret\ninto the file.\n', 'a manual')
  decoy('srv/docs/messages.properties', 'login.password=Password\nlogin.password.hint=Enter your password\n', 'words of a form')
}

// decoysOnly is for an image that must stay quiet.
export function decoysOnly(image, work) { plantDecoys(image, keys(work)) }
