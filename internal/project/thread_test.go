package project

import (
	"testing"
	"testing/synctest"
	"time"
)

// A tree of thousands of files on a slow disk was "a text or a list that grows too far in a loop".
func TestReadingIsNotComputing(t *testing.T) { synctest.Test(t, readingIsNotComputing) }

func readingIsNotComputing(t *testing.T) {
	const most = 50 * time.Second
	ended := make(chan bool)
	b := &building{project: &Project{}, clock: newClock(most, func() { close(ended) })}
	if _, err := once(b, asked{wanted: "www"}, func() (string, error) {
		time.Sleep(2 * most)
		return "", nil
	}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
		t.Error("a build ends for what it read")
	default:
	}
	select {
	case <-ended:
	case <-time.After(time.Hour):
		t.Error("a build that goes on computing has no end")
	}
}
