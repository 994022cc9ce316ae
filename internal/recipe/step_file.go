package recipe

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
)

// Replacing is a step that replaces what stands at a path: the host keeps a copy of that before.
// Of what is or was a secret, no copy outlives the run that converges, and neither side is shown.
type Replacing interface {
	Replaces() (path string, secret bool)
}

// Attributes are the mode and the owners of a file or directory.
type Attributes struct {
	Mode  uint32
	Owner string
	Group string
}

// WriteFile writes a file beside its place and renames it there.
type WriteFile struct {
	Path    string
	Content []byte
	Attributes
	Secret bool              // the content is never shown, journaled or kept readable
	Fill   map[string]string // placeholder → path of the secret on the host
}

// Effects implements Step.
func (s WriteFile) Effects() []Effect {
	return append(sourcesChanged(s.Path),
		Known(PathKey(s.Path), Path{Type: PathFile, Mode: s.Mode, Owner: s.Owner, Group: s.Group, SHA256: Digest(s.Content)}),
		Known(ContentKey(s.Path), Content{Bytes: s.Content}),
	)
}

// sourcesChanged is that apt's lists are of other sources, when one of these changes.
func sourcesChanged(file string) []Effect {
	if file != "/etc/apt/sources.list" && path.Dir(file) != "/etc/apt/sources.list.d" {
		return nil
	}
	return []Effect{Known(ListsKey(), Lists{})}
}

// Title implements Step.
func (s WriteFile) Title() string { return "write " + s.Path }

// Replaces implements Replacing.
func (s WriteFile) Replaces() (string, bool) { return s.Path, s.Secret || len(s.Fill) > 0 }

// Digest returns the SHA-256 of content in hex, as sha256sum(1) prints it.
func Digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// MakeDirectory makes a directory whose parent exists.
type MakeDirectory struct {
	Path string
	Attributes
}

// Effects implements Step.
func (s MakeDirectory) Effects() []Effect {
	return []Effect{Known(PathKey(s.Path), Path{Type: PathDirectory, Mode: s.Mode, Owner: s.Owner, Group: s.Group})}
}

// Title implements Step.
func (s MakeDirectory) Title() string { return "make directory " + s.Path }

// Replaces implements Replacing.
func (s MakeDirectory) Replaces() (string, bool) { return s.Path, false }

// MakeLink makes a symbolic link, or points an existing one elsewhere, by a rename.
type MakeLink struct{ Path, Target string }

// Effects implements Step.
func (s MakeLink) Effects() []Effect {
	return []Effect{Known(PathKey(s.Path), Path{Type: PathLink, Mode: 0o777, Owner: "root", Group: "root", Target: s.Target})}
}

// Title implements Step.
func (s MakeLink) Title() string { return "link " + s.Path }

// Replaces implements Replacing.
func (s MakeLink) Replaces() (string, bool) { return s.Path, false }

// SetAttributes changes the mode and owners of what stands at a path.
type SetAttributes struct {
	Path  string
	Found Path // as probed: what stays
	Attributes
	Secret bool
}

// Effects implements Step.
func (s SetAttributes) Effects() []Effect {
	after := s.Found
	after.Mode, after.Owner, after.Group = s.Mode, s.Owner, s.Group
	return []Effect{Known(PathKey(s.Path), after)}
}

// Title implements Step.
func (s SetAttributes) Title() string { return "set mode and owner of " + s.Path }

// WithoutFound implements Unfounded.
func (s SetAttributes) WithoutFound() Step {
	s.Found = Path{}
	return s
}

// Replaces implements Replacing.
func (s SetAttributes) Replaces() (string, bool) { return s.Path, s.Secret }

// Remove removes a file, a link or an empty directory; Tree also a full directory.
type Remove struct {
	Path   string
	Tree   bool
	Empty  bool // a directory that is not empty by then stays, and that is no error
	Secret bool
}

// Effects implements Step.
func (s Remove) Effects() []Effect {
	effects := append(sourcesChanged(s.Path), Known(PathKey(s.Path), Path{}), Known(ContentKey(s.Path), Content{}))
	if s.Tree {
		effects = append(effects, Known(TreeKey(s.Path), Tree{}), Known(FilesKey(s.Path), Files{}), Known(EntriesKey(s.Path), Entries(nil)))
		for _, mark := range []string{TreeMark, ArchiveDigest, GitMark} {
			effects = append(effects, Known(PathKey(s.Path+"/"+mark), Path{}))
		}
	}
	return effects
}

// Title implements Step.
func (s Remove) Title() string { return "remove " + s.Path }

// Replaces implements Replacing.
func (s Remove) Replaces() (string, bool) { return s.Path, s.Secret }

// MakeSecret makes a file of random letters and digits, which never leaves the host. What is
// there already stays.
type MakeSecret struct {
	Path   string
	Length int
	Attributes
}

// Effects implements Step.
func (s MakeSecret) Effects() []Effect {
	return []Effect{Known(PathKey(s.Path), Path{Type: PathFile, Mode: s.Mode, Owner: s.Owner, Group: s.Group})}
}

// Title implements Step.
func (s MakeSecret) Title() string { return "make secret " + s.Path }

// Restore puts back what a step of a run replaced, from the copy that the host kept.
type Restore struct {
	Original bool   // of no run: what stood there before any task wanted the path
	Run      string // the run's name in the journal; "" is this one
	Number   int    // the step's number in that run
	Path     string
	As       Path   // what is kept, where it was asked for
	Files    string // of a directory that is kept with all that was in it: their digest, where it was asked for
	Secret   bool
}

// Effects implements Step.
func (s Restore) Effects() []Effect {
	effects := []Effect{Known(PathKey(s.Path), s.As)}
	if s.Files != "" {
		effects = append(effects, Known(FilesKey(s.Path), Files{Digest: s.Files}))
	}
	return effects
}

// Title implements Step.
func (s Restore) Title() string { return "restore " + s.Path }

// Replaces implements Replacing.
func (s Restore) Replaces() (string, bool) { return s.Path, s.Secret }

// Upload brings a big file from the controller's disk. It goes over SFTP to a stage, goes on
// where an earlier try stopped, and is moved into its place when its digest is right.
type Upload struct {
	Path     string
	Artifact Artifact
	Attributes
	Secret bool
}

// Effects implements Step.
func (s Upload) Effects() []Effect {
	return []Effect{Known(PathKey(s.Path), Path{Type: PathFile, Mode: s.Mode, Owner: s.Owner, Group: s.Group, SHA256: s.Artifact.SHA256})}
}

// Title implements Step.
func (s Upload) Title() string { return "upload " + s.Path }

// Lengthy implements Lengthy.
func (s Upload) Lengthy() {}

// Replaces implements Replacing.
func (s Upload) Replaces() (string, bool) { return s.Path, s.Secret }

// Stage is where the upload lies until it is whole: where only root can come, by a name that
// says what it is to become, so that a later try knows its own beginning.
func (s Upload) Stage() string { return "/var/lib/provision/uploads/" + s.Artifact.SHA256 }

// PathOf returns the path that a step replaces, "" when it is no step on a file.
func PathOf(step Step) string {
	if replacing, ok := step.(Replacing); ok {
		path, _ := replacing.Replaces()
		return path
	}
	return ""
}

// SecretOf reports whether what a step replaces, or puts in its place, is a secret.
func SecretOf(step Step) bool {
	replacing, ok := step.(Replacing)
	if !ok {
		return false
	}
	_, secret := replacing.Replaces()
	return secret
}
