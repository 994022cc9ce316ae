package main

import (
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// Each scene that is recorded has its picture: XML, small enough for a first page, with a title for who
// does not see it, and with nothing that runs or is asked for elsewhere.
func TestRecordings(t *testing.T) {
	scenes := regexp.MustCompile(`(?m)^        "(\w+)": Scene\($`).FindAllStringSubmatch(read(t, repository, "packaging/recordings/scenes.py"), -1)
	if len(scenes) < 5 {
		t.Fatalf("%d scenes, want 5 or more", len(scenes))
	}
	for _, scene := range scenes {
		picture := read(t, repository, "docs/images/"+scene[1]+".svg")
		if err := wellFormed(picture); err != nil {
			t.Errorf("%s: %v", scene[1], err)
		}
		if len(picture) > 150<<10 {
			t.Errorf("%s: %d bytes, want less than 150 KB", scene[1], len(picture))
		}
		if !strings.Contains(picture, "<title>") || !strings.Contains(picture, "@keyframes") {
			t.Errorf("%s: without a title, or nothing moves", scene[1])
		}
		for _, not := range []string{"<script", "href=", "url(", "@import"} {
			if strings.Contains(picture, not) {
				t.Errorf("%s: %s is in it", scene[1], not)
			}
		}
		if !shown(t, scene[1]+".svg") {
			t.Errorf("%s: no page shows it", scene[1])
		}
	}
}

func wellFormed(text string) error {
	for decoder := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// shown says whether README or a page of docs has a picture.
func shown(t *testing.T, image string) bool {
	t.Helper()
	pages, err := fs.Glob(repository, "docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "README.md") {
		if strings.Contains(read(t, repository, page), "images/"+image+")") {
			return true
		}
	}
	return false
}
