package remote

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
)

const (
	// maxArgument bounds the encoded script in the command line. Linux allows
	// one argument 128 KiB (MAX_ARG_STRLEN, execve(2)); the login shell gets the
	// whole command line as one argument.
	maxArgument = 32 << 10

	// compressAbove is where gzip earns its process on the host, in bytes.
	compressAbove = 1 << 10
)

// The texts below go between single quotes of a login shell that may be tcsh or
// fish. tcsh refuses a newline there and expands "!"; fish gives a backslash a
// meaning. So they hold no quote, newline, exclamation mark or backslash.
const (
	// prologue says on both streams that the noise of the login shell and of
	// sudo is over. The token is printed twice in a row, so that a login shell
	// that prints what it runs (set -x) does not say it too.
	prologue = `printf %s.%s "$1" "$1"; printf %s.%s "$1" "$1" >&2; export LC_ALL=C.UTF-8; `

	// epilogue runs the script in a shell of its own, without our arguments, and says on both
	// streams that it is over, and how: what it left in the background may hold them open. A
	// script that cannot be decoded must not pass for an empty one.
	epilogue = ` || exit 126; (set --; eval "$provision_script"); set -- "$1" "$?"; ` +
		`printf %s:%s:%03d. "$1" "$1" "$2"; printf %s:%s:%03d. "$1" "$1" "$2" >&2; exit "$2"`

	// elevate becomes root, unless it is: $0 is how, the arguments are what.
	elevate = `[ "$(id -u)" = 0 ] && exec /bin/sh -c "$@"; export LC_ALL=C.UTF-8; exec sudo $0 -- /bin/sh -c "$@"`
)

// wrapped is a script as it goes to a host.
type wrapped struct {
	commandLine string
	stdin       []byte // to be written before anything else, when the script is long
}

// wrap makes a command line that runs the script under /bin/sh whatever the
// login shell is: bash, dash, zsh, ksh, fish and tcsh agree on a word between
// single quotes and on plain letters.
func wrap(script encoded, token string, sudo []string) wrapped {
	inner := prologue + "provision_script=$(" + script.decode + ")" + epilogue
	arguments := []string{"'" + inner + "'", "sh", token}
	if script.argument != "" {
		arguments = append(arguments, script.argument)
	}
	line := "exec /bin/sh -c " + strings.Join(arguments, " ")
	if len(sudo) > 0 {
		line = "exec /bin/sh -c '" + elevate + "' '" + strings.Join(sudo, " ") + "' " + strings.Join(arguments, " ")
	}
	return wrapped{commandLine: line, stdin: script.stdin}
}

// encoded is a script on its way: the shell text that prints it, and where that takes it from, the second
// argument or the first bytes of stdin.
type encoded struct {
	decode, argument string
	stdin            []byte
}

// encode makes a script ready. GNU head reads no more than it is asked for, so what follows on stdin is the
// script's own.
func encode(script string) encoded {
	if len(script) <= compressAbove {
		plain := base64.StdEncoding.EncodeToString([]byte(script))
		return encoded{decode: `printf %s "$2" | base64 -d`, argument: orEmpty(plain)}
	}
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	writer.Write([]byte(script)) // a bytes.Buffer does not fail
	writer.Close()
	if base64.StdEncoding.EncodedLen(packed.Len()) <= maxArgument {
		return encoded{decode: `printf %s "$2" | base64 -d | gzip -dc`, argument: base64.StdEncoding.EncodeToString(packed.Bytes())}
	}
	return encoded{decode: fmt.Sprintf(`head -c %d | gzip -dc`, packed.Len()), stdin: packed.Bytes()}
}

// encodings keep what was made ready: a thousand hosts are asked the same, and to pack it costs more than a
// login does.
type encodings struct {
	mu  sync.Mutex
	all map[string]encoded
}

// mostEncodings bounds them.
const mostEncodings = 64

func (e *encodings) of(script string) encoded {
	if e == nil || len(script) <= compressAbove {
		return encode(script)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	made, there := e.all[script]
	if !there {
		if e.all == nil || len(e.all) == mostEncodings {
			e.all = map[string]encoded{}
		}
		made = encode(script)
		e.all[script] = made
	}
	return made
}

// orEmpty keeps the argument there when the script is empty: base64 of a newline.
func orEmpty(encoded string) string {
	if encoded == "" {
		return "Cg=="
	}
	return encoded
}

// startMark is what the prologue prints.
func startMark(token string) string { return token + "." + token }

// endMark begins what the epilogue prints: the exit status follows, in endDigits and a full
// stop.
func endMark(token string) string { return token + ":" + token + ":" }

const endDigits = 3

// sudoPrompt is the argument of sudo's -p, and promptMark what sudo makes of
// it: %% is an escape for % (sudo(8)). They differ so that a login shell that
// prints what it runs is not taken for sudo, and never sent a password.
func sudoPrompt(token string) string { return token + "%%" + token }
func promptMark(token string) string { return token + "%" + token }
