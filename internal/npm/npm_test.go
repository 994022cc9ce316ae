package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// archive reads a package's archive, once its digest is that which the registry has.
func archive(t *testing.T, file string, integrity Integrity) map[string][]byte {
	t.Helper()
	packed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha512.Sum512(packed)
	if is := Integrity("sha512-" + base64.StdEncoding.EncodeToString(digest[:])); is != integrity {
		t.Fatalf("%s: is %s, want %s", file, is, integrity)
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	content := map[string][]byte{}
	for r := tar.NewReader(unpacked); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return content
		}
		if err != nil {
			t.Fatal(err)
		}
		if content[strings.TrimPrefix(header.Name, "package/")], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStatsDIsAsPublished(t *testing.T) {
	published := archive(t, "testdata/statsd-0.9.0.tgz", StatsDIntegrity)
	statsd, err := StatsD()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	err = fs.WalkDir(statsd, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(statsd, name)
		if was, there := published[name]; !there || !bytes.Equal(content, was) {
			t.Errorf("%s: is not as it was published", name)
		}
		found = append(found, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(found, "LICENSE") {
		t.Error("the licence wants to go with it")
	}
	// What is loaded is Node's, or there; syslog's module is loaded by a log that is not used.
	loads := regexp.MustCompile(`require\('([^']+)'\)`)
	node := []string{"util", "fs", "events", "net", "dgram", "modern-syslog"}
	for _, name := range found {
		content, err := fs.ReadFile(statsd, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, load := range loads.FindAllSubmatch(content, -1) {
			own, relative := strings.CutPrefix(string(load[1]), "./")
			if relative && !slices.Contains(found, own+".js") || !relative && !slices.Contains(node, string(load[1])) {
				t.Errorf("%s loads %s, which is not there", name, load[1])
			}
		}
	}
}
