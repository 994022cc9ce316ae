package remote

import (
	"context"
	"strings"
	"testing"
)

func TestLocalRun(t *testing.T) {
	c, err := Local(Config{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.Run(context.Background(), Command{Script: "printf 'a\\n'; cat; echo $#"}, []byte("in put"))
	if err != nil || string(out) != "a\nin put0\n" {
		t.Fatalf("%q %v", out, err)
	}
	long := strings.Repeat("# "+c.token+"\n", 100) + "cat\n"
	out, err = c.Run(context.Background(), Command{Script: long}, []byte("in put"))
	if err != nil || string(out) != "in put" {
		t.Fatalf("%q %v", out, err)
	}
}

func TestLocalCloseEndsWhatRuns(t *testing.T) {
	c, _ := Local(Config{})
	process, err := c.Start(context.Background(), Command{Script: "sleep 30; true"})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	soon(t, func() {
		if err := process.Wait(); err == nil {
			t.Error("a killed command passed")
		}
	})
}
