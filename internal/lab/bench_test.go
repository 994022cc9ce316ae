package lab_test

import (
	"path/filepath"
	"testing"

	"provision/internal/lab"
)

// BenchmarkHosts is what every command pays to know `-H lab1`.
func BenchmarkHosts(b *testing.B) {
	l, err := lab.Open(lab.Config{})
	if err != nil {
		b.Fatal(err)
	}
	none, err := lab.Open(lab.Config{Dir: filepath.Join(b.TempDir(), "none")})
	if err != nil {
		b.Fatal(err)
	}
	for name, l := range map[string]*lab.Lab{"this machine's": l, "no lab": none} {
		b.Run(name, func(b *testing.B) {
			hosts := 0
			for b.Loop() {
				found, err := l.Hosts()
				if err != nil {
					b.Fatal(err)
				}
				hosts = len(found)
			}
			b.ReportMetric(float64(hosts), "hosts")
		})
	}
}
