package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Checkpoint makes what is on the host now the state that Rewind returns to, and boots it
// again. It stands on the checkpoints before it, and lasts until Fresh or Remove.
func (l *Lab) Checkpoint(ctx context.Context, name string) error {
	// A clean end, so that what is kept is whole.
	return l.restack(ctx, name, l.powerOff, func(host *Host) error {
		layer, relative, err := l.nextCheckpoint(*host)
		if err != nil {
			return err
		}
		if err := removeTree(layer); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(host.dir, "upper"), layer); err != nil {
			return err
		}
		host.Layers = append([]string{relative}, host.Layers...)
		return nil
	})
}

// nextCheckpoint is the layer of a host's next checkpoint, which stands on those before it, and the name
// that it has from the base on.
func (l *Lab) nextCheckpoint(host Host) (layer, relative string, err error) {
	for n := 1; ; n++ {
		layer = filepath.Join(host.dir, "checkpoint"+strconv.Itoa(n))
		relative, err = filepath.Rel(l.config.Base, layer)
		if err != nil || !slices.Contains(host.Layers, relative) {
			return layer, relative, err
		}
	}
}

// Rewind throws away what came onto the host since its checkpoint, or since it was made
// fresh when it has none, and boots it.
func (l *Lab) Rewind(ctx context.Context, name string) error {
	kill := func(_ context.Context, host Host) error { return l.kill(host) }
	return l.restack(ctx, name, kill, func(*Host) error { return nil })
}

// Clone makes a host that does not exist yet from the checkpoint of another, which has to stay
// for as long, and boots it. It has its own name, address and keys; all else is as it was there.
func (l *Lab) Clone(ctx context.Context, name, from string) (Host, error) {
	if err := checkWanted([]string{name}, ""); err != nil {
		return Host{}, err
	}
	unlock, err := l.lock(ctx)
	if err != nil {
		return Host{}, err
	}
	defer unlock()
	known, err := l.Hosts()
	if err != nil {
		return Host{}, err
	}
	at := indexOf(known, from)
	if at < 0 {
		return Host{}, fmt.Errorf("%s: %w", from, ErrNoHost)
	}
	if indexOf(known, name) >= 0 {
		return Host{}, fmt.Errorf("%s: is there already: remove it first", name)
	}
	hosts, err := l.define([]string{name}, known[at].Suite)
	if err != nil {
		return Host{}, err
	}
	hosts[0].Layers = known[at].Layers
	if err := hosts[0].save(); err != nil {
		return Host{}, err
	}
	err = l.bootAll(ctx, hosts)
	return hosts[0], err
}

// restack stops a host, lets change say what it stands on, and boots it with nothing of
// its own over that.
func (l *Lab) restack(ctx context.Context, name string, stop func(context.Context, Host) error, change func(*Host) error) error {
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	hosts, err := l.named([]string{name})
	if err != nil {
		return err
	}
	if err := stop(ctx, hosts[0]); err != nil {
		return err
	}
	if err := change(&hosts[0]); err != nil {
		return err
	}
	for _, part := range []string{"upper", "work", "root"} {
		dir := filepath.Join(hosts[0].dir, part)
		if err := removeTree(dir); err != nil {
			return err
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	if err := hosts[0].save(); err != nil {
		return err
	}
	return l.bootAll(ctx, hosts)
}
