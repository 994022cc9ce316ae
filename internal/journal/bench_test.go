package journal_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"provision/internal/recipe"
)

// BenchmarkFiles writes many files of 1 KB, first where nothing is, then over the old ones,
// with all that a run promises: copies, records, syncs. It prints the time for all of them.
//
//	go test ./internal/journal -run none -bench Files -benchtime 1x
func BenchmarkFiles(b *testing.B) {
	for _, amount := range []int{1000, 5000} {
		for _, directories := range []int{1, 50} {
			b.Run(fmt.Sprintf("%d in %d", amount, directories), func(b *testing.B) {
				m := newMachine(b)
				for i := range directories {
					if err := os.Mkdir(fmt.Sprintf("%s/%d", m.root, i), 0o755); err != nil {
						b.Fatal(err)
					}
				}
				c := m.begin(b)
				write := func(text string) {
					var steps []recipe.Step
					for i := range amount {
						steps = append(steps, file(fmt.Sprintf("%s/%d/file%d", m.root, i*directories/amount, i), strings.Repeat(text, 256)))
					}
					c.do(b, steps...)
				}
				b.ResetTimer()
				for range b.N {
					write("new\n")
					b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/new")
					write("old\n")
				}
			})
		}
	}
}
