package remote

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Dialer makes connections to many hosts. They share what each server has little of: there is
// one connection to a jump host, whatever number of targets is behind it, and few at a time
// knock at one sshd.
type Dialer struct {
	open context.Context // bounds the dialling of jump hosts, which no single target's does
	end  context.CancelFunc

	pause time.Duration // before another try, at first

	known     knownFiles
	encodings encodings

	mu    sync.Mutex
	jumps map[string]*jump
	doors map[string]chan struct{} // by address, what holds who knocks there
}

// jump is the connection to a jump host, or will be.
type jump struct {
	dialled   chan struct{} // closed when one of the next two is set
	transport *sshTransport
	err       error
}

// NewDialer returns a Dialer. Its connections to jump hosts stay until Close.
func NewDialer() *Dialer {
	d := &Dialer{pause: firstPause, jumps: map[string]*jump{}, doors: map[string]chan struct{}{}}
	d.open, d.end = context.WithCancel(context.Background())
	return d
}

// Dial connects and authenticates. ctx bounds the dialling only, not the
// connection's life. Everything on this side is read first, so an error that
// wraps ErrConfig means that nothing was sent. The others wrap ErrUnreachable,
// ErrHostKeyUnknown, ErrHostKeyChanged or ErrAuthentication.
func (d *Dialer) Dial(ctx context.Context, address Address, config Config) (*Connection, error) {
	t, err := d.dial(ctx, address, config, nil)
	if err != nil {
		return nil, err
	}
	c := newConnection(t, address.String(), t.settings.user == "root", config)
	c.encodings = &d.encodings
	return c, nil
}

// Dial makes one connection, with a Dialer of its own.
func Dial(ctx context.Context, address Address, config Config) (*Connection, error) {
	d := NewDialer()
	t, err := d.dial(ctx, address, config, nil)
	if err != nil {
		d.Close()
		return nil, err
	}
	t.own = d
	return newConnection(t, address.String(), t.settings.user == "root", config), nil
}

// Close ends the connections to jump hosts, and with them all that go through one.
func (d *Dialer) Close() error {
	d.end()
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, j := range d.jumps {
		select {
		case <-j.dialled:
			errs = append(errs, j.close())
		default: // a person may still be asked something
			go func() {
				<-j.dialled
				j.close()
			}()
		}
	}
	return errors.Join(errs...)
}

// through returns the connection to a jump host: the one that is there or is being made, or
// a new one where that has failed or ended.
func (d *Dialer) through(ctx context.Context, address Address, config Config, via []string) (*sshTransport, error) {
	s, via, err := config.route(address, via)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	key := s.way() + " " + config.KnownHosts
	j := d.jumps[key]
	if j == nil || j.over() {
		j = &jump{dialled: make(chan struct{})}
		d.jumps[key] = j
		go func() {
			defer close(j.dialled)
			j.transport, j.err = d.connect(d.open, s, config, via)
		}()
	}
	d.mu.Unlock()
	select {
	case <-j.dialled:
		return j.transport, j.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (j *jump) over() bool {
	select {
	case <-j.dialled:
		return j.err != nil || j.transport.ended()
	default:
		return false
	}
}

func (j *jump) close() error {
	if j.err != nil {
		return nil // it never was
	}
	return j.transport.close()
}
