package project

import (
	"testing"
	"time"
)

// A hook always has a bound: a host waits for it under its lock, out of service.
func TestHooksAreBounded(t *testing.T) {
	for timeout, want := range map[string]time.Duration{"": time.Minute, `, timeout = "20s"`: 20 * time.Second} {
		p, _ := open(t, "-- tasks/serving.star --\ndrain = hook(\"lb out\""+timeout+")\nundrain = hook(\"lb in\""+timeout+")\n\ndef build(v, host):\n    return []\n")
		task := p.Tasks()[0]
		if task.Drain.Timeout != want || task.Undrain.Timeout != want {
			t.Errorf("hook(…%s): %s, %s, want %s", timeout, task.Drain.Timeout, task.Undrain.Timeout, want)
		}
	}
}
