package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

const testToken = "0123456789abcdef0123456789abcdef"

// No login shell may find anything to interpret.
func TestWrapHoldsNothingForALoginShell(t *testing.T) {
	script := "echo 'it''s' \"$x\" `y` !z \\\n"
	for _, sudo := range [][]string{nil, {"-S", "-p", sudoPrompt(testToken)}} {
		line := wrap(encode(script), testToken, sudo).commandLine
		if strings.ContainsAny(line, "\n!\\`") {
			t.Errorf("%s", line)
		}
		words := strings.Split(line, "'")
		if len(words)%2 == 0 {
			t.Errorf("unbalanced quotes: %s", line)
		}
		for i := 0; i < len(words); i += 2 { // what stands outside the quotes
			if strings.ContainsAny(words[i], "$\"*?[]{}()<>|&;~#^") {
				t.Errorf("outside of quotes: %q", words[i])
			}
		}
		if strings.Contains(line, startMark(testToken)) || strings.Contains(line, promptMark(testToken)) {
			t.Error("a shell that prints the line would print a mark")
		}
	}
}

func TestWrapBoundsTheCommandLine(t *testing.T) {
	random := make([]byte, 200<<10)
	rand.Read(random)
	for _, size := range []int{0, 1, compressAbove, compressAbove + 1, 20 << 10, 60 << 10, 200 << 10} {
		w := wrap(encode(fmt.Sprintf("%x", random)[:size]), testToken, nil)
		if len(w.commandLine) > maxArgument+1024 {
			t.Errorf("%d bytes of script make a command line of %d", size, len(w.commandLine))
		}
		if onStdin := len(w.stdin) > 0; onStdin != (size >= 60<<10) {
			t.Errorf("%d bytes of script: on stdin %v", size, onStdin)
		}
	}
}

// What follows a long script on stdin is the script's, though it arrives with it.
func TestLongScriptLeavesStdin(t *testing.T) {
	random := make([]byte, 100<<10)
	rand.Read(random)
	c, _ := Local(Config{})
	out, err := c.Run(context.Background(), Command{Script: fmt.Sprintf(": %x\ncat; echo $#$1", random)}, random)
	if err != nil || !bytes.Equal(out, append(bytes.Clone(random), "0\n"...)) {
		t.Fatalf("%d bytes, %v", len(out), err)
	}
}

func TestScripts(t *testing.T) {
	c, _ := Local(Config{})
	for script, want := range map[string]string{
		"":                              "",
		"echo $LC_ALL":                  "C.UTF-8\n",
		"cat <<'E'\n$x 'y'\nE":          "$x 'y'\n",
		"cat <<'E'\n$x\nE\n\n":          "$x\n",
		"printf '\\303\\244\\377\\000'": "\xc3\xa4\xff\x00",
		"set -- a b; echo $2":           "b\n",
		"exec echo gone":                "gone\n",
		"printf '%s\\n' \"$0\"":         "sh\n",
	} {
		out, err := c.Run(context.Background(), Command{Script: script}, nil)
		if err != nil || string(out) != want {
			t.Errorf("%q: %q %v", script, out, err)
		}
	}
	if _, err := c.Run(context.Background(), Command{Script: "if"}, nil); err == nil {
		t.Error("a syntax error passed")
	}
}

func FuzzMarkReader(f *testing.F) {
	f.Add([]byte("noise"), []byte("output"), true)
	f.Add([]byte(startMark(testToken)[:40]), []byte(startMark(testToken)), false)
	f.Add(bytes.Repeat([]byte("x"), 3*noiseKept), []byte{}, false)
	f.Add([]byte(promptMark(testToken)), []byte("0"), true)
	f.Fuzz(func(t *testing.T, noise, output []byte, slowly bool) {
		mark := []byte(startMark(testToken))
		if bytes.Contains(append(bytes.Clone(noise), mark[:len(mark)-1]...), mark) {
			return
		}
		var source io.Reader = bytes.NewReader(bytes.Join([][]byte{noise, mark, output}, nil))
		if slowly {
			source = iotest.OneByteReader(source)
		}
		r := newMarkReader(source, testToken)
		go r.search(nil)
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, output) {
			t.Fatalf("%q %v, want %q", got, err, output)
		}
		if kept := r.Noise(); len(kept) > noiseKept+4<<10 || !bytes.HasSuffix(noise, kept) {
			t.Fatalf("noise %q, kept %q", noise, kept)
		}
	})
}
