// Steps of a build that take risks. Only what they are called is there: the
// history of an image is a text that its builder wrote.

const steps = [
  ['/bin/sh -c curl -fsSL https://get.example.com/install.sh | sh', 'pipe-to-shell', 'install.sh'],
  ['RUN /bin/sh -c chmod -R 777 /srv/app # buildkit', 'chmod-777', 'chmod -R 777'],
  ['ADD http://downloads.example.com/tool.bin /opt/tool # buildkit', 'add-http', 'tool.bin'],
  ['RUN /bin/sh -c sudo make -C /srv/app install # buildkit', 'sudo', 'sudo make'],
  ['RUN /bin/sh -c wget --no-check-certificate https://downloads.example.com/agent -O /usr/local/bin/agent # buildkit', 'no-certificate-check', '--no-check-certificate'],
  ["RUN /bin/sh -c echo 'root:letmein' | chpasswd # buildkit", 'set-password', 'chpasswd'],
  ['RUN /bin/sh -c apt-get update && apt-get install -y nmap tcpdump gcc # buildkit', 'package-cache', 'nmap tcpdump gcc'],
  ['RUN /bin/sh -c pip install flask requests # buildkit', 'pip-unpinned', 'pip install flask'],
  ['RUN /bin/sh -c apt-get install -y --allow-unauthenticated mytool # buildkit', 'unsigned-packages', '--allow-unauthenticated'],
  ['COPY id_rsa /root/.ssh/id_rsa # buildkit', 'copy-key', 'id_rsa'],
]

// plantHistory adds the steps. DB_PASSWORD and API_TOKEN are plantSecrets'.
export function plantHistory(image) {
  for (const [step, family, subject] of steps) {
    image.step(step)
    image.want('build_command', family, { where: 'history', subject })
  }
  image.want('build_command', 'env-secret', { where: 'history', subject: 'DB_PASSWORD' })
  image.want('build_command', 'arg-secret', { where: 'history', subject: 'API_TOKEN' })
  image.step('EXPOSE map[22/tcp:{}]')
  image.step('CMD ["/usr/sbin/sshd" "-D"]')
  image.config.Cmd = ['/usr/sbin/sshd', '-D']
  image.want('build_command', 'no-user', { loose: true })
}
