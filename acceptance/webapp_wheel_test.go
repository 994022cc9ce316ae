package acceptance

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// wheel returns a package of Python as pip installs it, with one module that says something (PEP 427).
func wheel(t *testing.T, name string) []byte {
	t.Helper()
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	record := ""
	info := name + "-1.0.dist-info/"
	for _, file := range []struct{ name, text string }{
		{name + ".py", "SAYS = 'brought along'\n"},
		{info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1.0\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "RECORD", ""},
	} {
		if file.text == "" {
			file.text = record + file.name + ",,\n"
		}
		digest := sha256.Sum256([]byte(file.text))
		record += fmt.Sprintf("%s,sha256=%s,%d\n", file.name, base64.RawURLEncoding.EncodeToString(digest[:]), len(file.text))
		out, err := w.Create(file.name)
		if err == nil {
			_, err = out.Write([]byte(file.text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

// addRequirements makes of an application's folder a copy with a requirement, and the wheel of it.
func addRequirements(t *testing.T, folder string) string {
	t.Helper()
	with := t.TempDir()
	made := wheel(t, "brought")
	err := os.CopyFS(with, os.DirFS(folder))
	if err == nil {
		err = os.Mkdir(filepath.Join(with, "wheels"), 0o755)
	}
	for file, text := range map[string][]byte{
		"wheels/brought-1.0-py3-none-any.whl": made,
		"requirements.txt":                    fmt.Appendf(nil, "brought==1.0 --hash=sha256:%x\n", sha256.Sum256(made)),
	} {
		if err == nil {
			err = os.WriteFile(filepath.Join(with, file), text, 0o644)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return with
}
