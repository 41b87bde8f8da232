// Accounts with weak and with strong passwords, hashed by mkpasswd and openssl.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'

const hash = (scheme, password) =>
  execFileSync('mkpasswd', ['-s', '-m', scheme], { input: password, encoding: 'utf8' }).trim()
const apr1 = (password) => execFileSync('openssl', ['passwd', '-apr1', '-stdin'], { input: password, encoding: 'utf8' }).trim()
const strong = () => randomBytes(18).toString('base64url')

// plantAccounts writes passwd, shadow and group of the image from those of the
// lower layers: read answers a lower file.
export function plantAccounts(image, read) {
  const passwd = [], shadow = [], group = [], weak = []
  const account = (name, uid, field, { shell = '/bin/bash' } = {}) => {
    passwd.push(`${name}:x:${uid}:${uid === 0 ? 0 : uid}::/home/${name}:${shell}`)
    shadow.push(`${name}:${field}:19700:0:99999:7:::`)
    if (uid) group.push(`${name}:x:${uid}:`)
  }
  account('alice', 1001, hash('yescrypt', '123456'))
  account('bob', 1002, hash('sha512crypt', 'password'))
  account('carol', 1003, hash('md5crypt', 'qwerty'))
  account('dave', 1004, hash('sha256crypt', 'dave'))
  account('erin', 1005, hash('yescrypt', strong()))
  account('frank', 1006, hash('sha512crypt', strong()))
  account('guest', 1007, '')
  account('toor', 0, '*')
  weak.push('alice', 'bob', 'carol', 'dave')

  image.layer('RUN /bin/sh -c useradd alice && useradd bob # buildkit')
  image.file('etc/passwd', read('etc/passwd') + passwd.join('\n') + '\n')
  image.file('etc/shadow', read('etc/shadow') + shadow.join('\n') + '\n', { mode: 0o640, gid: 42 })
  image.file('etc/group', read('etc/group') + group.join('\n') + '\n')
  for (const subject of weak) image.want('baseline', 'weak-password', { path: 'etc/shadow', subject })
  image.want('baseline', 'empty-password', { path: 'etc/shadow', subject: 'guest' })
  image.want('baseline', 'uid0-twin', { path: 'etc/passwd', subject: 'toor' })
  image.want('baseline', 'weak-hash', { path: 'etc/shadow' })
  for (const subject of ['erin', 'frank']) image.decoys.push({ check: 'baseline', family: 'weak-password', path: 'etc/shadow', subject, why: 'a strong password' })

  const web = 'etc/nginx/.htpasswd'
  image.file(web, [`admin:${hash('bcrypt', 'admin')}`, `shop:${apr1('welcome')}`, `owner:${hash('bcrypt', strong())}`].join('\n') + '\n', { mode: 0o640 })
  for (const subject of ['admin', 'shop']) image.want('baseline', 'weak-password', { path: web, subject })
  image.decoys.push({ check: 'baseline', family: 'weak-password', path: web, subject: 'owner', why: 'a strong password' })
}
