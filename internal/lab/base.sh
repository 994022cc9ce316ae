# shellcheck shell=sh
# Run in a debootstrapped system: makes it a host as a cloud image would be,
# and no more. $1 = suite, $2 = archive, $3 = security archive or empty,
# $4 = apt settings of the machine.
set -eu

cat >/etc/apt/sources.list.d/debian.sources <<END
Types: deb
URIs: $2
Suites: $1 $1-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
if [ -n "$3" ]; then
	cat >>/etc/apt/sources.list.d/debian.sources <<END

Types: deb
URIs: $3
Suites: $1-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
fi
rm -f /etc/apt/sources.list
if [ -n "$4" ]; then
	printf '%s' "$4" >/etc/apt/apt.conf.d/90lab
fi

useradd -u 1000 -U -m -s /bin/bash admin
groupmod -g 1001 operator # Debian has that group from the start
useradd -u 1001 -g operator -G sudo -m -s /bin/bash operator
echo 'operator:lab' | chpasswd -c SHA512
echo 'admin ALL=(ALL:ALL) NOPASSWD:ALL' >/etc/sudoers.d/admin
chmod 0440 /etc/sudoers.d/admin

# The one host key is made and pinned by the lab.
rm -f /etc/ssh/ssh_host_*
cat >/etc/ssh/sshd_config.d/lab.conf <<'END'
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication yes
END

# An address without DHCP and without anybody from outside having to set it,
# so that it is there after a reboot too.
cat >/etc/systemd/system/lab-network.service <<'END'
[Unit]
Description=Address of this lab host
DefaultDependencies=no
Wants=network.target
Before=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
EnvironmentFile=/etc/default/lab-network
ExecStart=ip link set host0 up
ExecStart=ip address replace ${ADDRESS} dev host0
ExecStart=ip route replace default via ${GATEWAY}
[Install]
WantedBy=multi-user.target
END
systemctl enable -q lab-network.service
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id

apt-get -q update
apt-get clean
