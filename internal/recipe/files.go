package recipe

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// Files is all that is in a directory, and below: its digest, and each entry where the digest was
// another than the probe's.
type Files struct {
	Digest  string
	Entries []Entry // sorted by name
}

// Entry is a file, a directory, a link or something else in a directory.
type Entry struct {
	Name string // the way to it from the directory
	Path
}

// FilesDigest is the digest of entries, as a host makes it of a directory (sh/ask/files.sh): of what
// find prints of each entry and sha256sum of each file.
func FilesDigest(entries []Entry) string {
	letters := map[PathType]string{PathFile: "f", PathDirectory: "d", PathLink: "l", PathOther: "o"}
	var all, files []string
	for _, e := range entries {
		all = append(all, fmt.Sprintf("%s %o %s:%s %s//%s\x00", letters[e.Type], e.Mode, e.Owner, e.Group, e.Name, e.Target))
		if e.Type == PathFile {
			files = append(files, "./"+e.Name+"\x00"+e.SHA256)
		}
	}
	slices.Sort(all)
	slices.Sort(files)
	for _, file := range files {
		name, digest, _ := strings.Cut(file, "\x00")
		all = append(all, digest+"  "+name+"\x00")
	}
	return Digest([]byte(base64.StdEncoding.EncodeToString([]byte(strings.Join(all, "")))))
}
