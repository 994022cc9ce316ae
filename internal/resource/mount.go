package resource

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// Mount is a file system that is mounted, now and at every boot, by a unit of systemd. Where it is to
// be is made when it is not there. One that changes is unmounted in between, which fails while it is
// in use; one that fails at boot does not stop it.
//
//	Mount{What: "/dev/vdb1", Where: "/srv/data", Type: "ext4", Options: "noatime"}
//
// See systemd.mount(5) and mount(8).
type Mount struct {
	What    string // a device, UUID=…, host:/path, or tmpfs
	Where   string // a path
	Type    string // ext4, nfs, tmpfs; default what is found there
	Options string // "noatime,size=64M"
	Absent  bool   // it is unmounted, and what it was mounted at stays
}

var _ recipe.Composite = Mount{}

// Items implements recipe.Composite.
func (m Mount) Items() []recipe.Item {
	unit := unitOfPath(m.Where, ".mount")
	return unitItems(Service{Unit: unit, Absent: m.Absent}, File{Path: unitDirectory + unit, Content: m.content(), Absent: m.Absent})
}

func (m Mount) content() string {
	settings := "What=" + unitText(m.What) + "\nWhere=" + unitText(m.Where) + "\n"
	if m.Type != "" {
		settings += "Type=" + m.Type + "\n"
	}
	if m.Options != "" {
		settings += "Options=" + unitText(m.Options) + "\n"
	}
	wanted := "local-fs.target"
	if m.network() {
		wanted = "remote-fs.target"
	}
	return "[Unit]\nDescription=" + unitText(m.Where) + "\n\n[Mount]\n" + settings + "\n[Install]\nWantedBy=" + wanted + "\n"
}

// network says whether it needs the network, as systemd.mount(5), _netdev, does.
func (m Mount) network() bool {
	return slices.Contains([]string{"nfs", "nfs4", "cifs", "ceph", "glusterfs"}, m.Type) || slices.Contains(strings.Split(m.Options, ","), "_netdev")
}

var fileSystem = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]*$`)

// ofSystem are the directories in which a running host has what it runs by: what is mounted there hides
// it at once, and what is unmounted takes it away.
var ofSystem = regexp.MustCompile(`^/(etc|var|var/lib|boot|run|dev|bin|sbin|lib|lib32|lib64|usr(/(bin|sbin|lib|lib32|lib64|libexec|share)(/.*)?)?|(proc|sys)(/.*)?)$`)

// Validate refuses what cannot be meant.
func (m Mount) Validate() error {
	if err := checkPath("mount", m.Where); err != nil {
		return err
	}
	if ofSystem.MatchString(m.Where) {
		return fmt.Errorf("mount %s: the system itself is there: name a directory of its own, as /srv/data", m.Where)
	}
	if m.Absent {
		return nil
	}
	if m.What == "" {
		return fmt.Errorf("mount %s: wants what is to be mounted there", m.Where)
	}
	if m.Type != "" {
		if err := checkName("type of a file system", m.Type, fileSystem); err != nil {
			return err
		}
	}
	for _, text := range []string{m.What, m.Where, m.Options} {
		if err := checkUnitText("mount "+m.Where, text); err != nil {
			return err
		}
	}
	return nil
}
