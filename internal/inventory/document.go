package inventory

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"provision/internal/recipe"
)

// Place is where a variable is set in hosts.yaml: for all hosts, a group or a host.
type Place struct {
	Section  string // "" is all hosts; else "groups" or "hosts"
	Name     string // of the group or host
	Variable string // task.variable
}

// String returns the place as a person would say it.
func (p Place) String() string {
	if p.Section == "" {
		return p.Variable + " for all hosts"
	}
	return fmt.Sprintf("%s for %s %s", p.Variable, strings.TrimSuffix(p.Section, "s"), p.Name)
}

// path returns the keys that lead to the variable.
func (p Place) path() []string {
	if p.Section == "" {
		return []string{"vars", p.Variable}
	}
	return []string{p.Section, p.Name, "vars", p.Variable}
}

// Document is the text of a hosts.yaml whose secrets are changed in place: every other
// line stays as it is, comments included. It need not be a good inventory yet: a secret
// in plain text is what is to be encrypted.
type Document struct {
	name  string
	lines []string // without line ends
	end   string   // of a line: "\n" or "\r\n"
	root  *node
}

// OpenDocument reads a text; the name is the file's, for errors.
func OpenDocument(name string, data []byte) (*Document, error) {
	root, err := parseYAML(name, data)
	if err != nil {
		return nil, err
	}
	if root == nil || root.kind != kindMapping || !root.block {
		return nil, &Error{Position: Position{File: name}, Problem: "is not an inventory"}
	}
	doc := &Document{name: name, root: root, end: "\n"}
	if strings.Contains(string(data), "\r\n") {
		doc.end = "\r\n"
	}
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	doc.lines = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return doc, nil
}

// Bytes returns the text.
func (doc *Document) Bytes() []byte {
	return []byte(strings.Join(doc.lines, doc.end) + doc.end)
}

// Place finds where a variable is to be set: where is "all" or "", or the name of a group
// or a host of the file.
func (doc *Document) Place(where, variable string) (Place, error) {
	if where == "" || where == "all" {
		return Place{Variable: variable}, nil
	}
	var names []string
	for _, section := range []string{"groups", "hosts"} {
		n := doc.root.get(section)
		if n == nil {
			continue
		}
		for _, entry := range n.pairs {
			if entry.key.text == where {
				return Place{section, where, variable}, nil
			}
			names = append(names, entry.key.text)
		}
	}
	return Place{}, &Error{Position: Position{File: doc.name}, What: fmt.Sprintf("%q", where), Problem: "there is no such host or group", Advice: didYouMean(where, names)}
}

// Encrypted returns where the document has encrypted values, in the file's order.
func (doc *Document) Encrypted() []Place {
	var places []Place
	collect := func(section, name string, vars *node) {
		if vars == nil {
			return
		}
		for _, entry := range vars.pairs {
			if entry.value.kind == kindString && isCiphertext(entry.value.text) {
				places = append(places, Place{section, name, entry.key.text})
			}
		}
	}
	for _, top := range doc.root.pairs {
		switch top.key.text {
		case "vars":
			collect("", "", top.value)
		case "groups", "hosts":
			for _, entry := range top.value.pairs {
				collect(top.key.text, entry.key.text, entry.value.get("vars"))
			}
		}
	}
	return places
}

func (doc *Document) at(path []string) *node {
	n := doc.root
	for _, key := range path {
		n = n.get(key)
	}
	return n
}

// encrypt encrypts a value for the document's own recipients.
func (doc *Document) encrypt(value recipe.Secret) (Ciphertext, error) {
	d := decoder{}
	var keys []string
	if n := doc.root.get("recipients"); n != nil {
		keys = d.recipients(n)
	}
	if err := d.errs.result(); err != nil {
		return "", err
	}
	recipients, err := ParseRecipients(keys)
	if err != nil {
		return "", err
	}
	return Encrypt(value, recipients)
}

// Has reports whether a place has a value, encrypted or not.
func (doc *Document) Has(place Place) bool {
	n := doc.at(place.path())
	return n != nil && n.kind != kindNull
}

// Plain returns the value that stands at a place in plain text, if one does.
func (doc *Document) Plain(place Place) (recipe.Secret, bool) {
	n := doc.at(place.path())
	if n == nil || n.kind == kindNull || n.kind == kindList || n.kind == kindMapping || isCiphertext(n.text) {
		return recipe.Secret{}, false
	}
	return recipe.NewSecret(n.text), true
}

// EncryptValue sets a variable to an encrypted value: in the place of what is there, or
// on a line of its own after the others.
func (doc *Document) EncryptValue(place Place, value recipe.Secret) error {
	text, err := doc.encrypt(value)
	if err != nil {
		return err
	}
	return doc.set(place.path(), text)
}

// EditValue decrypts a variable's value, has it changed, and encrypts what comes back.
// When it comes back as it was, nothing changes.
func (doc *Document) EditValue(place Place, keys Decrypter, edit func(recipe.Secret) (recipe.Secret, error)) error {
	before, err := doc.decrypt(place, keys)
	if err != nil {
		return err
	}
	after, err := edit(before)
	if err != nil || after == before {
		return err
	}
	return doc.EncryptValue(place, after)
}

// RotateAll encrypts every encrypted value anew, for the recipients that the document has
// now, and returns how many there were. One that cannot be decrypted stops it, and then
// the document is as before.
func (doc *Document) RotateAll(keys Decrypter) (int, error) {
	places := doc.Encrypted()
	before := *doc
	before.lines = slices.Clone(doc.lines)
	for _, place := range places {
		value, err := doc.decrypt(place, keys)
		if err == nil {
			err = doc.EncryptValue(place, value)
		}
		if err != nil {
			*doc = before
			return 0, err
		}
	}
	return len(places), nil
}

func (doc *Document) decrypt(place Place, keys Decrypter) (recipe.Secret, error) {
	refuse := func(at Position, problem, hint string, cause error) (recipe.Secret, error) {
		return recipe.Secret{}, &Error{Position: at, What: "variable " + place.Variable, Problem: problem, Advice: hint, Cause: cause}
	}
	n := doc.at(place.path())
	switch {
	case n == nil:
		return refuse(Position{File: doc.name}, "is not set there", "provision secret encrypt "+place.Variable, nil)
	case n.kind != kindString || !isCiphertext(n.text):
		return refuse(n.at, "is not encrypted", "provision secret encrypt "+place.Variable, nil)
	case keys == nil:
		return refuse(n.at, "is encrypted, and no key to decrypt it was given", decryptHint(ErrNoKey), ErrNoKey)
	}
	value, err := keys.Decrypt(Ciphertext(n.text))
	if err != nil {
		return refuse(n.at, "cannot be decrypted: "+err.Error(), decryptHint(err), err)
	}
	return value, nil
}

// RewriteFile changes a hosts.yaml: the file is read, changed and written beside itself,
// and takes the old one's place at once, with its mode and owner. A link is followed, so
// that it stays one. Nothing is written when nothing has changed.
func RewriteFile(path string, change func(*Document) error) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		target = path // readFile says what is wrong
	}
	data, err := readFile(target)
	if err != nil {
		return err
	}
	doc, err := OpenDocument(path, data)
	if err != nil {
		return err
	}
	if err := change(doc); err != nil {
		return err
	}
	if string(doc.Bytes()) == string(data) {
		return nil
	}
	if err := replace(target, doc.Bytes()); err != nil {
		return &Error{Position: Position{File: path}, Problem: "cannot be written: " + reason(err), Advice: "ls -ld " + path + " shows whose it is", Cause: err}
	}
	return nil
}

func replace(path string, data []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone already when all went well
	defer file.Close()
	if _, err := file.Write(data); err != nil {
		return err
	}
	if err := keepOwner(file, info); err != nil {
		return err
	}
	if err := file.Chmod(info.Mode().Perm()); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
