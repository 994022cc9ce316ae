package remote

import (
	"context"
	"testing"
)

// BenchmarkRun is what a command costs on loopback, without any latency.
func BenchmarkRun(b *testing.B) {
	c := startSSHD(b).dial(b, newUser(b, "bench", "/bin/bash"))
	for b.Loop() {
		if _, err := c.Run(context.Background(), Command{Script: "echo hi"}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
