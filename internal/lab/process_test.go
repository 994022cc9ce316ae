package lab

import "testing"

// What a host's console has shown is told without its colours.
func TestTailIsPlain(t *testing.T) {
	const console = "one\r\n[\x1b[0;32m OK \x1b[0m] Started \x1b[0;1;39mssh.service\x1b[0m.\r\nlabx login:\r\n"
	if got, want := tail(console, 2), "[ OK ] Started ssh.service.\nlabx login:"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
