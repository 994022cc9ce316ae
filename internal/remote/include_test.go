package remote

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Files that include the next one many times are no loop, and would be read for years: what is read is bounded in its
// breadth too. As many as are there are read.
func TestIncludesAreBounded(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(home, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for layer := range maxIncludes - 2 {
		write(fmt.Sprint("layer", layer), "Include"+strings.Repeat(fmt.Sprintf(" %s/layer%d", home, layer+1), 10)+"\n")
	}
	wide := filepath.Join(home, "layer0")
	write(fmt.Sprint("layer", maxIncludes-2), "Host web1\n")
	if err := os.Mkdir(home+"/conf.d", 0o700); err != nil {
		t.Fatal(err)
	}
	for file := range 2000 {
		write(fmt.Sprint("conf.d/", file), fmt.Sprintf("Host web%d\n", file))
	}
	many := write("many", "Include "+home+"/conf.d/*\n")
	within := func(what string, read func() error) error {
		t.Helper()
		ended := make(chan error, 1)
		go func() { ended <- read() }()
		select {
		case err := <-ended:
			return err
		case <-time.After(5 * time.Minute):
			t.Fatalf("%s is read on and on", what)
			return nil
		}
	}
	for name, read := range map[string]func(file string) error{
		"settings": func(file string) error {
			_, err := (Config{ConfigFile: file}).source(Address{Host: "web1"})
			return err
		},
		"names": func(file string) error {
			_, err := HostNames(file)
			return err
		},
	} {
		if err := within(name, func() error { return read(wide) }); err == nil || !strings.Contains(err.Error(), "is more than the 10000 files that may be included") {
			t.Errorf("%s: %v", name, err)
		}
		if err := within(name, func() error { return read(many) }); err != nil {
			t.Errorf("%s of 2,000 files: %v", name, err)
		}
	}
}
