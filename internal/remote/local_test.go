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
