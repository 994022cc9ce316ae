package store

import (
	"context"
	_ "embed" // the scripts
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed lua/guard.lua
	guardSource string
	//go:embed lua/log.lua
	logSource string
	//go:embed lua/track.lua
	trackSource string
	//go:embed lua/admit.lua
	admitSource string
	//go:embed lua/split.lua
	splitSource string
	//go:embed lua/register.lua
	registerSource string
	//go:embed lua/ready.lua
	readySource string
	//go:embed lua/list.lua
	listSource string
	//go:embed lua/create.lua
	createSource string
	//go:embed lua/declare.lua
	declareSource string
	//go:embed lua/state.lua
	stateSource string
	//go:embed lua/annotate.lua
	annotateSource string
	//go:embed lua/tell.lua
	tellSource string
	//go:embed lua/unlock.lua
	unlockSource string
	//go:embed lua/note.lua
	noteSource string
	//go:embed lua/discard.lua
	discardSource string
	//go:embed lua/group.lua
	groupSource string
	//go:embed lua/done.lua
	doneSource string
	//go:embed lua/filled.lua
	filledSource string
)

// scripts are called by the hash of their text, not as Redis Functions: while
// a deploy has two releases of gimel running, each calls its own text, where a
// function of one name would change under the release that drains.
type scripts struct {
	ready, track, admit, split, register, list, create, declare, state, annotate, tell, unlock, note, discard, group, done, filled *redis.Script
}

func newScripts() scripts {
	return scripts{
		ready:    redis.NewScript(readySource),
		track:    redis.NewScript(guardSource + logSource + trackSource),
		admit:    redis.NewScript(guardSource + logSource + admitSource),
		split:    redis.NewScript(splitSource),
		register: redis.NewScript(registerSource),
		list:     redis.NewScript(listSource),
		create:   redis.NewScript(createSource),
		declare:  redis.NewScript(declareSource),
		state:    redis.NewScript(stateSource),
		tell:     redis.NewScript(tellSource),
		unlock:   redis.NewScript(unlockSource),
		annotate: redis.NewScript(annotateSource),
		note:     redis.NewScript(noteSource),
		discard:  redis.NewScript(discardSource),
		group:    redis.NewScript(groupSource),
		done:     redis.NewScript(doneSource),
		filled:   redis.NewScript(filledSource),
	}
}

func (s scripts) all() []*redis.Script {
	return []*redis.Script{s.ready, s.track, s.admit, s.split, s.register, s.list, s.create, s.declare, s.state, s.annotate, s.tell, s.unlock, s.note, s.discard, s.group, s.done, s.filled}
}

// load makes the scripts known to every master. Redis forgets them when it
// restarts.
func (s scripts) load(ctx context.Context, client redis.UniversalClient) error {
	return onEachMaster(ctx, client, func(ctx context.Context, node redis.UniversalClient) error {
		// Not in a pipeline: go-redis 9.23's Load takes the hash from the
		// reply, which a pipeline does not have yet.
		for _, script := range s.all() {
			if err := script.Load(ctx, node).Err(); err != nil {
				return fmt.Errorf("load scripts: %w", err)
			}
		}
		return nil
	})
}

// loaded says whether every master knows every script.
func (s scripts) loaded(ctx context.Context, client redis.UniversalClient) error {
	var hashes []string
	for _, script := range s.all() {
		hashes = append(hashes, script.Hash())
	}
	return onEachMaster(ctx, client, func(ctx context.Context, node redis.UniversalClient) error {
		found, err := node.ScriptExists(ctx, hashes...).Result()
		if err != nil {
			return fmt.Errorf("ask for scripts: %w", err)
		}
		for _, exists := range found {
			if !exists {
				return errScriptsMissing
			}
		}
		return nil
	})
}

var errScriptsMissing = errors.New("scripts are not loaded")

func onEachMaster(ctx context.Context, client redis.UniversalClient,
	visit func(context.Context, redis.UniversalClient) error) error {
	if cluster, ok := client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
			return visit(ctx, node)
		})
	}
	return visit(ctx, client)
}
