// A badly configured system and badly configured services. Each line of a file
// that is wrong is a case: the family says what is wrong with it.

// services are path → [content, families].
const services = {
  'etc/ssh/sshd_config': [`Port 22
PermitRootLogin yes
PermitEmptyPasswords yes
PasswordAuthentication yes
X11Forwarding yes
MaxAuthTries 10
Ciphers aes128-cbc,3des-cbc,aes256-ctr
MACs hmac-md5,hmac-sha2-256
`, ['ssh-root-login', 'ssh-empty-passwords', 'ssh-password-login', 'ssh-x11', 'ssh-max-tries', 'ssh-ciphers', 'ssh-macs']],
  'etc/login.defs': [`MAIL_DIR /var/mail
PASS_MAX_DAYS 99999
PASS_MIN_DAYS 0
PASS_WARN_AGE 3
UMASK 022
ENCRYPT_METHOD MD5
`, ['login-max-days', 'login-min-days', 'login-warn', 'login-umask', 'login-hash']],
  'etc/pam.d/common-auth': ['auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\nauth required pam_permit.so\n', ['pam-nullok']],
  'etc/pam.d/common-password': ['password [success=1 default=ignore] pam_unix.so md5\npassword requisite pam_deny.so\n', ['pam-length', 'pam-old-hash']],
  'etc/sudoers.d/deploy': ['deploy ALL=(ALL) NOPASSWD: ALL\n', ['sudo-nopasswd'], 0o440],
  'etc/nginx/nginx.conf': [`user root;
events {}
http {
    server_tokens on;
    server {
        listen 443 ssl;
        ssl_protocols SSLv3 TLSv1 TLSv1.2;
        ssl_ciphers ALL:RC4-SHA;
        autoindex on;
        root /srv/www;
    }
}
`, ['nginx-root', 'nginx-version', 'nginx-listing', 'nginx-tls', 'nginx-ciphers']],
  'etc/apache2/apache2.conf': [`ServerTokens Full
ServerSignature On
TraceEnable On
User root
Timeout 300
<Directory />
    Options Indexes FollowSymLinks
    AllowOverride All
    Require all granted
</Directory>
SSLProtocol all +SSLv3
`, ['apache-version', 'apache-signature', 'apache-trace', 'apache-root', 'apache-listing', 'apache-open', 'apache-tls']],
  'etc/tomcat9/server.xml': [`<?xml version="1.0" encoding="UTF-8"?>
<Server port="8005" shutdown="SHUTDOWN">
  <Service name="Catalina">
    <Connector port="8009" protocol="AJP/1.3" address="0.0.0.0"/>
    <Connector port="8080" protocol="HTTP/1.1" allowTrace="true"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="webapps" autoDeploy="true"/>
    </Engine>
  </Service>
</Server>
`, ['tomcat-shutdown', 'tomcat-ajp', 'tomcat-trace', 'tomcat-autodeploy']],
  'etc/tomcat9/tomcat-users.xml': [`<?xml version="1.0" encoding="UTF-8"?>
<tomcat-users>
  <role rolename="manager-gui"/>
  <user username="tomcat" password="${'tom' + 'cat'}" roles="manager-gui,admin-gui"/>
</tomcat-users>
`, ['tomcat-manager', 'weak-password:tomcat'], 0o640],
  'etc/mysql/my.cnf': [`[mysqld]
user = root
skip-grant-tables
local_infile = 1
bind-address = 0.0.0.0
secure_file_priv =
`, ['mysql-root', 'mysql-no-grants', 'mysql-local-infile', 'mysql-bind']],
  'etc/postgresql/15/main/pg_hba.conf': ['local all all trust\nhost all all 0.0.0.0/0 trust\nhost app app 10.0.0.0/8 md5\n', ['pg-trust', 'pg-everybody', 'pg-md5']],
  'etc/postgresql/15/main/postgresql.conf': ["listen_addresses = '*'\nssl = off\npassword_encryption = md5\nfsync = off\n", ['pg-ssl', 'pg-md5-default', 'pg-fsync']],
  'etc/redis/redis.conf': ['bind 0.0.0.0\nprotected-mode no\nport 6379\nenable-debug-command yes\n', ['redis-password', 'redis-protected', 'redis-bind', 'redis-debug']],
  'etc/mongod.conf': ['net:\n  port: 27017\n  bindIp: 0.0.0.0\nsecurity:\n  authorization: disabled\n', ['mongo-auth', 'mongo-bind']],
  'etc/php/8.2/fpm/php.ini': ['[PHP]\nexpose_php = On\ndisplay_errors = On\nallow_url_include = On\nsession.cookie_httponly = 0\n', ['php-expose', 'php-errors', 'php-include', 'php-cookie']],
}

// anywhere are families of rules that join several files of one program: which
// of them is named does not matter.
const anywhere = new Set(['pam-length', 'redis-password'])

export function plantBaseline(image, shell) {
  image.layer('COPY etc /etc # buildkit')
  for (const [path, [text, families, mode]] of Object.entries(services)) {
    image.file(path, text, { mode: mode ?? 0o644 })
    for (const f of families) {
      const [family, subject] = f.split(':')
      image.want('baseline', family, anywhere.has(family) ? { loose: true, path } : { path, subject })
    }
  }
  image.layer('RUN /bin/sh -c cp /bin/sh /usr/local/bin/rootsh && chmod 4755 /usr/local/bin/rootsh # buildkit')
  image.want('baseline', 'setuid', { path: image.file('usr/local/bin/rootsh', { file: shell }, { mode: 0o4755 }) })
  image.want('baseline', 'world-writable', { path: image.file('opt/data/public.txt', 'anybody may write here\n', { mode: 0o666 }) })
  image.folder('opt/drop', 0o777)
  image.want('baseline', 'world-writable-dir', { path: 'opt/drop' })
  image.config.ExposedPorts = { '22/tcp': {} }
  image.want('baseline', 'image-root', { loose: true })
  image.want('baseline', 'image-ssh', { loose: true })
}
