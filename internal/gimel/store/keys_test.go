package store

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"provision/internal/gimel/redistest"
)

// keyGuard stands in front of each script of these tests: a script that touches a key which it was
// not given ends with an error. Redis itself says which keys a command has.
const keyGuard = `
local given = {}
for _, key in ipairs(KEYS) do given[key] = true end
local function check(command, ...)
  for _, key in ipairs(real.call('COMMAND', 'GETKEYS', command, ...)) do
    if not given[key] then error('KEYGUARD ' .. command .. ' touches ' .. key) end
  end
end
local redis = {
  call = function(...) check(...) return real.call(...) end,
  pcall = function(...) check(...) return real.pcall(...) end,
}
`

// guard is a hook of a client that puts keyGuard in front of scripts.
type guard struct {
	mu     sync.Mutex
	hashes map[string]string // of scripts, to those of guarded ones
}

func guarded(client redis.UniversalClient) redis.UniversalClient {
	client.AddHook(&guard{hashes: map[string]string{}})
	return client
}

func (g *guard) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return next(ctx, network, address)
	}
}

func (g *guard) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		g.change(cmd.Args())
		return next(ctx, cmd)
	}
}

func (g *guard) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			g.change(cmd.Args())
		}
		return next(ctx, cmds)
	}
}

// change replaces a script, or its hash, by that of the guarded one.
func (g *guard) change(args []any) {
	name, _ := args[0].(string)
	g.mu.Lock()
	defer g.mu.Unlock()
	switch name = strings.ToLower(name); name {
	case "script":
		for i, arg := range args {
			if hash, _ := arg.(string); g.hashes[hash] != "" { // EXISTS
				args[i] = g.hashes[hash]
			}
		}
		if verb, _ := args[1].(string); strings.ToLower(verb) == "load" {
			text := args[2].(string)
			args[2] = "local real = redis" + keyGuard + text
			g.hashes[hashOf(text)] = hashOf(args[2].(string))
		}
	case "eval":
		args[1] = "local real = redis" + keyGuard + args[1].(string)
	case "evalsha":
		if hash := g.hashes[args[1].(string)]; hash != "" {
			args[1] = hash
		}
	}
}

func hashOf(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// The guard sees what the tests rely on it for.
func TestTheKeyGuardSeesAKeyThatWasNotGiven(t *testing.T) {
	client := guarded(redistest.Start(t).Client())
	for text, want := range map[string]string{
		"return redis.call('SADD', KEYS[1], 'x')":                    "",
		"return redis.call('SADD', KEYS[1] .. ':more', 'x')":         "SADD touches k:more",
		"return redis.pcall('MEMORY', 'USAGE', 'other')":             "MEMORY touches other",
		"return redis.call('RENAME', KEYS[1], 'new')":                "RENAME touches new",
		"return redis.pcall('XADD', 'stream', '*', 'field', 'text')": "XADD touches stream",
	} {
		err := client.Eval(t.Context(), text, []string{"k"}).Err()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
