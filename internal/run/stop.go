package run

import "context"

// untilStopped is a context that also ends when stop is closed: while nothing is changed,
// there is no reason to go on to the end of anything.
func untilStopped(ctx context.Context, stop <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
