package model

import (
	"strconv"
	"strings"

	"provision/internal/recipe"
)

// NewDebian returns a bare host that has what there is on every Debian: the accounts of base-passwd,
// root's among them, the kernel's parameters and the time zones. Of these the model knows no names: it
// takes any.
func NewDebian(platform recipe.Platform) *Host {
	h := NewHost(platform)
	h.Debian = true
	groups := map[int]string{}
	for entry := range strings.FieldsSeq(baseGroups) {
		name, number, _ := strings.Cut(entry, ":")
		gid := atoi(number)
		groups[gid] = name
		h.Facts[recipe.GroupKey(name)] = recipe.Fact{Value: recipe.Group{Exists: true, GID: gid}}
	}
	for line := range strings.Lines(baseUsers) {
		f := strings.Split(strings.TrimSpace(line), ":")
		h.Facts[recipe.UserKey(f[0])] = recipe.Fact{Value: recipe.User{
			Exists: true, UID: atoi(f[1]), Group: groups[atoi(f[2])], Comment: f[3], Home: f[4], Shell: f[5],
		}}
	}
	return h
}

// atoi reads a number of the tables below.
func atoi(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err) // a mistake in the table
	}
	return n
}

// everywhere is what every Debian has at a path.
func (h *Host) everywhere(key recipe.Key) (value any, there bool) {
	if !h.Debian || key.Kind != recipe.KindPath {
		return nil, false
	}
	for _, tree := range []string{"/proc/sys/", "/usr/share/zoneinfo/"} {
		if strings.HasPrefix(key.Name, tree) {
			return recipe.Path{Type: recipe.PathFile, Mode: 0o644, Owner: "root", Group: "root"}, true
		}
	}
	return nil, false
}

// The accounts of /usr/share/base-passwd (base-passwd 3.6).
const (
	baseGroups = "root:0 daemon:1 bin:2 sys:3 adm:4 tty:5 disk:6 lp:7 mail:8 news:9 uucp:10 man:12 proxy:13 kmem:15 dialout:20 fax:21 voice:22 cdrom:24 floppy:25 tape:26 sudo:27 audio:29 dip:30 www-data:33 backup:34 operator:37 list:38 irc:39 src:40 shadow:42 utmp:43 video:44 sasl:45 plugdev:46 staff:50 games:60 users:100 nogroup:65534"
	baseUsers  = `root:0:0:root:/root:/bin/bash
daemon:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:2:2:bin:/bin:/usr/sbin/nologin
sys:3:3:sys:/dev:/usr/sbin/nologin
sync:4:65534:sync:/bin:/bin/sync
games:5:60:games:/usr/games:/usr/sbin/nologin
man:6:12:man:/var/cache/man:/usr/sbin/nologin
lp:7:7:lp:/var/spool/lpd:/usr/sbin/nologin
mail:8:8:mail:/var/mail:/usr/sbin/nologin
news:9:9:news:/var/spool/news:/usr/sbin/nologin
uucp:10:10:uucp:/var/spool/uucp:/usr/sbin/nologin
proxy:13:13:proxy:/bin:/usr/sbin/nologin
www-data:33:33:www-data:/var/www:/usr/sbin/nologin
backup:34:34:backup:/var/backups:/usr/sbin/nologin
list:38:38:Mailing List Manager:/var/list:/usr/sbin/nologin
irc:39:39:ircd:/run/ircd:/usr/sbin/nologin
_apt:42:65534::/nonexistent:/usr/sbin/nologin
nobody:65534:65534:nobody:/nonexistent:/usr/sbin/nologin`
)
